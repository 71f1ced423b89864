package rules

import (
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

type judge struct {
	verify    starlark.Callable
	threshold float64
	fields    verdict.Fields
	within    time.Duration
}

// New runs the program's top level and finds verify. The error is a *spec.ProgramError.
func New(path string, v spec.Values) (verdict.Judge, error) { return build(path, v, maxTime) }

func build(path string, v spec.Values, within time.Duration) (verdict.Judge, error) {
	verify, err := load(path, v.String("program"), "verify(row)", within)
	if err != nil {
		return nil, err
	}
	threshold, _ := v.Number("threshold")
	return &judge{verify: verify, threshold: threshold, fields: text.FieldsOf(v), within: within}, nil
}

// load runs a program's top level and finds its function, named with its parameters.
func load(path, source, signature string, within time.Duration) (*starlark.Function, error) {
	refuse := func(err error) (*starlark.Function, error) { return nil, &spec.ProgramError{Path: path, Err: err} }
	if len(source) > maxProgram {
		return refuse(fmt.Errorf("%d bytes, at most %d", len(source), maxProgram))
	}
	host, err := hostOf()
	if err != nil {
		return nil, err
	}
	thread, stop := limited("registration", within)
	defer stop()
	globals, err := starlark.ExecFileOptions(&syntax.FileOptions{Set: true, While: true, TopLevelControl: true}, thread, "program", source, host)
	if err != nil {
		return refuse(explain(err))
	}
	globals.Freeze() // verdicts run at once and must not tell each other anything
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
	response, err := j.fields.Read(c)
	if err != nil {
		return verdict.Unscore(Name, verdict.BadRow, err.Error())
	}
	row, err := rowOf(c, response)
	if err != nil {
		return verdict.Unscore(Name, verdict.BadRow, err.Error())
	}
	thread, stop := limited("verify", j.within)
	defer stop()
	out, err := starlark.Call(thread, j.verify, starlark.Tuple{row}, nil)
	if err != nil {
		return j.failed(err)
	}
	return j.read(out)
}

// failed is the verdict on a program that ended with an error.
func (j *judge) failed(err error) verdict.Verdict {
	if tooSlow(err) {
		v := verdict.Unscore(Name, verdict.Deadline, fmt.Sprintf("the program took more than %s", j.within))
		v.Note("time_dependent", verdict.Info, "the time limit of the program passed")
		return v
	}
	return verdict.Unscore(Name, verdict.BadSpec, verdict.Printable(explain(err).Error()))
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
