package detect

import (
	"math"

	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/metric"
)

const (
	gradHigh     = 10.0
	gradVanished = 1e-8
	gradLast     = 5    // steps in a row for high and vanished
	gradZ        = 6.0  // in log
	gradRatio    = 10.0 // over the baseline
	gradFloor    = 0.1  // least spread of the log norm
)

// grad watches the gradient's norm before clipping. Its scale belongs to the method: a healthy DPO run lies in the
// hundreds, so for DPO only the run's own baseline counts.
type grad struct {
	S struct {
		Base stat.Baseline `json:"base"` // of log norm
	}
}

func (*grad) name() string    { return "grad" }
func (*grad) kinds() []string { return []string{"grad_explosion", "grad_high", "grad_vanished"} }
func (*grad) reads() []string { return []string{metric.GradNorm} }
func (d *grad) state() any    { return &d.S }
func (d *grad) reset()        { forget(&d.S) }

func (d *grad) step(f *frame) {
	x, ok := f.get(metric.GradNorm)
	if !ok || x < 0 {
		return
	}
	log := math.Log(max(x, tiny))
	b, absolute := &d.S.Base, !relativeGradients(f.method)
	limit := f.profile.limits["grad_norm_max"]
	s := Signal{Kind: "grad_explosion", Metric: metric.GradNorm, Evidence: Evidence{Value: x, HasValue: true}}
	inside := !absolute || x <= clearShare*limit
	if b.Ready() {
		base := math.Exp(b.M)
		s.Evidence.Baseline, s.Evidence.HasBaseline = base, true
		if x >= gradRatio*base && b.Z(log) >= gradZ {
			s.Level, s.Evidence.Note = Critical, "10 times the run's own norm"
		}
		inside = inside && x <= clearShare*gradRatio*base
	}
	if absolute && x > limit {
		s.Level, s.Need = Critical, 1
		s.Evidence.Limit, s.Evidence.HasLimit, s.Evidence.Note = limit, true, "over the method's limit"
	}
	s.Clear = inside
	f.signal(s)
	if absolute && rewards(f.method) {
		f.above("grad_high", metric.GradNorm, x, gradHigh, Warn, gradLast, "high for RL")
	}
	v := Signal{Kind: "grad_vanished", Metric: metric.GradNorm, Need: gradLast, Clear: x >= gradVanished/clearShare,
		Evidence: Evidence{Value: x, HasValue: true, Limit: gradVanished, HasLimit: true, Note: "the step changes nothing"}}
	if x < gradVanished {
		v.Level = Warn
	}
	f.signal(v)
	if x > 0 {
		b.Add(log, gradFloor)
	}
}
