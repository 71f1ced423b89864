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
	return middle(v)
}

// middle is the median of sorted values, at least one.
func middle(v []float64) float64 {
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

// sortedMAD is MedianMAD of sorted values, which it leaves alone: deviations grow to both sides of the median, so the
// nearest ones are taken one by one until the middle is reached.
func sortedMAD(v []float64) (m, mad float64) {
	m = middle(v)
	low, high := len(v)/2-1, len(v)/2
	var last, before float64
	for range len(v)/2 + 1 {
		before = last
		if low < 0 || high < len(v) && math.Abs(v[high]-m) <= math.Abs(v[low]-m) {
			last = math.Abs(v[high] - m)
			high++
		} else {
			last = math.Abs(v[low] - m)
			low--
		}
	}
	if len(v)%2 == 1 {
		return m, last
	}
	return m, before/2 + last/2
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
