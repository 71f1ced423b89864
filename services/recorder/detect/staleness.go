package detect

import (
	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/metric"
)

const (
	staleFloor = 0.25 // least spread of the mean age, in policy versions
	staleMore  = 1.0  // versions over the baseline: a smaller shift is of no interest
)

// staleness watches how many updates old the rollouts are that a step learns from. How old they may be is set by the
// run; without a setting only growth over the run's own start is told.
type staleness struct {
	S struct {
		Base stat.Baseline `json:"base"`
		Up   stat.CUSUM    `json:"up"`
	}
}

func (*staleness) name() string    { return "staleness" }
func (*staleness) kinds() []string { return []string{"staleness"} }
func (*staleness) reads() []string { return []string{metric.StalenessMean, metric.StalenessMax} }
func (d *staleness) state() any    { return &d.S }
func (d *staleness) reset()        { forget(&d.S) }

func (d *staleness) step(f *frame) {
	if limit, set := f.profile.limits["staleness_max"]; set {
		if x, ok := f.get(metric.StalenessMax); ok {
			f.above("staleness", metric.StalenessMax, x, limit, Warn, 0, "updates between sampling and learning")
		}
	}
	x, ok := f.get(metric.StalenessMean)
	if !ok {
		return
	}
	if b := &d.S.Base; b.Ready() {
		d.S.Up.Add(b.Z(x), f.Step)
		s := Signal{Kind: "staleness", Metric: metric.StalenessMean, Need: 1, Onset: d.S.Up.Onset, HasOnset: true,
			Clear: d.S.Up.S <= clearShare*stat.CUSUMLimit || x <= b.M+clearShare*staleMore,
			Evidence: Evidence{Value: x, HasValue: true, Limit: b.M + staleMore, HasLimit: true, Baseline: b.M, HasBaseline: true,
				Note: "CUSUM: rollouts are older than at the start"}}
		if d.S.Up.Alarm() && x > b.M+staleMore {
			s.Level = Warn
		}
		f.signal(s)
	}
	d.S.Base.Add(x, staleFloor)
}
