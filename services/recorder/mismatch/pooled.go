package mismatch

import (
	"math"
	"slices"

	"github.com/provenir/provenir/services/recorder/detect/stat"
)

// Quantiles of a number over rows: 1 % of bad prompts shows in p99 and in no mean.
type Quantiles struct{ P50, P90, P99, Max float64 }

// Report is a whole file.
type Report struct {
	Rows, Mismatched int
	Low, High        float64              // Wilson's 95 % interval of the mismatched share
	Pooled           Stats                // over all tokens of the rows that count
	ChiSeqLog        float64              // log of mean e^(2ΣΔ): finite where χ² of sequences overflows
	Quantiles        map[string]Quantiles // k3, mean_abs, max_abs and mult_prob_error of rows
	Probes           int                  // rows whose sums are a divergence and no KL
}

// Pool gathers rows. Of each row it keeps four numbers, for the quantiles.
type Pool struct {
	Threshold  float64 // of a row's k3 and mean |Δ|; 0 takes [DefaultThreshold]
	all        Stats
	rows       [][4]float64
	mismatched int
	probes     int
	largest    float64 // of 2ΣΔ over rows
	sum        float64 // of e^(2ΣΔ − largest)
}

var ofRows = [...]string{"k3", "mean_abs", "max_abs", "mult_prob_error"}

// Add takes a measured row, and gives the limits that it passes.
func (p *Pool) Add(r Row, s Stats) []string {
	threshold := p.Threshold
	if threshold == 0 {
		threshold = DefaultThreshold
	}
	reasons := s.Reasons(threshold)
	if len(reasons) > 0 {
		p.mismatched++
	}
	if r.Probe {
		p.probes++
	}
	for i := range r.Train {
		if len(r.Mask) == 0 || r.Mask[i] {
			p.all.add(r.Train[i], r.Rollout[i])
		}
	}
	if n := len(p.rows); n == 0 || s.logSquare > p.largest {
		p.sum *= math.Exp(p.largest - s.logSquare)
		p.largest = s.logSquare
	}
	p.sum += math.Exp(s.logSquare - p.largest)
	p.rows = append(p.rows, [...]float64{s.K3, s.MeanAbs, s.MaxAbs, s.Mult})
	return reasons
}

// Refuse counts the tokens of a row that could not be used because they are not finite.
func (p *Pool) Refuse(s Stats) { p.all.NonFinite += s.NonFinite }

// Len is how many rows were added.
func (p *Pool) Len() int { return len(p.rows) }

// NonFinite is how many tokens of refused rows were not finite.
func (p *Pool) NonFinite() int { return p.all.NonFinite }

// Report sums up, once; ok is false without a row.
func (p *Pool) Report() (Report, bool) {
	n := len(p.rows)
	if n == 0 {
		return Report{}, false
	}
	p.all.finish()
	r := Report{Rows: n, Mismatched: p.mismatched, Pooled: p.all, Probes: p.probes, Quantiles: map[string]Quantiles{}}
	r.Low, r.High = stat.Wilson(uint64(p.mismatched), uint64(n))
	r.ChiSeqLog = p.largest + math.Log(p.sum/float64(n))
	r.Pooled.ChiSeq = math.Expm1(r.ChiSeqLog)
	for i, name := range ofRows {
		r.Quantiles[name] = quantiles(p.rows, i)
	}
	return r, true
}

// quantiles takes the smallest value that the share of rows does not pass, so that each is the number of a row.
func quantiles(rows [][4]float64, of int) Quantiles {
	v := make([]float64, len(rows))
	for i := range rows {
		v[i] = rows[i][of]
	}
	slices.Sort(v)
	at := func(q float64) float64 { return v[min(int(math.Ceil(q*float64(len(v))))-1, len(v)-1)] }
	return Quantiles{at(0.5), at(0.9), at(0.99), v[len(v)-1]}
}
