// Package stat is the arithmetic of how sure a score is. It is pure; formulas and sources stand at each function.
package stat

import (
	"fmt"
	"math"
)

// Interval is a confidence interval.
type Interval struct{ Low, High float64 }

// Quantile is the standard normal quantile of 1−α/2, in full precision: never 1.96.
func Quantile(level float64) float64 { return math.Sqrt2 * math.Erfinv(level) }

// Wilson is Wilson's score interval (1927) for k of n: exactly 0 at k = 0 and 1 at k = n on its open end.
func Wilson(k, n uint64, level float64) (Interval, error) {
	if n == 0 || k > n {
		return Interval{}, fmt.Errorf("wilson: k=%d of n=%d", k, n)
	}
	z, p, m := Quantile(level), float64(k)/float64(n), float64(n)
	centre := p + z*z/(2*m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	scale := 1 + z*z/m
	out := Interval{(centre - half) / scale, (centre + half) / scale}
	if k == 0 {
		out.Low = 0
	}
	if k == n {
		out.High = 1
	}
	return out, nil
}

// Paired counts two 0/1 outcomes of the same rows.
type Paired struct {
	Both, Better, Worse, Neither uint64 // Better: 0 before, 1 after
}

// Difference is after less before with Newcombe's interval for paired proportions (Newcombe 1998, Statist. Med. 17:2635,
// method 10): Wilson limits of both margins, joined with the correlation φ of the outcomes.
func (x Paired) Difference(level float64) (float64, Interval, error) {
	n := x.Both + x.Better + x.Worse + x.Neither
	if n == 0 {
		return 0, Interval{}, fmt.Errorf("no paired rows")
	}
	after, before := x.Both+x.Better, x.Both+x.Worse
	a, err := Wilson(after, n, level)
	if err != nil {
		return 0, Interval{}, err
	}
	b, err := Wilson(before, n, level)
	if err != nil {
		return 0, Interval{}, err
	}
	m := float64(n)
	p1, p2 := float64(after)/m, float64(before)/m
	d, phi := p1-p2, x.phi()
	dl1, du1, dl2, du2 := p1-a.Low, a.High-p1, p2-b.Low, b.High-p2
	low := math.Sqrt(math.Max(0, dl1*dl1-2*phi*dl1*du2+du2*du2))
	high := math.Sqrt(math.Max(0, du1*du1-2*phi*du1*dl2+dl2*dl2))
	return d, Interval{d - low, d + high}, nil
}

// phi is the correlation of the two outcomes, with Newcombe's continuity correction where it is positive; 0 where a
// margin is empty.
func (x Paired) phi() float64 {
	a, b, c, d := float64(x.Both), float64(x.Better), float64(x.Worse), float64(x.Neither)
	margins := (a + b) * (c + d) * (a + c) * (b + d)
	if margins == 0 {
		return 0
	}
	det := a*d - b*c
	if det > 0 {
		det = math.Max(det-(a+b+c+d)/2, 0)
	}
	return det / math.Sqrt(margins)
}

// McNemar is the exact two-sided test that better and worse are equally likely (binomial, p = ½). False when no row
// differs: then there is nothing to test.
func (x Paired) McNemar() (p float64, ok bool) {
	n := x.Better + x.Worse
	if n == 0 {
		return 0, false
	}
	k := min(x.Better, x.Worse)
	sum := 0.0
	for i := uint64(0); i <= k; i++ {
		sum += math.Exp(logChoose(n, i) - float64(n)*math.Ln2)
	}
	return math.Min(1, 2*sum), true
}

func logChoose(n, k uint64) float64 {
	lg := func(v uint64) float64 { x, _ := math.Lgamma(float64(v) + 1); return x }
	return lg(n) - lg(k) - lg(n-k)
}
