package stat

import "math"

const (
	// BaselineReady is how many values a baseline needs before anything is compared with it.
	BaselineReady = 5
	// BaselineFrozen is when it stops moving: later values must not drag along what they are measured against.
	BaselineFrozen = 20
)

// Baseline is the run's own normal: median and spread of the first values of an attempt. The median is robust to one
// outlier, and freezing at 20 values instead of 5 keeps the warm-up from becoming the norm.
type Baseline struct {
	First [BaselineFrozen]float64 `json:"first"`
	N     int                     `json:"n"`
	M     float64                 `json:"m"`
	Sigma float64                 `json:"sigma"`
}

// Add takes a finite value. floor is the least spread that counts as one, in the value's unit.
func (b *Baseline) Add(x, floor float64) {
	if b.N == BaselineFrozen {
		return
	}
	b.First[b.N] = x
	b.N++
	if b.N < BaselineReady {
		return
	}
	buf := b.First // a copy: MedianMAD sorts
	m, mad := MedianMAD(buf[:b.N])
	b.M = m
	b.Sigma = max(Consistency*mad, 0.02*math.Abs(m), floor) * Inflation(b.First[:b.N])
}

// Ready tells whether there is something to compare with.
func (b *Baseline) Ready() bool { return b.N >= BaselineReady }

// Z is the distance from the baseline in spreads; 0 while there is none.
func (b *Baseline) Z(x float64) float64 {
	if !b.Ready() {
		return 0
	}
	return (x - b.M) / b.Sigma
}
