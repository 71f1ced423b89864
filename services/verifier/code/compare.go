package code

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/provenir/provenir/services/verifier/rules"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Comparison says when what a program printed is right.
type Comparison struct {
	Mode     string            // exact, lines, tokens, float or starlark
	Abs, Rel float64           // of float
	Rule     *rules.Comparison // of starlark
}

// load reads the program of starlark, which no other mode has.
func (c *Comparison) load(path, program string) error {
	var err error
	switch {
	case c.Mode == "starlark":
		c.Rule, err = rules.NewComparison(path, program)
	case program != "":
		err = &spec.BadSpecError{Path: path, Field: "program", Value: "given", Allowed: "none; it belongs to compare=starlark"}
	}
	return err
}

// Judge compares a program's output with the expected one for an input. The error is no fault of the candidate's.
func (c *Comparison) Judge(got string, p pair) (bool, error) {
	if c.Rule == nil {
		return c.Same(got, p.want), nil
	}
	same, err := c.Rule.Same(got, p.want, p.stdin)
	switch {
	case errors.Is(err, rules.ErrTime):
		return false, bad(verdict.Deadline, "compare=starlark: %v", err)
	case err != nil:
		return false, bad(verdict.BadSpec, "compare=starlark: %s", verdict.Printable(err.Error()))
	}
	return same, nil
}

// Same compares in the modes without a program. Only blanks at the ends of lines and empty lines at the end are
// forgiven, and with exact not even these: look-alike digits, NULs and other cases are different bytes.
func (c *Comparison) Same(got, want string) bool {
	switch c.Mode {
	case "exact":
		return got == want
	case "tokens":
		return equalStrings(strings.Fields(got), strings.Fields(want))
	case "float":
		return c.floats(strings.Fields(got), strings.Fields(want))
	default:
		return equalStrings(lines(got), lines(want))
	}
}

func lines(s string) []string {
	out := strings.Split(s, "\n")
	for i := range out {
		out[i] = strings.TrimRight(out[i], " \t\r")
	}
	for len(out) > 0 && out[len(out)-1] == "" {
		out = out[:len(out)-1]
	}
	return out
}

func equalStrings(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (c *Comparison) floats(got, want []string) bool {
	if len(got) != len(want) {
		return false
	}
	for i := range got {
		if got[i] == want[i] {
			continue
		}
		x, err1 := strconv.ParseFloat(got[i], 64)
		y, err2 := strconv.ParseFloat(want[i], 64)
		if err1 != nil || err2 != nil || math.IsNaN(x) || math.IsInf(x, 0) || math.IsInf(y, 0) || !(math.Abs(x-y) <= math.Max(c.Abs, c.Rel*math.Abs(y))) {
			return false
		}
	}
	return true
}
