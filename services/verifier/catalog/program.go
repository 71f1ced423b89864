package catalog

import (
	"context"

	"github.com/provenir/provenir/services/verifier/code"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// program is the verifier of code as a judge among the others.
type program struct{ verifier *code.Verifier }

// Judge has no deadline but the job's own limits.
func (p program) Judge(c *verdict.Candidate) verdict.Verdict {
	return p.JudgeContext(context.Background(), c)
}

// Waits is true: a job runs in the sandbox.
func (program) Waits() bool { return true }

// JudgeContext kills the job when ctx ends.
func (p program) JudgeContext(ctx context.Context, c *verdict.Candidate) verdict.Verdict {
	j := p.verifier.JudgeContext(ctx, c)
	v := j.Verdict
	if e := j.Execution; e != nil {
		v.Execution = &verdict.Execution{
			Tier: int(e.Tier), Language: e.Language, Interpreter: e.Interpreter, Limit: string(e.Limit), Tamper: e.Tamper,
			TestsRun: e.TestsRun, TestsPassed: e.TestsPassed, Truncated: e.Truncated, ExitCode: e.ExitCode, Signal: e.Signal,
		}
		v.Run = &verdict.Run{Stdout: j.Stdout, Stderr: j.Stderr, Wall: j.Usage.Wall, CPU: j.Usage.CPU, MaxRSS: j.Usage.MaxRSS}
	}
	v.HeldOut = j.HeldOut
	return v
}
