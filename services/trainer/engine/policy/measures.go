package policy

import (
	"math"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
)

// measures adds up the micro-batches of one step.
type measures struct {
	sum      [llama.NumMeasures]float64
	firstDev float64 // largest |ρ−1| of the first micro-batch
	parts    int
}

func newMeasures() *measures { return &measures{} }

func (m *measures) add(part []float32) {
	for i, x := range part {
		switch v := float64(x); llama.Measure(i) {
		case llama.MRatioMax, llama.MRatioDev:
			m.sum[i] = math.Max(m.sum[i], v)
		default:
			m.sum[i] += v
		}
	}
	if m.parts == 0 {
		m.firstDev = float64(part[llama.MRatioDev])
	}
	m.parts++
}

// metrics are the recorder's names for what was measured. On-policy there is no old policy to differ from; without a
// reference there is no KL against it.
func (m *measures) metrics(h engine.Hyper, onPolicy, reference bool) map[string]float64 {
	s := m.sum
	out := map[string]float64{"loss.policy": s[llama.MPolicy], "loss.total": s[llama.MLoss]}
	n := s[llama.MTokens]
	if n == 0 {
		return out
	}
	out["policy.entropy"], out["policy.nll"] = s[llama.MEntropy]/n, s[llama.MNLL]/n
	if reference {
		out["kl.ref"], out["kl.ref_clamped"] = s[llama.MKL]/n, s[llama.MKLClamped]/n
	}
	if onPolicy {
		return out
	}
	out["kl.update"] = s[llama.MUpdate] / n
	out["ratio.max"], out["ratio.first_dev"] = s[llama.MRatioMax], m.firstDev
	per := n
	if h.SequenceRatio {
		per = s[llama.MRows]
	}
	out["clip.low"], out["clip.high"] = s[llama.MLow]/per, s[llama.MHigh]/per
	out["clip.region"] = (s[llama.MLow] + s[llama.MHigh]) / per // the two exclude each other: A has one sign
	if h.DualClip > 0 {
		out["clip.dual"] = s[llama.MDual] / per
	}
	return out
}
