package code

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Judgement is a verdict with what is beside it.
type Judgement struct {
	Verdict   verdict.Verdict
	HeldOut   *verdict.Verdict // of the hidden tests, for the recorder only; nil where there are none
	Execution *Execution       // nil where nothing was run
	Tests     []sandbox.Row    // of the visible tests, with details that may differ on a repeat
	Stdout    []byte
	Stderr    []byte
	Usage     sandbox.Usage
}

// Execution is what repeats of a run: it belongs to the verdict.
type Execution struct {
	Tier        sandbox.Tier
	Language    string
	Interpreter string
	Binary      string // SHA-256 of the interpreter that ran it; empty where none of Python's did
	Limit       sandbox.Limit
	Tamper      []string
	TestsRun    int
	TestsPassed int
	Truncated   bool
	ExitCode    int
	Signal      int
}

// score makes the verdict of the tests [from, to) of total.
func (o *observed) score(opt *options, rows []sandbox.Row, total int) verdict.Verdict {
	passed, skipped, first := count(rows)
	s := verdict.Scored{Passed: passed == total && !o.forces()}
	switch {
	case o.forces():
	case s.Passed:
		s.Reward = 1
	case opt.partial:
		s.Reward = float64(passed) / float64(total)
	}
	s.Reason = o.reason(s.Passed, first)
	weight := 1 / float64(total)
	for i := range total {
		c := verdict.Component{Name: fmt.Sprintf("tests[%d]", i), Op: "test", Weight: &weight}
		if i < len(rows) {
			c.Name = rows[i].Test
			if rows[i].Outcome == sandbox.Passed {
				c.Value = 1
			}
		}
		s.Components = append(s.Components, c)
	}
	v := verdict.Score(Name, s, verdict.Range{})
	o.find(&v, first)
	if skipped > 0 { // the tests' own doing: whoever brings a test to skip itself is not paid for it, and not accused either
		v.Note(skippedTests, verdict.Warn, fmt.Sprintf("%d of %d tests were skipped or expected to fail, which is no pass", skipped, total))
	}
	return v
}

// count says how many tests passed and how many were skipped, and which was the first that did not pass: one that failed,
// before one that was skipped.
func count(rows []sandbox.Row) (passed, skipped int, first *sandbox.Row) {
	for i := range rows {
		switch outcome := rows[i].Outcome; {
		case outcome == sandbox.Passed:
			passed++
			continue
		case outcome == sandbox.Skipped:
			skipped++
		}
		if first == nil || first.Outcome == sandbox.Skipped && rows[i].Outcome != sandbox.Skipped {
			first = &rows[i]
		}
	}
	return passed, skipped, first
}

// reason is the stable name of what failed the candidate.
func (o *observed) reason(passed bool, first *sandbox.Row) string {
	limit := o.result.Limit
	switch {
	case passed:
		return "ok"
	case limit == sandbox.SecurityViolation:
		return string(limit)
	case o.forces():
		return "tampered"
	case limit != sandbox.NoLimit:
		return string(limit)
	case o.load.CompileError != "" || o.result.CompileError != "":
		return "compile_error"
	case o.load.Raised != nil || o.load.Gone:
		return "runtime_error"
	case o.absent:
		return "entry_point_missing"
	case first != nil && first.Outcome == sandbox.Skipped:
		return skippedTests
	case first != nil && (first.Outcome == sandbox.Failed || first.Outcome == sandbox.Passed):
		return "wrong_answer"
	}
	return "runtime_error"
}

// find writes the findings.
func (o *observed) find(v *verdict.Verdict, first *sandbox.Row) {
	for _, k := range o.tamper {
		severity := verdict.Critical
		if k == leftoverProcess {
			severity = verdict.Warn
		}
		v.Note(k, severity, "")
	}
	for _, f := range o.flags {
		severity := verdict.Info
		if f == candidateHelper {
			severity = verdict.Warn // the tests use a function of the candidate's beside the entry point, and believe it
		}
		v.Note(f, severity, "")
	}
	switch o.result.Limit {
	case sandbox.NoLimit:
	case sandbox.SecurityViolation:
		v.Note(string(o.result.Limit), verdict.Critical, "a system call that no honest program makes")
	case sandbox.Timeout, sandbox.CPULimit:
		v.Note("time_dependent", verdict.Info, string(o.result.Limit))
	}
	if detail := o.detail(first); detail != "" {
		v.Note("failed_test", verdict.Info, detail)
	}
}

// detail is what may stand in a verdict: nothing that the candidate writes while it runs, which may be a clock.
func (o *observed) detail(first *sandbox.Row) string {
	switch {
	case o.load.CompileError != "":
		return verdict.Printable(o.load.CompileError)
	case o.result.CompileError != "":
		return verdict.Printable(temporary.ReplaceAllString(o.result.CompileError, "/box/cc"))
	case o.load.Raised != nil:
		return verdict.Printable("loading it raised " + o.load.Raised.Name)
	case first != nil && first.Outcome == sandbox.Errored && o.raised != nil:
		return verdict.Printable(first.Test + ": it raised " + o.raised.Name)
	case first != nil && first.Outcome == sandbox.Errored:
		kind, _, _ := strings.Cut(first.Detail, ":")
		return verdict.Printable(first.Test + ": " + kind)
	case first != nil:
		return first.Test + ": " + string(first.Outcome)
	}
	return ""
}

// temporary is a file that a compiler names anew each time.
var temporary = regexp.MustCompile(`/box/cc[A-Za-z0-9]{6}`)

func (o *observed) execution(rows []sandbox.Row) *Execution {
	e := &Execution{
		Tier: o.result.Tier, Language: o.result.Language, Interpreter: o.result.Interpreter, Binary: o.result.Binary, Limit: o.result.Limit, Tamper: o.tamper,
		TestsRun: len(rows), Truncated: o.result.Truncated, ExitCode: o.result.ExitCode, Signal: o.result.Signal,
	}
	for _, r := range rows {
		if r.Outcome == sandbox.Passed {
			e.TestsPassed++
		}
	}
	return e
}
