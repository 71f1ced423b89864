// Package asserts reads the tests that Go can judge by itself: asserts that call a function with literals and compare its
// result with literals, flat or in a function check(candidate).
//
// It is no Python: it knows a subset of the grammar and says ErrBeyond for everything else, which then goes to a judge in
// Python. It never guesses: what it accepts means the same here and there.
package asserts

import (
	"errors"
	"fmt"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// ErrBeyond is source outside the subset; it may be good Python.
var ErrBeyond = errors.New("beyond the literal subset")

// Check is one assert.
type Check struct {
	Line        int
	Not         bool   // assert not …
	Op          string // ==, !=, <, <=, >, >=, in, not in, is, is not; empty asks for truth
	Left, Right Operand
}

// Operand is a side of a comparison.
type Operand struct {
	Call       *Call       // nil for a literal
	Literal    plain.Value // where Call is nil
	Difference *Operand    // abs(this - Difference), where it is not nil
}

// Call is a call with literals.
type Call struct {
	Function string
	Args     plain.Tuple
	Kwargs   plain.Dict
}

// Suite is a test in the subset.
type Suite struct {
	Checks []Check
	// Check says that the asserts stand in check(candidate): their function named Candidate is the entry point.
	Check     bool
	Candidate string // name of check's parameter
	CallsWith string // what the source itself calls check with; empty where it does not
}

func beyond(line int, format string, a ...any) error {
	return fmt.Errorf("line %d: %w: %s", line, ErrBeyond, fmt.Sprintf(format, a...))
}
