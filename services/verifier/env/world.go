package env

import (
	"context"
	"errors"

	"github.com/provenir/provenir/services/verifier/verdict"
)

// World is the state of one episode. Only its session calls it, one call at a time.
type World interface {
	Task() Task
	// Act carries out a call whose arguments the tool's schema accepts. An error is shown to the policy and counts against
	// its allowance; then nothing has changed. It must end soon after ctx does. ErrBroken says that the fault is ours.
	Act(ctx context.Context, tool string, args map[string]any) (string, error)
	// Progress is how much of the task is done, from 0 to 1; credit by turn is made of its differences. The policy never
	// sees it.
	Progress() float64
}

// Task is what an episode is about.
type Task struct {
	ID        string
	Prompt    string // what the policy is given
	Reference string // the answer; the policy never sees it
	Row       string // further columns for the verifier, as a JSON object
	Spec      string // judges the final answer; empty where the world itself judges
}

// Judging is a world that judges by its own state, as a database that must look right in the end. What the policy claims
// to have done is no evidence.
type Judging interface {
	Verdict(answer string) verdict.Verdict
}

// Judge gives the verdict on a final answer by the task's spec.
type Judge func(ctx context.Context, t Task, answer string) verdict.Verdict

// ErrBroken is wrapped by what a tool reports when it cannot work: the episode ends without a reward.
var ErrBroken = errors.New("the tool is broken")
