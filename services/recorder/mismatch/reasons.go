package mismatch

import "math"

// DefaultThreshold is the most that k3 and mean |Δ| of a row may be, in nats.
const DefaultThreshold = 0.1

// Reasons names the limits that a row passes; none is a match. The threshold holds k3 and mean |Δ|; the other limits are
// those that warn in a run (the detectors' mismatch_*), so that a file and a run are judged alike.
func (s *Stats) Reasons(threshold float64) []string {
	var out []string
	for _, l := range []struct {
		name   string
		passed bool
	}{
		{"k3", s.K3 > threshold},
		{"mean_abs", s.MeanAbs > threshold},
		{"k1", math.Abs(s.K1) > 0.1},
		{"ess", s.ESS < 0.5},
		{"chi2_token", s.ChiToken > 1},
		{"is_mean", s.ISMean < 0.5 || s.ISMean > 2},
		{"is_std", s.ISStd > 1},
		{"mult_prob_error", s.Mult > 1.05},
		{"pearson", s.Pearson != nil && *s.Pearson < 0.95},
	} {
		if l.passed {
			out = append(out, l.name)
		}
	}
	return out
}
