package harden

import "math"

// Rate is a share with its 95 % interval (Clopper and Pearson 1934), which never is narrower than it says.
type Rate struct {
	Hits, Trials uint64
	Low, High    float64
}

// RateOf makes one. Without trials nothing is known: the interval is all of [0,1].
func RateOf(hits, trials uint64) Rate {
	r := Rate{Hits: hits, Trials: trials, High: 1}
	if trials == 0 {
		return r
	}
	if hits > 0 {
		r.Low = solve(func(p float64) bool { return 1-cumulative(hits-1, trials, p) < 0.025 })
	}
	if hits < trials {
		r.High = solve(func(p float64) bool { return cumulative(hits, trials, p) > 0.025 })
	}
	return r
}

// Above is the one-sided upper bound at 95 %: with no hit in n it is 1 − 0.05^(1/n), so 299 trials prove 1 %.
func (r Rate) Above() float64 {
	if r.Trials == 0 || r.Hits == r.Trials {
		return 1
	}
	return solve(func(p float64) bool { return cumulative(r.Hits, r.Trials, p) > 0.05 })
}

// solve finds where a condition that holds for small p ceases to hold.
func solve(holds func(p float64) bool) float64 {
	lo, hi := 0.0, 1.0
	for range 60 {
		if mid := (lo + hi) / 2; holds(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// cumulative is the chance of at most k hits in n trials.
func cumulative(k, n uint64, p float64) float64 {
	if p <= 0 {
		return 1
	}
	if p >= 1 {
		if k >= n {
			return 1
		}
		return 0
	}
	all, _ := math.Lgamma(float64(n) + 1)
	sum := 0.0
	for i := range k + 1 {
		a, _ := math.Lgamma(float64(i) + 1)
		b, _ := math.Lgamma(float64(n-i) + 1)
		sum += math.Exp(all - a - b + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return min(sum, 1)
}
