package doctor

import (
	"math"
	"slices"
)

// exactMost is the longest series whose p is counted and not approximated.
const exactMost = 10

// kendall is Mann and Kendall's test (Mann 1945, Kendall 1975) for a trend in any direction.
type kendall struct {
	S        int     // pairs that rise less pairs that fall
	Variance float64 // n(n−1)(2n+5)/18 − Σ t(t−1)(2t+5)/18 over ties of t
	P        float64 // two-sided: counted up to 10 values, normal with a correction for continuity above
}

// mannKendall tests a series. inflation multiplies the variance: correlated values say less than their number.
func mannKendall(y []float64, inflation float64) kendall {
	n := len(y)
	k := kendall{Variance: float64(n*(n-1)*(2*n+5)) / 18}
	for i := range y {
		for j := i + 1; j < n; j++ {
			switch {
			case y[j] > y[i]:
				k.S++
			case y[j] < y[i]:
				k.S--
			}
		}
	}
	ties := tiesOf(y)
	for _, t := range ties {
		k.Variance -= float64(t*(t-1)*(2*t+5)) / 18
	}
	if n <= exactMost {
		k.P = exactP(n, ties, k.S)
		return k
	}
	k.Variance *= inflation
	if k.Variance <= 0 || k.S == 0 {
		k.P = 1
		return k
	}
	z := (math.Abs(float64(k.S)) - 1) / math.Sqrt(k.Variance)
	k.P = math.Erfc(z / math.Sqrt2)
	return k
}

// tiesOf counts equal values; groups of one are left out.
func tiesOf(y []float64) []int {
	sorted := slices.Sorted(slices.Values(y))
	var out []int
	for i := 0; i < len(sorted); {
		j := i
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		if j-i > 1 {
			out = append(out, j-i)
		}
		i = j
	}
	return out
}

// exactP counts the orders of the values whose |S| is at least s. Falling pairs of the orders of a multiset are counted
// by the q-multinomial coefficient [n]!/Π[t]! (MacMahon 1916), and S = pairs that are not tied − 2·falling.
func exactP(n int, ties []int, s int) float64 {
	count := factorial(n)
	pairs := n * (n - 1) / 2
	for _, t := range ties {
		count = divide(count, factorial(t))
		pairs -= t * (t - 1) / 2
	}
	var all, far float64
	for falling, c := range count {
		all += c
		if abs(pairs-2*falling) >= abs(s) {
			far += c
		}
	}
	return min(far/all, 1)
}

// factorial is the q-factorial Π (1+q+…+q^(i−1)); coefficient j counts permutations with j falling pairs.
func factorial(n int) []float64 {
	out := []float64{1}
	for i := 2; i <= n; i++ {
		next := make([]float64, len(out)+i-1)
		for j, c := range out {
			for k := range i {
				next[j+k] += c
			}
		}
		out = next
	}
	return out
}

// divide divides polynomials whose quotient is whole. The lowest coefficient of b is 1.
func divide(a, b []float64) []float64 {
	a = slices.Clone(a)
	out := make([]float64, len(a)-len(b)+1)
	for i := range out {
		out[i] = a[i]
		for j, c := range b {
			a[i+j] -= out[i] * c
		}
	}
	return out
}

func abs(x int) int { return max(x, -x) }

// hamedRao is n/n* of Hamed and Rao (1998): by how much correlation between neighbours grows the variance of S. It takes
// the ranks of the series without its slope, and lags up to n/4, beyond which few pairs are left, that differ from 0 at
// 5 %. It is held at 1: a series that swings would otherwise look surer than independent values.
func hamedRao(y []float64, slope float64) float64 {
	n := len(y)
	if n <= exactMost {
		return 1
	}
	rest := make([]float64, n)
	for i := range y {
		rest[i] = y[i] - slope*float64(i)
	}
	r := ranks(rest)
	var spread float64
	for i := range r {
		r[i] -= float64(n+1) / 2
		spread += r[i] * r[i]
	}
	if spread == 0 {
		return 1
	}
	sum, limit := 0.0, 1.959963984540054/math.Sqrt(float64(n))
	for k := 1; k <= n/4; k++ {
		rho := 0.0
		for i := range n - k {
			rho += r[i] * r[i+k]
		}
		if rho /= spread; math.Abs(rho) > limit {
			sum += float64((n-k)*(n-k-1)*(n-k-2)) * rho
		}
	}
	return max(1+2*sum/float64(n*(n-1)*(n-2)), 1)
}

// ranks from 1; equal values share the mean of theirs.
func ranks(y []float64) []float64 {
	order := make([]int, len(y))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		switch {
		case y[a] < y[b]:
			return -1
		case y[a] > y[b]:
			return 1
		}
		return a - b
	})
	out := make([]float64, len(y))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && y[order[j]] == y[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			out[order[k]] = float64(i+j+1) / 2
		}
		i = j
	}
	return out
}
