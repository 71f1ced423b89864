package code

import (
	"context"
	"errors"

	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Verifier judges code. It is safe for concurrent use.
type Verifier struct {
	opt     options
	run     Runner
	missing error // why the isolation that is asked for is not there
}

// New makes one. The error is a *spec.BadSpecError.
func New(path string, v spec.Values, run Runner) (*Verifier, error) {
	opt, err := readOptions(path, v)
	if err != nil {
		return nil, err
	}
	made := &Verifier{opt: opt, run: run}
	if opt.isolation == "gvisor" {
		made.run, made.missing = kernelOfItsOwn(run)
	}
	return made, nil
}

// Judge is JudgeContext without a deadline of the caller's: the job's own limits bound it.
func (v *Verifier) Judge(c *verdict.Candidate) verdict.Verdict {
	return v.JudgeContext(context.Background(), c).Verdict
}

// JudgeContext judges a candidate. When ctx ends the job is dead, and the verdict is unscored.
func (v *Verifier) JudgeContext(ctx context.Context, c *verdict.Candidate) Judgement {
	j, err := v.judge(ctx, c)
	if errors.Is(err, sandbox.ErrSandbox) && ctx.Err() == nil { // once more, with another zygote
		j, err = v.judge(ctx, c)
	}
	if err != nil {
		return Judgement{Verdict: unscored(err)}
	}
	return j
}

func (v *Verifier) judge(ctx context.Context, c *verdict.Candidate) (Judgement, error) {
	if v.missing != nil {
		return Judgement{}, bad(verdict.IsolationUnavailable, "isolation=gvisor: %v", v.missing)
	}
	t, err := v.opt.readTask(c.Row)
	if err != nil {
		return Judgement{}, err
	}
	source, err := v.source(c, t.entry)
	if err != nil {
		return Judgement{}, err
	}
	if source.Source == "" {
		return Judgement{Verdict: verdict.Fail(Name, "no_code")}, nil
	}
	var j Judgement
	if v.opt.task == "stdio" {
		j, err = v.stdio(ctx, source.Source, t)
	} else {
		j, err = v.tests(ctx, source.Source, t)
	}
	if err != nil {
		return j, err
	}
	j.Verdict.Extracted = verdict.Printable(source.Source)
	if source.Unterminated {
		j.Verdict.Note("unterminated_fence", verdict.Info, "the code's fence is never closed")
	}
	return j, nil
}

// source is the program: a column that fields.response names is taken as it is, a response is searched for its code.
func (v *Verifier) source(c *verdict.Candidate, entry string) (Extracted, error) {
	s, err := v.opt.fields.Read(c)
	if err != nil {
		return Extracted{}, bad(verdict.BadRow, "%v", err)
	}
	if v.opt.fields.Response != "" {
		return Extracted{Source: s}, nil
	}
	return Extract(s, v.opt.language, entry), nil
}

// tests judges functions, by Go or by a judge process.
func (v *Verifier) tests(ctx context.Context, source string, t *task) (Judgement, error) {
	p := v.opt.plan(t)
	var o *observed
	var err error
	if p.suites != nil {
		o, err = v.byGo(ctx, source, t, &p)
	} else {
		o, err = v.byJudge(ctx, source, t, &p)
	}
	if err != nil {
		return Judgement{}, err
	}
	o.settle()
	visible, total := o.part(false)
	j := Judgement{
		Verdict: o.score(&v.opt, visible, total), Execution: o.execution(visible), Tests: visible,
		Stdout: o.result.Stdout, Stderr: o.result.Stderr, Usage: o.result.Usage,
	}
	if hidden, n := o.part(true); n > 0 {
		held := o.score(&v.opt, hidden, n)
		if j.Verdict.Passed() && !held.Passed() {
			held.Note("special_cased", verdict.Warn, "the visible tests pass and hidden ones fail")
		}
		j.HeldOut = &held
	}
	return j, nil
}

// byGo asks the candidate for results and compares them here.
func (v *Verifier) byGo(ctx context.Context, source string, t *task, p *plan) (*observed, error) {
	s, load, err := v.run.Open(ctx, v.job(source, nil))
	if err != nil {
		return nil, err
	}
	o := &observed{load: load, names: p.names()}
	gone := load.Gone
	if load == (sandbox.Load{}) {
		for i, suite := range p.suites {
			e := judgeTest(p.tests[i].Name, suite, t.entry, s.Call)
			o.rows = append(o.rows, e.row)
			o.note(e.tamper)
			o.absent = o.absent || e.absent
			if o.raised == nil {
				o.raised = e.raised
			}
			if gone = e.row.Outcome == sandbox.CandidGone; e.over {
				break
			}
		}
	}
	why := o.raised
	if load.Raised != nil {
		why = load.Raised
	}
	o.result, err = s.Close(why, gone)
	return o, err
}

// byJudge lets a judge process run the tests.
func (v *Verifier) byJudge(ctx context.Context, source string, t *task, p *plan) (*observed, error) {
	suite := &sandbox.Suite{Mode: v.opt.task, Entry: t.entry, Module: v.opt.module, Objects: v.opt.objects, Tests: p.tests}
	j, err := v.run.Judge(ctx, v.job(source, nil), suite)
	if err != nil {
		return nil, err
	}
	switch {
	case j.Refused != "":
		return nil, bad(refusals[j.Refused], "%s", j.Detail)
	case j.JudgeFailed != "" && j.Limit == sandbox.NoLimit:
		return nil, bad(verdict.JudgeError, "%s", j.JudgeFailed)
	}
	o := &observed{result: j.Result, load: j.Load, rows: j.Rows, names: j.Collected, flags: j.Flags}
	if len(o.names) == 0 { // the module did not load, so the judge was not asked
		o.names = p.names()
	}
	for _, k := range j.Tamper {
		o.note(k)
	}
	return o, nil
}

var refusals = map[string]verdict.Reason{"bad_tests": verdict.BadTests, "no_tests": verdict.NoTests, "tests_unsupported": verdict.TestsUnsupported}

// unscored sorts an error into its reason: none of these is the candidate's fault.
func unscored(err error) verdict.Verdict {
	var row *rowError
	var isolation *sandbox.IsolationError
	var layout *sandbox.LayoutError
	reason := verdict.SandboxError
	switch {
	case errors.As(err, &row):
		v := verdict.Unscore(Name, row.reason, row.detail)
		if row.reason == verdict.Deadline {
			v.Note("time_dependent", verdict.Info, row.detail)
		}
		return v
	case errors.Is(err, context.DeadlineExceeded):
		v := verdict.Unscore(Name, verdict.Deadline, "the deadline passed before the verdict; the job is dead")
		v.Note("time_dependent", verdict.Info, "deadline")
		return v
	case errors.Is(err, context.Canceled):
		return verdict.Unscore(Name, verdict.Cancelled, "the caller went away; the job is dead")
	case errors.As(err, &isolation):
		reason = verdict.IsolationUnavailable
	case errors.As(err, &layout), errors.Is(err, sandbox.ErrLanguage):
		reason = verdict.LanguageUnavailable
	case errors.Is(err, sandbox.ErrLimits):
		reason = verdict.BadSpec
	}
	return verdict.Unscore(Name, reason, err.Error())
}
