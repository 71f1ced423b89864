package mismatch

import (
	"math"
	"slices"
)

// Quantiles of a number over rows: 1 % of bad prompts shows in p99 and in no mean.
type Quantiles struct{ P50, P90, P99, Max float64 }

// Report is a whole file.
type Report struct {
	Rows, Mismatched int
	Low, High        float64 // Wilson's 95 % interval of the mismatched share
	Pooled           Stats   // over all tokens
	ChiSeqLog        float64 // log of mean e^(2ΣΔ): finite where χ² of sequences overflows
	K3, MeanAbs      Quantiles
	Probes           int // rows whose sums are a divergence and no KL
}

// Pool gathers rows.
type Pool struct {
	Threshold  float64 // of k3, for a row to count as mismatched; 0 takes 0.1
	all        Stats
	rows       []Stats
	mismatched int
	probes     int
}

// Add takes a measured row, and says whether it is mismatched.
func (p *Pool) Add(r Row, s Stats) bool {
	threshold := p.Threshold
	if threshold == 0 {
		threshold = 0.1
	}
	bad := Mismatched(s, threshold)
	if bad {
		p.mismatched++
	}
	if r.Probe {
		p.probes++
	}
	for i := range r.Train {
		if len(r.Mask) > 0 && !r.Mask[i] {
			continue
		}
		if t, o := r.Train[i], r.Rollout[i]; !math.IsNaN(t-o) && !math.IsInf(t, 0) && !math.IsInf(o, 0) {
			p.all.add(t, o)
		}
	}
	p.all.NonFinite += s.NonFinite
	p.rows = append(p.rows, Stats{K3: s.K3, MeanAbs: s.MeanAbs, logSquare: s.logSquare})
	return bad
}

// Mismatched applies the limits of a row: k3 above the threshold, or any of the detector's limits.
func Mismatched(s Stats, threshold float64) bool {
	return s.K3 > threshold || math.Abs(s.K1) > 0.1 || s.MeanAbs > 0.1 || s.ESS < 0.5 || s.ChiToken > 1 || s.ISMean < 0.5 || s.ISMean > 2 ||
		s.Mult > 1.5 || s.Pearson != nil && *s.Pearson < 0.9
}

// Report sums up; ok is false without a row.
func (p *Pool) Report() (Report, bool) {
	n := len(p.rows)
	if n == 0 {
		return Report{}, false
	}
	p.all.finish()
	r := Report{Rows: n, Mismatched: p.mismatched, Pooled: p.all, Probes: p.probes}
	r.Low, r.High = wilson(p.mismatched, n)
	largest := math.Inf(-1)
	for _, s := range p.rows {
		largest = max(largest, s.logSquare)
	}
	sum := 0.0
	for _, s := range p.rows {
		sum += math.Exp(s.logSquare - largest)
	}
	r.ChiSeqLog = largest + math.Log(sum/float64(n))
	r.Pooled.ChiSeq = math.Expm1(r.ChiSeqLog)
	r.K3 = quantiles(p.rows, func(s Stats) float64 { return s.K3 })
	r.MeanAbs = quantiles(p.rows, func(s Stats) float64 { return s.MeanAbs })
	return r, true
}

func quantiles(rows []Stats, of func(Stats) float64) Quantiles {
	v := make([]float64, len(rows))
	for i := range rows {
		v[i] = of(rows[i])
	}
	slices.Sort(v)
	at := func(q float64) float64 { return v[min(int(math.Ceil(q*float64(len(v))))-1, len(v)-1)] }
	return Quantiles{at(0.5), at(0.9), at(0.99), v[len(v)-1]}
}

// wilson is Wilson's score interval (1927) at 95 %.
func wilson(hits, n int) (low, high float64) {
	const z = 1.959963984540054
	p, m := float64(hits)/float64(n), float64(n)
	centre, half := (p+z*z/(2*m))/(1+z*z/m), z/(1+z*z/m)*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(centre-half, 0), min(centre+half, 1)
}
