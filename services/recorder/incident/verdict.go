package incident

import (
	"slices"

	"github.com/provenir/provenir/services/recorder/detect"
)

// Verdict is a run's health in a word.
type Verdict string

// Verdicts.
const (
	Healthy      Verdict = "healthy"
	Degraded     Verdict = "degraded"
	Unhealthy    Verdict = "critical"
	Insufficient Verdict = "insufficient" // too little was seen to say anything
)

const leastSteps = 5

// Verdict judges the run as it is now: one critical incident at step 0 that ended long ago is in Worst, not here.
// readable tells whether any detector had a metric to read.
func (t *Tracker) Verdict(readable bool) Verdict {
	v := Healthy
	for _, e := range t.s.Entries {
		switch {
		case !e.Open:
		case e.Severity == detect.Critical:
			return Unhealthy
		case e.Severity == detect.Warn:
			v = Degraded
		}
	}
	if v == Healthy && t.s.HasEnd && t.s.Rows-t.s.LastEnd <= max(20, t.s.Rows/10) {
		v = Degraded
	}
	if v == Healthy && (t.s.Rows < leastSteps || !readable) {
		return Insufficient
	}
	return v
}

// Worst is the highest severity that was ever open.
func (t *Tracker) Worst() detect.Severity { return t.s.Worst }

// Counts lists incidents by kind and severity. An incident that escalated counts in both.
func (t *Tracker) Counts() []Count { return slices.Clone(t.s.Counts) }

// FirstOnset is the step at which the first incident began; ok is false without one.
func (t *Tracker) FirstOnset() (step uint64, ok bool) { return t.s.Onset, t.s.HasOnset }
