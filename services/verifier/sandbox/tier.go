package sandbox

import (
	"errors"
	"fmt"
)

// Tier is how much stands between a job and the host.
type Tier int

// The tiers. T1 and T0 are used only where Config.AllowUnsandboxed asks for them, T4 only where it is asked for.
const (
	T0 Tier = iota // a plain process with limits
	T1             // system calls, Landlock, limits
	T2             // and namespaces
	T3             // and control groups for each job
	T4             // and a kernel of its own
)

func (t Tier) String() string { return fmt.Sprintf("T%d", int(t)) }

// Errors that callers branch on.
var (
	// ErrSandbox is a fault of ours or of the machine: nothing is known of the job. It may be tried again.
	ErrSandbox = errors.New("the sandbox failed")
	// ErrClosed is a pool after Close.
	ErrClosed = errors.New("the sandbox is closed")
	// ErrLanguage is a language that this machine or build cannot run.
	ErrLanguage = errors.New("the language is not available")
	// ErrLimits is a job whose limits make no sense.
	ErrLimits = errors.New("bad limits")
)

// IsolationError refuses to run anything, because the machine offers less than Config.MinTier.
type IsolationError struct{ Report *Report }

// below2 tells whoever reads a refusal of the one way below T2.
const below2 = "to run programs all the same, judge on a machine where they can do no harm and call verify with --allow-unsandboxed"

func (e *IsolationError) Error() string {
	s := fmt.Sprintf("isolation of %v was observed and %v is the minimum", e.Report.Tier, e.Report.MinTier)
	said := map[string]bool{}
	for _, l := range e.Report.Layers {
		if l.State == Unavailable && !said[l.Reason] {
			said[l.Reason] = true
			s += fmt.Sprintf("; %s: %s", l.Name, l.Reason)
		}
	}
	for _, p := range e.Report.Probes {
		if !p.Contained {
			s += fmt.Sprintf("; probe %s: %s", p.Name, p.Observed)
		}
	}
	for _, r := range e.Report.Remedies {
		s += "; " + r
	}
	return s
}

// LayoutError is an interpreter that cannot be shown to a job without showing more than it.
type LayoutError struct{ Path, Reason string }

func (e *LayoutError) Error() string {
	return fmt.Sprintf("the interpreter %s cannot be used in the sandbox: %s", e.Path, e.Reason)
}
