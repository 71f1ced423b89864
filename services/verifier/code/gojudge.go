package code

import (
	"errors"
	"fmt"

	"github.com/provenir/provenir/services/verifier/code/asserts"
	"github.com/provenir/provenir/services/verifier/code/pyvalue"
	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// caller asks the candidate for the result of a call. That is all that Go wants of it.
type caller func(name string, args plain.Tuple, kwargs plain.Dict) sandbox.Answer

// end of a test as a judge saw it. gone and the like end the whole job.
type ending struct {
	row    sandbox.Row
	raised *sandbox.Raised
	tamper string
	over   bool // the candidate can answer nothing more
	absent bool // the function does not exist
}

// judgeTest runs the checks of one test until one fails.
func judgeTest(name string, suite *asserts.Suite, entry string, call caller) ending {
	for i := range suite.Checks {
		e := judgeCheck(suite, &suite.Checks[i], entry, call)
		if e.row.Outcome != sandbox.Passed {
			e.row.Test = name
			e.row.Detail = fmt.Sprintf("line %d: %s", suite.Checks[i].Line, e.row.Detail)
			return e
		}
	}
	return ending{row: sandbox.Row{Test: name, Outcome: sandbox.Passed}}
}

func judgeCheck(suite *asserts.Suite, c *asserts.Check, entry string, call caller) ending {
	var values [2]plain.Value
	for i, o := range []asserts.Operand{c.Left, c.Right} {
		v, e := evaluate(suite, &o, entry, call)
		if e != nil {
			return *e
		}
		values[i] = v
	}
	ok, err := holds(c.Op, values[0], values[1])
	if err == nil && c.Not {
		ok = !ok
	}
	switch {
	case errors.Is(err, pyvalue.ErrObject):
		return ending{row: sandbox.Row{Outcome: sandbox.ForgedTest, Detail: err.Error()}, tamper: forgedObject}
	case err != nil:
		return ending{row: sandbox.Row{Outcome: sandbox.Errored, Detail: err.Error()}}
	case !ok:
		return ending{row: sandbox.Row{Outcome: sandbox.Failed, Detail: "the assertion does not hold"}}
	}
	return ending{row: sandbox.Row{Outcome: sandbox.Passed}}
}

// evaluate gives an operand's value, or how the test ended instead.
func evaluate(suite *asserts.Suite, o *asserts.Operand, entry string, call caller) (plain.Value, *ending) {
	v := o.Literal
	if o.Call != nil {
		name := o.Call.Function
		if suite.Check && name == suite.Candidate {
			name = entry
			if suite.CallsWith != "" {
				name = suite.CallsWith
			}
		}
		a := call(name, o.Call.Args, o.Call.Kwargs)
		if e := refusal(&a, name); e != nil {
			return nil, e
		}
		v = a.Value
	}
	if o.Difference == nil {
		return v, nil
	}
	other, e := evaluate(suite, o.Difference, entry, call)
	if e != nil {
		return nil, e
	}
	d, err := pyvalue.AbsDifference(v, other)
	switch {
	case errors.Is(err, pyvalue.ErrObject):
		return nil, &ending{row: sandbox.Row{Outcome: sandbox.ForgedTest, Detail: err.Error()}, tamper: forgedObject}
	case err != nil:
		return nil, &ending{row: sandbox.Row{Outcome: sandbox.Errored, Detail: err.Error()}}
	}
	return d, nil
}

// refusal is how a test ended where a call gave no value.
func refusal(a *sandbox.Answer, name string) *ending {
	row := func(o sandbox.Outcome, format string, args ...any) sandbox.Row {
		return sandbox.Row{Outcome: o, Detail: fmt.Sprintf(format, args...)}
	}
	switch {
	case a.Gone:
		return &ending{row: row(sandbox.CandidGone, "the candidate ended in a call of %s", name), over: true}
	case a.Malformed != "":
		return &ending{row: row(sandbox.ForgedTest, "%s", a.Malformed), tamper: forgedResult, over: true}
	case a.Missing:
		return &ending{row: row(sandbox.Errored, "%s is not defined", name), absent: true}
	case a.Raised != nil:
		e := &ending{row: row(sandbox.Errored, "%s: %.200s", a.Raised.Name, a.Raised.Text), raised: a.Raised, tamper: tamperOf(a.Raised)}
		if e.tamper == earlyExit {
			e.row.Outcome, e.over = sandbox.CandidExit, true
		}
		return e
	}
	return nil
}

// holds evaluates a comparison as Python does.
func holds(op string, a, b plain.Value) (bool, error) {
	switch op {
	case "":
		return pyvalue.Truth(a)
	case "==":
		return pyvalue.Equal(a, b)
	case "!=":
		eq, err := pyvalue.Equal(a, b)
		return !eq && err == nil, err
	case "<":
		return pyvalue.Less(a, b)
	case "<=":
		return pyvalue.LessEqual(a, b)
	case ">":
		return pyvalue.Less(b, a)
	case ">=":
		return pyvalue.LessEqual(b, a)
	case "in":
		return pyvalue.In(a, b)
	case "not in":
		in, err := pyvalue.In(a, b)
		return !in && err == nil, err
	case "is", "is not":
		return identical(a, b) == (op == "is"), nil
	}
	return false, fmt.Errorf("the comparison %s", op)
}

// identical is a is b for b None, True or False, of which there is one each.
func identical(a, b plain.Value) bool {
	if b == nil {
		return a == nil
	}
	x, ok1 := a.(bool)
	y, ok2 := b.(bool)
	return ok1 && ok2 && x == y
}
