package toolcall

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Name is the verifier's.
const Name = "tool_call"

// Descriptor describes tool_call.
func Descriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: Name, Summary: "the response makes the tool calls that were asked for, in any of 23 formats",
		Options: []spec.Option{
			{Name: "format", Type: spec.Choice, Allowed: append([]string{"auto"}, Formats()...), Default: "auto", Doc: "how calls are written; auto looks for marks first, then for the shape of JSON, then for Python calls"},
			{Name: "mode", Type: spec.Choice, Allowed: []string{"schema", "bfcl", "strict"}, Default: "schema",
				Doc: "schema: arguments are valid, and match the column expected where there is one; bfcl: as the Berkeley Function-Calling Leaderboard; strict: exactly the calls of expected"},
			{Name: "expect", Type: spec.Choice, Allowed: []string{"calls", "none", "malformed"}, Default: "calls", Doc: "what the response should hold; a row's column expect goes before it"},
			{Name: "order", Type: spec.Choice, Allowed: []string{"any", "ordered"}, Default: "any", Doc: "whether the order of calls counts"},
			{Name: "tools", Type: spec.Document, Doc: "the functions, where rows bring none in their column tools"},
			{Name: "forbidden", Type: spec.Texts, Doc: "functions that must not be called"},
			{Name: "unique_ids", Type: spec.Flag, Default: false, Doc: "two calls must not share an id"},
			{Name: "extra_prose", Type: spec.Choice, Allowed: []string{"allow", "forbid"}, Default: "allow", Doc: "text beside the calls"},
			{Name: "partial", Type: spec.Flag, Default: false, Doc: "pay matched calls over all calls, expected or made"},
			text.FieldsOption(),
		},
	}
}

type judge struct {
	format, mode, expect   string
	ordered, unique, terse bool
	partial                bool
	forbidden              []string
	tools                  Tools // nil: each row brings its own
	checkers               checkers
	fields                 verdict.Fields
}

// New makes a tool_call verifier. The error is a *spec.BadSpecError or *spec.SchemaError.
func New(path string, v spec.Values) (verdict.Judge, error) {
	j := &judge{
		format: v.String("format"), mode: v.String("mode"), expect: v.String("expect"), ordered: v.String("order") == "ordered",
		unique: v.Flag("unique_ids"), terse: v.String("extra_prose") == "forbid", partial: v.Flag("partial"),
		forbidden: v.Texts("forbidden"), fields: text.FieldsOf(v),
	}
	if raw := v.String("tools"); raw != "" {
		tools, err := ReadTools([]byte(raw))
		if err != nil {
			return nil, &spec.BadSpecError{Path: path, Field: "tools", Value: err.Error(), Allowed: "a list of functions with name and parameters"}
		}
		for _, name := range sortedKeys(tools) {
			if _, err := j.checkers.get(tools[name]); err != nil {
				return nil, err
			}
		}
		j.tools = tools
	}
	return j, nil
}

// Judge reads the calls and compares them.
func (j *judge) Judge(c *verdict.Candidate) verdict.Verdict {
	response, err := j.fields.Read(c)
	if err != nil {
		return verdict.Unscore(Name, verdict.BadRow, err.Error())
	}
	task, reason, err := j.task(c.Row)
	if err != nil {
		return verdict.Unscore(Name, reason, err.Error())
	}
	p := Parse(response, j.format, task.tools)
	v := j.decide(p, task)
	v.Extracted = verdict.Printable(Describe(p.Calls))
	if p.Outcome == Malformed {
		v.Note("malformed", verdict.Info, verdict.Printable(p.Format+": "+p.Reason))
	}
	return v
}

// task is what a row asks for.
type task struct {
	expect   string
	tools    Tools
	expected []expectation
	compare  bool // there is something to compare with
}

// errNothing is a row that says nothing to compare with in a mode that compares.
var errNothing = errors.New("the row has no column expected, and this mode compares with it")

func (j *judge) task(row verdict.Row) (t task, reason verdict.Reason, err error) {
	t = task{expect: j.expect, tools: j.tools}
	if raw, ok := row.Get("expect"); ok {
		if t.expect, err = verdict.Text(raw); err != nil || !slices.Contains([]string{"calls", "none", "malformed"}, t.expect) {
			return t, verdict.BadRow, fmt.Errorf("column expect is %s; want calls, none or malformed", raw)
		}
	}
	if raw, ok := row.Get("tools"); ok {
		if t.tools, err = ReadTools(raw); err != nil {
			return t, verdict.BadRow, err
		}
	}
	raw, ok := row.Get("expected")
	if ok && string(raw) != "null" {
		if t.expected, err = readExpected(raw); err != nil {
			return t, verdict.BadReference, err
		}
		t.compare = true
	}
	if t.expect != "calls" {
		return t, 0, nil
	}
	switch {
	case t.compare && len(t.expected) == 0:
		return t, verdict.BadReference, errors.New("expected is empty; for a response without calls say expect=none")
	case !t.compare && j.mode != "schema":
		return t, verdict.BadReference, errNothing
	case t.tools == nil && j.mode != "strict":
		return t, verdict.BadRow, errors.New("the row has no column tools, and the spec has none either")
	}
	return t, 0, nil
}

func (j *judge) decide(p Parsed, t task) verdict.Verdict {
	switch {
	case t.expect == "none" && p.Outcome == None:
		return verdict.Pass(Name, "no_call")
	case t.expect == "malformed" && p.Outcome == Malformed:
		return verdict.Pass(Name, "malformed")
	case p.Outcome == Malformed:
		return verdict.Fail(Name, "malformed")
	case p.Outcome == None:
		return verdict.Fail(Name, "no_call")
	case t.expect != "calls":
		return verdict.Fail(Name, "unexpected_call")
	}
	if f := j.rules(p); f != nil {
		return refused(f)
	}
	if j.mode == "schema" {
		f, err := j.valid(p.Calls, t.tools)
		if err != nil {
			return verdict.Unscore(Name, verdict.BadRow, err.Error())
		}
		if f != nil {
			return refused(f)
		}
		if !t.compare {
			return verdict.Pass(Name, "calls_match")
		}
	}
	return j.compare(p.Calls, t)
}

// rules are those that need no comparison.
func (j *judge) rules(p Parsed) *failure {
	ids := map[string]bool{}
	for _, c := range p.Calls {
		if slices.Contains(j.forbidden, c.Name) {
			return fail("forbidden_tool", "%s must not be called", c.Name)
		}
		if j.unique && c.ID != "" && ids[c.ID] {
			return fail("duplicate_id", "two calls have the id %q", c.ID)
		}
		ids[c.ID] = true
	}
	if j.terse && p.Prose {
		return fail("extra_prose", "text stands beside the calls")
	}
	return nil
}

func refused(f *failure) verdict.Verdict {
	v := verdict.Fail(Name, f.reason)
	v.Note("difference", verdict.Info, verdict.Printable(f.detail))
	return v
}

// Describe writes calls in one line, for people.
func Describe(calls []Call) string {
	var out strings.Builder
	for i, c := range calls {
		if i > 0 {
			out.WriteString("; ")
		}
		out.WriteString(c.Name + jsonText(c.Arguments))
	}
	return out.String()
}
