package verdict

import (
	"context"
	"time"
)

// Waiter is a judge that waits for something outside: a sandbox, another process. It ends with its context, and it does
// not count among those that share the cores.
type Waiter interface {
	Judge
	// Waits says whether it really does; a composite does where a member does.
	Waits() bool
	// JudgeContext judges until ctx ends, which gives an unscored verdict.
	JudgeContext(ctx context.Context, c *Candidate) Verdict
}

// Within asks a judge, with the context where it takes one.
func Within(ctx context.Context, j Judge, c *Candidate) Verdict {
	if w, ok := j.(Waiter); ok {
		return w.JudgeContext(ctx, c)
	}
	return j.Judge(c)
}

// Waits says whether a judge waits for something outside.
func Waits(j Judge) bool {
	w, ok := j.(Waiter)
	return ok && w.Waits()
}

// Execution is what running code did, as far as it repeats.
type Execution struct {
	Tier                  int
	Language, Interpreter string
	Limit                 string
	Tamper                []string
	TestsRun, TestsPassed int
	Truncated             bool
	ExitCode, Signal      int
}

// Run is what differs on a repeat: output, and what it took. It is recorded beside the verdict.
type Run struct {
	Stdout, Stderr []byte
	Wall, CPU      time.Duration
	MaxRSS         int64 // bytes
}
