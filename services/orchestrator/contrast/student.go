package contrast

import "math"

// Interval is a mean of several seeds with its 95 % interval.
type Interval struct {
	Mean, Low, High float64
	N               int
}

// intervalOf is Student's interval of the mean: with three seeds it is wide, which is what three seeds are worth.
func intervalOf(values []float64) Interval {
	n := float64(len(values))
	mean, ss := 0.0, 0.0
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		ss += (v - mean) * (v - mean)
	}
	half := quantile(n-1) * math.Sqrt(ss/(n-1)/n)
	return Interval{mean, mean - half, mean + half, len(values)}
}

// quantile is the 97.5 % point of Student's t with df degrees of freedom, by bisection of its distribution.
func quantile(df float64) float64 {
	lo, hi := 0.0, 13.0 // 12.706 with one degree
	for range 60 {
		if mid := (lo + hi) / 2; cumulative(mid, df) < 0.975 {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// cumulative is P(T ≤ t) for t ≥ 0, by Simpson's rule over the density: 400 steps are exact to six digits here.
func cumulative(t, df float64) float64 {
	a, _ := math.Lgamma((df + 1) / 2)
	b, _ := math.Lgamma(df / 2)
	scale := math.Exp(a-b) / math.Sqrt(df*math.Pi)
	density := func(x float64) float64 { return scale * math.Pow(1+x*x/df, -(df+1)/2) }
	const steps = 400
	h := t / steps
	sum := density(0) + density(t)
	for i := 1; i < steps; i++ {
		weight := 2.0
		if i%2 == 1 {
			weight = 4
		}
		sum += weight * density(float64(i)*h)
	}
	return 0.5 + sum*h/3
}
