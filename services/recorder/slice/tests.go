package slice

import (
	"math"
	"slices"
)

// fisher is Fisher's exact test, two-sided: all tables with the same margins that are no more likely than this one.
func fisher(failed, n, otherFailed, others uint64) float64 {
	all, k := n+others, failed+otherFailed
	first := uint64(0)
	if k > others {
		first = k - others
	}
	log := func(x uint64) float64 {
		return choose(n, x) + choose(others, k-x) - choose(all, k)
	}
	here, p := log(failed), 0.0
	for x := first; x <= min(n, k); x++ {
		if l := log(x); l <= here+1e-7 { // equal ones differ by rounding
			p += math.Exp(l)
		}
	}
	return min(p, 1)
}

// choose is the logarithm of a binomial coefficient.
func choose(n, k uint64) float64 {
	a, _ := math.Lgamma(float64(n) + 1)
	b, _ := math.Lgamma(float64(k) + 1)
	c, _ := math.Lgamma(float64(n-k) + 1)
	return a - b - c
}

// discover marks the slices that Benjamini and Hochberg's step-up rule keeps: the largest i with p(i) ≤ i/m·q, and all before it.
func discover(rates []Rate, q float64) {
	var tested []int
	for i := range rates {
		if !math.IsNaN(rates[i].P) {
			tested = append(tested, i)
		}
	}
	slices.SortFunc(tested, func(a, b int) int {
		switch {
		case rates[a].P < rates[b].P:
			return -1
		case rates[a].P > rates[b].P:
			return 1
		}
		return 0
	})
	last := -1
	for i, at := range tested {
		if rates[at].P <= float64(i+1)/float64(len(tested))*q {
			last = i
		}
	}
	for _, at := range tested[:last+1] {
		rates[at].Significant = true
	}
}
