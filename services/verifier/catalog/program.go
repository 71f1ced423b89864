package catalog

import (
	"context"
	"time"

	"github.com/provenir/provenir/services/verifier/code"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Wall is the longest wall time that a candidate may take by the spec's own limits; 0 where none runs.
func (c *Compiled) Wall() time.Duration { return wall(&c.Spec) }

func wall(r *spec.Resolved) time.Duration {
	longest := time.Duration(0)
	if seconds, ok := r.Options.Number("timeout"); ok && r.Name == code.Name {
		longest = time.Duration(seconds * float64(time.Second))
	}
	for i := range r.Members {
		longest = max(longest, wall(&r.Members[i]))
	}
	return longest
}

// runsCode says whether a spec runs code, and whether that may see packages.
func runsCode(s *spec.Spec) (runs, packages bool) {
	if s.Name == code.Name {
		runs = true
		packages = s.Options["site_packages"] == true || s.Options["site_packages"] == "true"
	}
	for i := range s.Members {
		r, p := runsCode(&s.Members[i])
		runs, packages = runs || r, packages || p
	}
	return runs, packages
}

// program is the verifier of code as a judge among the others.
type program struct {
	verifier *code.Verifier
	binary   string // SHA-256 of the interpreter that the verifier's digest names
}

// VerifierChanged is the finding of a verdict that another verifier gave than the one that was registered.
const VerifierChanged = "verifier_changed"

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
		if e.Binary != "" && p.binary != "" && e.Binary != p.binary {
			const detail = "the interpreter was replaced while the run was alive"
			v.Note(VerifierChanged, verdict.Critical, detail)
			if j.HeldOut != nil {
				j.HeldOut.Note(VerifierChanged, verdict.Critical, detail)
			}
		}
		v.Run = &verdict.Run{Stdout: j.Stdout, Stderr: j.Stderr, Wall: j.Usage.Wall, CPU: j.Usage.CPU, MaxRSS: j.Usage.MaxRSS}
	}
	v.HeldOut = j.HeldOut
	return v
}
