package code

import (
	"context"
	"fmt"

	"github.com/provenir/provenir/services/verifier/sandbox"
)

// stdio runs the program once for each input and compares what it printed, here. Expected text never enters the sandbox.
func (v *Verifier) stdio(ctx context.Context, source string, t *task) (Judgement, error) {
	o := &observed{}
	for i, p := range t.pairs {
		r, err := v.run.Run(ctx, v.job(source, []byte(p.stdin)))
		if err != nil {
			return Judgement{}, err
		}
		row, failed, err := v.compare(i, &r, p)
		if err != nil {
			return Judgement{}, err
		}
		if i == 0 || failed && o.result.Limit == sandbox.NoLimit {
			usage := o.result.Usage
			o.result = r // of the first run that failed in some way that has a name
			o.result.Usage.CPU += usage.CPU
			o.result.Usage.Wall += usage.Wall
		} else {
			o.result.Usage.CPU += r.Usage.CPU
			o.result.Usage.Wall += r.Usage.Wall
		}
		if r.Leftover {
			o.note(leftoverProcess)
		}
		o.rows = append(o.rows, row)
		if r.CompileError != "" || r.Limit == sandbox.SecurityViolation {
			break // no other run can change the verdict
		}
	}
	return Judgement{
		Verdict: o.score(&v.opt, o.rows, len(t.pairs)), Execution: o.execution(o.rows), Tests: o.rows,
		Stdout: o.result.Stdout, Stderr: o.result.Stderr, Usage: o.result.Usage,
	}, nil
}

// job is a run of the candidate's program by the spec's rules.
func (v *Verifier) job(source string, stdin []byte) sandbox.Job {
	return sandbox.Job{Language: v.opt.language, Source: source, Stdin: stdin, Limits: v.opt.limits, SitePackages: v.opt.sitePackages}
}

func (v *Verifier) compare(i int, r *sandbox.Result, p pair) (row sandbox.Row, failed bool, err error) {
	row = sandbox.Row{Test: fmt.Sprintf("stdin[%d]", i), Outcome: sandbox.Errored}
	switch {
	case r.Limit != sandbox.NoLimit:
		row.Detail = string(r.Limit)
	case r.CompileError != "":
		row.Detail = "it does not compile"
	case r.Signal != 0:
		row.Detail = fmt.Sprintf("it was ended by signal %d", r.Signal)
	case r.ExitCode != 0 && v.opt.exitCode:
		row.Detail = fmt.Sprintf("exit code %d", r.ExitCode)
	default:
		var same bool
		if same, err = v.opt.compare.Judge(string(r.Stdout), p); same {
			row.Outcome = sandbox.Passed
		} else {
			row.Outcome, row.Detail = sandbox.Failed, "another output is expected"
		}
	}
	return row, row.Outcome != sandbox.Passed, err
}
