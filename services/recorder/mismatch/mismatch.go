// Package mismatch compares the log-probabilities of the same tokens under the policy that sampled them and under the one
// that trains on them.
//
// Δ = train − rollout and w = e^Δ for each token. k1 = −mean Δ and k3 = mean(w − 1 − Δ) estimate the KL divergence (Schulman
// 2020) only where the tokens were sampled by the rollout policy; over other tokens the same sums are called a divergence.
// ESS, χ² and the importance ratios say what importance weighting would make of it. Every number is absent where it cannot
// be measured: a row of two tokens has no correlation.
package mismatch

import (
	"fmt"
	"math"
)

// Row is one sequence.
type Row struct {
	Train, Rollout []float64 // log-probabilities of the same tokens
	Mask           []bool    // tokens that count; empty counts all
	Probe          bool      // the tokens were not sampled by the rollout policy
}

// RowError is a row that cannot be compared.
type RowError struct{ Code, Detail string }

func (e *RowError) Error() string { return e.Detail }

// Stats are those of a row, or of many together.
type Stats struct {
	Tokens                     int
	NonFinite                  int // tokens with NaN or an infinity on a side: counted, and in no mean
	K1, K3                     float64
	MeanAbs, MaxAbs            float64
	Mult                       float64 // mean e^|Δ|
	ISMean, ISMax, ISStd       float64
	ESS, ChiToken              float64
	ChiSeq                     float64 // of one row: e^(2ΣΔ) − 1; +Inf where it overflows
	Pearson                    *float64
	sum, logSquare             float64
	pa, pb, paa, pbb, pab, sqr float64
}

// Measure compares a row. The error is a *RowError. A row with a token that is not finite is an error with the Stats of the
// others, so that its tokens are counted: a mean over the rest would hide that the policies disagree without bound there.
func Measure(r Row) (Stats, error) {
	switch {
	case len(r.Train) == 0:
		return Stats{}, &RowError{"empty", "the row has no tokens"}
	case len(r.Train) != len(r.Rollout):
		return Stats{}, &RowError{"length", fmt.Sprintf("%d train log-probabilities and %d of the rollout; they must be of the same tokens", len(r.Train), len(r.Rollout))}
	case len(r.Mask) > 0 && len(r.Mask) != len(r.Train):
		return Stats{}, &RowError{"length", fmt.Sprintf("a mask of %d for %d tokens", len(r.Mask), len(r.Train))}
	}
	var s Stats
	for i := range r.Train {
		if len(r.Mask) > 0 && !r.Mask[i] {
			continue
		}
		t, o := r.Train[i], r.Rollout[i]
		if math.IsNaN(t) || math.IsNaN(o) || math.IsInf(t, 0) || math.IsInf(o, 0) {
			s.NonFinite++
			continue
		}
		if t > 1e-6 || o > 1e-6 { // rounding may put log 1 a little above 0
			return Stats{}, &RowError{"positive", fmt.Sprintf("token %d has a log-probability above 0: these are not log-probabilities", i)}
		}
		s.add(t, o)
	}
	if s.Tokens == 0 && s.NonFinite == 0 {
		return s, &RowError{"empty", "no token counts: all are masked"}
	}
	if s.Tokens > 0 {
		s.logSquare = 2 * s.sum
		s.finish()
		s.ChiSeq = math.Expm1(s.logSquare)
	}
	if s.NonFinite > 0 {
		return s, &RowError{"non_finite", fmt.Sprintf("%d token(s) have a log-probability that is not finite", s.NonFinite)}
	}
	return s, nil
}

func (s *Stats) add(train, rollout float64) {
	d := train - rollout
	w := math.Exp(d)
	s.Tokens++
	s.sum += d
	s.K3 += w - 1 - d
	s.MeanAbs += math.Abs(d)
	s.MaxAbs = max(s.MaxAbs, math.Abs(d))
	s.Mult += math.Exp(math.Abs(d))
	s.ISMean += w
	s.ISMax = max(s.ISMax, w)
	s.sqr += w * w
	a, b := math.Exp(train), math.Exp(rollout)
	s.pa, s.pb, s.paa, s.pbb, s.pab = s.pa+a, s.pb+b, s.paa+a*a, s.pbb+b*b, s.pab+a*b
}

// finish turns sums into means.
func (s *Stats) finish() {
	n := float64(s.Tokens)
	s.K1, s.K3, s.MeanAbs, s.Mult = -s.sum/n, s.K3/n, s.MeanAbs/n, s.Mult/n
	square := s.sqr / n
	s.ISMean /= n
	s.ESS, s.ChiToken = s.ISMean*s.ISMean/square, square-1
	s.ISStd = math.Sqrt(max(square-s.ISMean*s.ISMean, 0))
	if math.IsInf(square, 0) { // neither can be told any more
		s.ESS, s.ISStd = math.NaN(), math.Inf(1)
	}
	if s.Tokens >= 3 {
		va, vb := s.paa/n-s.pa/n*s.pa/n, s.pbb/n-s.pb/n*s.pb/n
		if va > 1e-15 && vb > 1e-15 {
			r := (s.pab/n - s.pa/n*s.pb/n) / math.Sqrt(va*vb)
			s.Pearson = &r
		}
	}
}
