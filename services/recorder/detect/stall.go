package detect

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/provenir/provenir/services/recorder/detect/stat"
)

// KindStall is found by the clock and not by a step, so it is no part of an engine's state: equal runs may differ in it.
const KindStall = "throughput_stall"

const (
	stallSlow = 5.0 // times the median: one slow step is an evaluation or a checkpoint, no fault
	stallRow  = 3   // slow steps in a row
	stallMost = 10  // times the patience: no step for that long is critical
	// stallFloor keeps runs with steps of milliseconds quiet: a hiccup of the machine is no stall.
	stallFloor = 5.0 // seconds
)

// Stall learns how long steps take and tells when the next one is overdue. The zero value is ready.
type Stall struct {
	last  time.Time
	took  stat.Window
	slow  int
	ended bool
	// resumed says that last is a restart and no step: the time to the next step is not one that a step took.
	resumed bool
}

// Step notes that a step was recorded at a time, and judges how long it took.
func (s *Stall) Step(at time.Time) (sig Signal, ok bool) {
	defer func() { s.last, s.resumed = at, false }()
	if s.last.IsZero() || s.resumed || at.Before(s.last) {
		return Signal{}, false
	}
	x := at.Sub(s.last).Seconds()
	m, enough := s.took.Median(5, 0)
	if enough {
		m, _ = s.took.Median(s.took.Len(), 0)
	}
	s.took.Add(x)
	if !enough {
		return Signal{}, false
	}
	return slowness(x, m, &s.slow), true
}

// Patience is how long a step may take before it is overdue: max(5 × median, 2 × 95th percentile) of what was learned.
// It is 0 while too little is known.
func (s *Stall) Patience() time.Duration {
	if s.ended || s.took.Len() < stat.BaselineReady {
		return 0
	}
	var buf [32]float64
	v := s.took.Last(buf[:0], len(buf), 0)
	slices.Sort(v)
	p95 := v[min(len(v)*95/100, len(v)-1)]
	return time.Duration(max(stallSlow*v[len(v)/2], 2*p95, stallFloor) * float64(time.Second))
}

// Check judges the time since the last step. It gives a signal only when the step is overdue.
func (s *Stall) Check(now time.Time) (sig Signal, ok bool) {
	patience := s.Patience()
	waited := now.Sub(s.last)
	if patience <= 0 || waited <= patience {
		return Signal{}, false
	}
	sig = Signal{Kind: KindStall, Level: Warn, Need: 1,
		Evidence: Evidence{Value: waited.Seconds(), HasValue: true, Limit: patience.Seconds(), HasLimit: true, Note: "seconds since the last step"}}
	if waited > stallMost*patience {
		sig.Level = Critical
	}
	return sig, true
}

// stallState is what a snapshot holds: how long steps take, and not when the last one was. After a restart the wait begins
// anew: while nobody could take a step down, none was overdue.
type stallState struct {
	Took  stat.Window `json:"took"`
	Slow  int         `json:"slow"`
	Ended bool        `json:"ended"`
}

// MarshalJSON gives what was learned.
func (s *Stall) MarshalJSON() ([]byte, error) {
	return json.Marshal(stallState{s.took, s.slow, s.ended})
}

// Resume takes up what was learned, at a time from which the next step is waited for.
func (s *Stall) Resume(learned []byte, now time.Time) error {
	var st stallState
	if err := json.Unmarshal(learned, &st); err != nil {
		return fmt.Errorf("state of the stall detector: %w", err)
	}
	*s = Stall{last: now, took: st.Took, slow: st.Slow, ended: st.Ended, resumed: true}
	return nil
}

// End stops the watch: the run is closed, no further step is due.
func (s *Stall) End() { s.ended = true }
