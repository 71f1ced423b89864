package rules

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Name is the verifier's.
const Name = "starlark"

const (
	maxSteps   = 1_000_000
	maxTime    = 50 * time.Millisecond
	maxProgram = 256 << 10
	maxResult  = 64 << 10 // bytes of what a program says
)

// Descriptor describes starlark.
func Descriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: Name, Summary: "a rule of your own: a Starlark program with def verify(row)",
		Options: []spec.Option{
			{Name: "program", Type: spec.Text, Required: true, Doc: "the program's text; host functions: math_equal, extract, json_parse, schema_valid, re_match, words, tool_calls"},
			{Name: "threshold", Type: spec.Number, Min: 0, Max: 1, Default: 1.0, Doc: "the reward from which a number or a dict without passed passes"},
			text.FieldsOption(),
		},
	}
}

const (
	verifySignature = "verify(row)"
	registration    = maxTime // of a program's top level

	// registrationWait is how long the first worker may take to start: the machine's isolation is tried before it.
	registrationWait = 30 * time.Second
)

type judge struct {
	verify    starlark.Callable // nil where it runs apart
	source    string
	apart     *Apart // nil where the program is trusted with this process's memory
	threshold float64
	fields    verdict.Fields
	within    time.Duration
}

// New runs the program's top level and finds verify. The error is a *spec.ProgramError.
func New(path string, v spec.Values) (verdict.Judge, error) {
	j, err := build(path, v, maxTime)
	if err != nil {
		return nil, err // a nil *judge in an interface would not be nil
	}
	return j, nil
}

// New is the package's New for a program that runs in a worker, its top level too. Digest and verdicts are the same.
func (a *Apart) New(path string, v spec.Values) (verdict.Judge, error) {
	threshold, _ := v.Number("threshold")
	j := &judge{apart: a, source: v.String("program"), threshold: threshold, fields: text.FieldsOf(v), within: maxTime}
	if len(j.source) > maxProgram {
		return nil, &spec.ProgramError{Path: path, Err: fmt.Errorf("%d bytes, at most %d", len(j.source), maxProgram)}
	}
	ctx, cancel := context.WithTimeout(context.Background(), registrationWait)
	defer cancel()
	got, err := a.ask(ctx, &question{Source: j.source, Within: registration, Only: true})
	switch {
	case errors.Is(err, errMemory), errors.Is(err, errLate):
		return nil, &spec.ProgramError{Path: path, Err: err}
	case err != nil:
		return nil, err
	case got.Failed != "":
		return nil, &spec.ProgramError{Path: path, Err: errors.New(got.Failed)}
	}
	return j, nil
}

func build(path string, v spec.Values, within time.Duration) (*judge, error) {
	verify, err := load(path, v.String("program"), verifySignature, within)
	if err != nil {
		return nil, err
	}
	threshold, _ := v.Number("threshold")
	return &judge{verify: verify, source: v.String("program"), threshold: threshold, fields: text.FieldsOf(v), within: within}, nil
}

// load runs a program's top level and finds its function, named with its parameters.
func load(path, source, signature string, within time.Duration) (*starlark.Function, error) {
	globals, err := globalsOf(path, source, within)
	if err != nil {
		return nil, err
	}
	refuse := func(err error) (*starlark.Function, error) { return nil, &spec.ProgramError{Path: path, Err: err} }
	name, parameters, _ := strings.Cut(signature, "(")
	f, ok := globals[name].(*starlark.Function)
	if !ok {
		return refuse(errors.New("there is no def " + signature))
	}
	if want := strings.Count(parameters, ",") + 1; f.NumParams() != want {
		return refuse(fmt.Errorf("want def %s, with %d parameters", signature, want))
	}
	return f, nil
}

// globalsOf runs a program's top level. What it leaves is frozen: calls run at once and must not tell each other anything.
func globalsOf(path, source string, within time.Duration) (starlark.StringDict, error) {
	if len(source) > maxProgram {
		return nil, &spec.ProgramError{Path: path, Err: fmt.Errorf("%d bytes, at most %d", len(source), maxProgram)}
	}
	host, err := hostOf()
	if err != nil {
		return nil, err
	}
	thread, stop := limited("registration", within)
	defer stop()
	globals, err := starlark.ExecFileOptions(&syntax.FileOptions{Set: true, While: true, TopLevelControl: true}, thread, "program", source, host)
	if err != nil {
		return nil, &spec.ProgramError{Path: path, Err: explain(err)}
	}
	globals.Freeze()
	return globals, nil
}

// limited is a thread that ends by steps or time; stop frees its timer.
func limited(name string, within time.Duration) (t *starlark.Thread, stop func()) {
	t = &starlark.Thread{Name: name, Print: func(*starlark.Thread, string) {}}
	t.SetMaxExecutionSteps(maxSteps)
	timer := time.AfterFunc(within, func() { t.Cancel(overTime) })
	return t, func() { timer.Stop() }
}

const overTime = "time limit"

// Judge calls verify with the row and the response in it.
func (j *judge) Judge(c *verdict.Candidate) verdict.Verdict {
	return j.JudgeContext(context.Background(), c)
}

// JudgeContext is Judge; in a worker where the program runs apart.
func (j *judge) JudgeContext(ctx context.Context, c *verdict.Candidate) verdict.Verdict {
	response, err := j.fields.Read(c)
	if err != nil {
		return verdict.Unscore(Name, verdict.BadRow, err.Error())
	}
	if j.apart != nil {
		return j.away(ctx, c, response)
	}
	out, a := call(j.verify, c, response, j.within)
	if a != nil {
		v, _ := j.without(a)
		return v
	}
	return j.read(out)
}

// Waits is false: also a worker answers at once, and takes a core while it does.
func (*judge) Waits() bool { return false }

// without is the verdict on a program that returned nothing; failed is false where it did.
func (j *judge) without(a *answer) (v verdict.Verdict, failed bool) {
	switch {
	case a.Row != "":
		return verdict.Unscore(Name, verdict.BadRow, a.Row), true
	case a.Late:
		v := verdict.Unscore(Name, verdict.Deadline, fmt.Sprintf("the program took more than %s", j.within))
		v.Note("time_dependent", verdict.Info, "the time limit of the program passed")
		return v, true
	case a.Failed != "":
		return verdict.Unscore(Name, verdict.BadSpec, verdict.Printable(a.Failed)), true
	}
	return verdict.Verdict{}, false
}

func tooSlow(err error) bool {
	var e *starlark.EvalError
	return errors.As(err, &e) && e.Msg == "Starlark computation cancelled: "+overTime
}

// explain adds the place to an error of the program.
func explain(err error) error {
	var e *starlark.EvalError
	if !errors.As(err, &e) {
		return err
	}
	for i := len(e.CallStack) - 1; i >= 0; i-- {
		if at := e.CallStack[i].Pos; at.Filename() == "program" {
			return fmt.Errorf("line %d: %s", at.Line, e.Msg)
		}
	}
	return errors.New(e.Msg)
}
