package stat

import (
	"math"
	"slices"
)

// trendMost bounds a trend's points: 24 points have 276 slopes.
const trendMost = 24

// Trend is a Theil–Sen slope with Sen's 95 % interval (Sen 1968; Hollander and Wolfe, section 9.3), in units a step.
type Trend struct {
	Slope, Low, High float64
	N                int
}

// TheilSen fits evenly spaced points, oldest first; ok is false below 5 points.
func TheilSen(y []float64) (t Trend, ok bool) {
	if len(y) > trendMost {
		y = y[len(y)-trendMost:]
	}
	n := len(y)
	if n < 5 {
		return Trend{}, false
	}
	var buf [trendMost * (trendMost - 1) / 2]uint64
	slopes := buf[:0]
	for i := range y {
		for j := i + 1; j < n; j++ {
			slopes = append(slopes, key((y[j]-y[i])/float64(j-i)))
		}
	}
	const z975 = 1.959964
	spread := z975 * math.Sqrt(float64(n*(n-1)*(2*n+5))/18)
	low := int(math.Floor((float64(len(slopes)) - spread) / 2))
	high := int(math.Ceil((float64(len(slopes))+spread)/2)) - 1
	mid, last := len(slopes)/2, len(slopes)-1
	t = Trend{Slope: number(order(slopes, mid)), N: n}
	// What is smaller lies before the middle now, and what is larger behind it: each end is looked for in its half.
	t.Low = number(order(slopes[:mid], max(low, 0)))
	t.High = number(order(slopes[mid:], min(high, last)-mid))
	if len(slopes)%2 == 0 {
		t.Slope = number(slices.Max(slopes[:mid]))/2 + t.Slope/2 // halves first: the sum of two large values overflows
	}
	return t, true
}

// Noise is the spread of the points around the line, grown with their correlation. It overwrites y.
func (t Trend) Noise(y []float64) float64 {
	for i := range y {
		y[i] -= t.Slope * float64(i)
	}
	phi := Inflation(y)
	_, mad := MedianMAD(y)
	return Consistency * mad * phi
}
