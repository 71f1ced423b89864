package detect

import (
	"math"

	"github.com/provenir/provenir/services/recorder/detect/stat"
	"github.com/provenir/provenir/services/recorder/metric"
)

const (
	klHard    = 2.0  // nats a token: whatever the baseline, the policy has left its reference
	klCreepAt = 0.1  // below it a drift is of no interest
	klFloor   = 0.05 // least spread of log KL
	tiny      = 1e-12
)

// kl watches the divergence from the reference. Its limits are for token means; a sequence mean or sum has another scale
// and is compared with its own baseline only. Without a KL term (β = 0) it may grow freely, so it can only warn.
type kl struct {
	S struct {
		Base  stat.Baseline    `json:"base"` // of log KL
		Creep stat.PageHinkley `json:"creep"`
		Up    stat.CUSUM       `json:"up"`
	}
}

func (*kl) name() string    { return "kl" }
func (*kl) kinds() []string { return []string{"kl_blowup", "kl_creep", "kl_collapse"} }
func (*kl) reads() []string { return []string{metric.KLRef} }
func (d *kl) state() any    { return &d.S }
func (d *kl) reset()        { forget(&d.S) }

func (d *kl) step(f *frame) {
	x, ok := f.get(metric.KLRef)
	if !ok {
		return
	}
	v, _ := f.find(metric.KLRef)
	tokens := v.Reduction == "" || v.Reduction == "token_mean"
	free := f.profile.betaSet && f.profile.beta == 0
	log := math.Log(max(x, tiny))
	ready, base := d.S.Base.Ready(), 0.0
	if ready {
		base = math.Exp(d.S.Base.M)
		d.S.Up.Add(d.S.Base.Z(log), f.Step)
		d.S.Creep.Add(log, d.S.Base.Sigma, f.Step)
	}
	blown := d.blowup(f, x, base, ready, tokens, free)
	if ready && tokens && !free { // without a KL term growth is no fault
		height := d.S.Creep.Height(d.S.Base.Sigma)
		s := Signal{Kind: "kl_creep", Metric: metric.KLRef, Need: 1, Onset: d.S.Creep.From, HasOnset: true,
			Clear:    height <= clearShare*stat.PHLimit || x <= clearShare*klCreepAt,
			Evidence: Evidence{Value: x, HasValue: true, Limit: klCreepAt, HasLimit: true, Baseline: base, HasBaseline: true, Note: "Page–Hinkley on log KL"}}
		if height > stat.PHLimit && x > klCreepAt && !blown { // a blowup is no creep
			s.Level = Warn
		}
		f.signal(s)
	}
	if f.profile.beta > 0 && f.row > 0 {
		limit := f.profile.limits["kl_min"]
		s := Signal{Kind: "kl_collapse", Metric: metric.KLRef, Clear: x > limit/clearShare,
			Evidence: Evidence{Value: x, HasValue: true, Limit: limit, HasLimit: true, Note: "the policy stays on its reference although KL is paid for"}}
		if 0 < x && x < limit { // exactly 0 is what one iteration on the reference itself gives
			s.Level = Warn
		}
		f.signal(s)
	}
	if x > 0 {
		d.S.Base.Add(log, klFloor)
	}
}

func (d *kl) blowup(f *frame, x, base float64, ready, tokens, free bool) (blown bool) {
	limit := f.profile.limits["kl_max"]
	s := Signal{Kind: "kl_blowup", Metric: metric.KLRef,
		Evidence: Evidence{Value: x, HasValue: true, Baseline: base, HasBaseline: ready}}
	far := ready && x >= 5*base
	switch {
	case free || !tokens:
		s.Need, s.Evidence.Note = 1, "CUSUM on log KL; no absolute limit applies here"
		s.Clear = d.S.Up.S <= clearShare*stat.CUSUMLimit
		if d.S.Up.Alarm() && far {
			s.Level, s.Onset, s.HasOnset = Warn, d.S.Up.Onset, true
		}
		f.signal(s)
		return s.Level != None
	case x > klHard:
		s.Level, s.Need, limit = Critical, 1, klHard
	case x > limit && (far || !ready):
		s.Level = Critical
	}
	s.Clear = x <= clearShare*limit
	s.Evidence.Limit, s.Evidence.HasLimit, s.Evidence.Note = limit, true, "token mean over its limit"
	f.signal(s)
	return s.Level != None
}

// forget sets a state to its zero value.
func forget[T any](s *T) {
	var zero T
	*s = zero
}
