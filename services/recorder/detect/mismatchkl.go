package detect

import (
	"math"

	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/metric"
)

const (
	mismatchShiftAt = 0.01 // nats: a shift of k3 below it is of no interest
	mismatchFloor   = 0.1  // least spread of log k3
)

// mismatchKL watches the divergence of the policy that learns from the one that sampled the same tokens. k3 is compared
// with the run's own start too: a drift shows long before the limit.
type mismatchKL struct {
	S struct {
		Base stat.Baseline `json:"base"` // of log k3
		Up   stat.CUSUM    `json:"up"`
	}
}

func (*mismatchKL) name() string    { return "mismatch_kl" }
func (*mismatchKL) kinds() []string { return []string{"mismatch_kl"} }
func (*mismatchKL) reads() []string { return []string{metric.MismatchK1, metric.MismatchK3} }
func (d *mismatchKL) state() any    { return &d.S }
func (d *mismatchKL) reset()        { forget(&d.S) }

func (d *mismatchKL) step(f *frame) {
	limit, note := f.profile.limits["mismatch_kl_max"], "nats a token between sampling and learning"
	if f.profile.truncated {
		limit, note = 2*limit, note+"; limits are doubled for top-p or top-k sampling"
	}
	if x, ok := f.get(metric.MismatchK1); ok {
		f.above("mismatch_kl", metric.MismatchK1, math.Abs(x), limit, Warn, 0, note)
	}
	x, ok := f.get(metric.MismatchK3)
	if !ok || x < 0 {
		return
	}
	log := math.Log(max(x, tiny))
	s := Signal{Kind: "mismatch_kl", Metric: metric.MismatchK3,
		Evidence: Evidence{Value: x, HasValue: true, Limit: limit, HasLimit: true, Note: note}}
	if d.S.Base.Ready() {
		d.S.Up.Add(d.S.Base.Z(log), f.Step)
		s.Evidence.Baseline, s.Evidence.HasBaseline = math.Exp(d.S.Base.M), true
	}
	switch {
	case x > limit:
		s.Level = Warn
	case d.S.Up.Alarm() && x > mismatchShiftAt && x >= 2*s.Evidence.Baseline:
		s.Level, s.Need, s.Onset, s.HasOnset = Warn, 1, d.S.Up.Onset, true
		s.Evidence.Note = "CUSUM on log k3: sampling and learning drift apart"
	}
	s.Clear = s.Level == None && x <= clearShare*limit && (x <= mismatchShiftAt || d.S.Up.S <= clearShare*stat.CUSUMLimit)
	f.signal(s)
	if x > 0 {
		d.S.Base.Add(log, mismatchFloor)
	}
}
