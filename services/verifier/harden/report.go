package harden

import "slices"

// Failure is a probe with a wrong verdict.
type Failure struct{ Probe, Response, Reference, Wanted, Got string }

// Mode is one way of trying.
type Mode struct {
	Name     string
	Held     Rate // probes with the right verdict
	Failures []Failure
	Blocking bool
}

// Verdict is what a report comes to.
type Verdict string

// The verdicts.
const (
	Passed       Verdict = "passed"
	Warned       Verdict = "warned" // something was found, and the stage does not block
	Blocked      Verdict = "blocked"
	Insufficient Verdict = "insufficient"
)

// Report is what was found.
type Report struct {
	Modes          []Mode
	FalsePositives Rate // passed, among those that should not: labelled, of another task, and generated
	FalseNegatives Rate // not passed, among those that should
	Verdict        Verdict
	Reasons        []string
}

// maxFailures is how many failures a mode tells.
const maxFailures = 100

// count notes one trial.
func (m *Mode) count(ok bool, f Failure) {
	m.Held.Trials++
	if ok {
		m.Held.Hits++
		return
	}
	if len(m.Failures) < maxFailures {
		m.Failures = append(m.Failures, f)
	}
}

func (r *Report) mode(name string) *Mode {
	i := slices.IndexFunc(r.Modes, func(m Mode) bool { return m.Name == name })
	return &r.Modes[i]
}
