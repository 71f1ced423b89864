package detect

import (
	"math"

	"github.com/provenir/provenir/services/recorder/metric"
)

const (
	ratioOff  = 1e-3 // from 1: more than rounding
	ratioLeft = 0.1  // and its inverse: the largest and smallest ratio that an update makes by itself
)

// ratio watches the probability ratio between the policy that learns and the one that sampled. With one iteration over
// each batch it is exactly 1; anything else means that log-probabilities are computed in two ways. Batches that are older
// than the policy have other ratios by right, so there only the wide limits count.
type ratio struct {
	S struct {
		Judged bool `json:"judged"` // a share of clipped tokens says something only where each batch is used once
	}
}

func (*ratio) name() string    { return "ratio" }
func (*ratio) kinds() []string { return []string{"ratio_insane"} }
func (*ratio) reads() []string { return []string{metric.RatioMin, metric.RatioMax, metric.ClipRegion} }
func (d *ratio) state() any    { return &d.S }
func (*ratio) reset()          {}

// heard tells that there was something to judge.
func (d *ratio) heard() bool { return d.S.Judged }

func (d *ratio) step(f *frame) {
	stale, known := f.get(metric.StalenessMax)
	once := f.profile.iterations == 1 && (!known || stale == 0)
	for _, name := range []string{metric.RatioMin, metric.RatioMax} {
		if x, ok := f.get(name); ok && x >= 0 {
			judgeRatio(f, name, x, once)
			d.S.Judged = true
		}
	}
	if x, ok := f.get(metric.ClipRegion); ok && once {
		d.S.Judged = true
		f.above("ratio_insane", metric.ClipRegion, x, 0, Warn, 0, "tokens are clipped although each batch is used once: a bug in log-probabilities")
	}
}

func judgeRatio(f *frame, name string, x float64, once bool) {
	s := Signal{Kind: "ratio_insane", Metric: name, Evidence: Evidence{Value: x, HasValue: true, Baseline: 1, HasBaseline: true}}
	limit, wild := 1/ratioLeft, x > 1/ratioLeft
	if name == metric.RatioMin {
		limit, wild = ratioLeft, x < ratioLeft
	}
	off := math.Abs(x - 1)
	switch {
	case wild && once:
		s.Level, s.Evidence.Note = Critical, "the ratio is 1 where each batch is used once: log-probabilities are computed in two ways"
	case wild:
		s.Level, s.Evidence.Note = Warn, "the update has left the policy that sampled"
	case once && off > ratioOff:
		limit = 1 + math.Copysign(ratioOff, x-1)
		s.Level, s.Evidence.Note = Warn, "the ratio is 1 where each batch is used once: log-probabilities are computed in two ways"
	case once:
		s.Clear = off <= clearShare*ratioOff
	default:
		s.Clear = math.Abs(math.Log(x)) <= clearShare*math.Log(1/ratioLeft)
	}
	s.Evidence.Limit, s.Evidence.HasLimit = limit, true
	f.signal(s)
}
