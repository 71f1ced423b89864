// Package stat holds the small statistics that detectors share. State is plain data with exported fields, so that a
// snapshot is its JSON and nothing else; functions allocate nothing.
package stat

import (
	"math"
	"slices"
)

// Consistency makes the median absolute deviation of a normal sample its standard deviation (1/Φ⁻¹(3/4)).
const Consistency = 1.4826

// Median of values; it sorts them. The median of nothing is NaN.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	if n := len(v); n%2 == 1 {
		return v[n/2]
	} else {
		return v[n/2-1]/2 + v[n/2]/2 // halves first: the sum of two large values overflows
	}
}

// MedianMAD gives median and median absolute deviation. It overwrites its argument.
func MedianMAD(v []float64) (m, mad float64) {
	m = Median(v)
	for i := range v {
		v[i] = math.Abs(v[i] - m)
	}
	return m, Median(v)
}

// Inflation is what lag-1 correlation φ does to the spread of a mean: √((1+φ)/(1−φ)), at least 1.
func Inflation(v []float64) float64 {
	phi := lag1(v)
	return math.Sqrt((1 + phi) / (1 - phi))
}

// lag1 is the lag-1 autocorrelation, held in [0, 0.9]: only positive correlation makes a spread look too small.
func lag1(v []float64) float64 {
	if len(v) < 3 {
		return 0
	}
	mean := 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	var num, den float64
	for i, x := range v {
		den += (x - mean) * (x - mean)
		if i > 0 {
			num += (x - mean) * (v[i-1] - mean)
		}
	}
	if den <= 0 {
		return 0
	}
	return min(max(num/den, 0), 0.9)
}
