package detect

import (
	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/metric"
)

// stepTime judges the step times that a log reports, as [Stall] judges those that a clock measures. A live run's record
// holds none, since equal runs must have equal records; so the two never meet.
type stepTime struct {
	S struct {
		Took stat.Window `json:"took"`
		Slow int         `json:"slow"` // steps in a row
	}
}

func (*stepTime) name() string    { return "step_time" }
func (*stepTime) kinds() []string { return []string{KindStall} }
func (*stepTime) reads() []string { return nil } // a live run has the clock instead, and times alone are no run to judge
func (d *stepTime) state() any    { return &d.S }
func (d *stepTime) reset()        { forget(&d.S) }

func (d *stepTime) step(f *frame) {
	x, ok := f.get(metric.StepSeconds)
	if !ok || x < 0 {
		return
	}
	m, enough := d.S.Took.Median(stat.BaselineReady, 0)
	if enough {
		m, _ = d.S.Took.Median(d.S.Took.Len(), 0)
	}
	d.S.Took.Add(x)
	if !enough {
		return
	}
	s := slowness(x, m, &d.S.Slow)
	s.Metric = metric.StepSeconds
	f.signal(s)
}

// slowness judges a step's seconds against the median. One slow step is an evaluation or a checkpoint.
func slowness(x, median float64, slow *int) Signal {
	limit := max(stallSlow*median, stallFloor)
	s := Signal{Kind: KindStall, Need: 1, Clear: x <= clearShare*limit,
		Evidence: Evidence{Value: x, HasValue: true, Limit: limit, HasLimit: true, Baseline: median, HasBaseline: true, Note: "seconds a step"}}
	if x < limit {
		*slow = 0
		return s
	}
	*slow++
	s.Level = Info
	if *slow >= stallRow {
		s.Level = Warn
	}
	return s
}
