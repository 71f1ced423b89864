package rules

import (
	"errors"
	"fmt"
	"time"

	"go.starlark.net/starlark"
)

// ErrTime is a program that took more than its time.
var ErrTime = errors.New("the program took more than " + maxTime.String())

// Comparison is a program that says whether an output is right: def compare(stdout, expected, stdin) returns a bool. It is
// bounded as verify is, and safe for concurrent use.
type Comparison struct {
	compare *starlark.Function
	within  time.Duration
}

// NewComparison runs the program's top level and finds compare. The error is a *spec.ProgramError.
func NewComparison(path, program string) (*Comparison, error) {
	f, err := load(path, program, "compare(stdout, expected, stdin)", maxTime)
	if err != nil {
		return nil, err
	}
	return &Comparison{f, maxTime}, nil
}

// Same asks the program. The error is ErrTime, or says what is wrong with the program: neither is the candidate's fault.
func (c *Comparison) Same(stdout, expected, stdin string) (bool, error) {
	thread, stop := limited("compare", c.within)
	defer stop()
	out, err := starlark.Call(thread, c.compare, starlark.Tuple{starlark.String(stdout), starlark.String(expected), starlark.String(stdin)}, nil)
	switch {
	case err != nil && tooSlow(err):
		return false, ErrTime
	case err != nil:
		return false, explain(err)
	}
	same, ok := out.(starlark.Bool)
	if !ok {
		return false, fmt.Errorf("compare returned a %s; want a bool", out.Type())
	}
	return bool(same), nil
}
