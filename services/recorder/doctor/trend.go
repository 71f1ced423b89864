package doctor

import (
	"math"
	"slices"

	"github.com/provenir/provenir/services/recorder/detect/stat"
)

// Verdicts of a trend.
const (
	Improving    = "improving"
	Declining    = "declining"
	Plateau      = "plateau"
	Ceiling      = "ceiling"
	Insufficient = "insufficient"
)

// trendMost is how many points a trend is judged by; a longer series becomes medians of blocks.
const trendMost = 200

// Trend of a series. Slopes are a step; they are there from two values on.
type Trend struct {
	Verdict          string
	N                int     // values that are finite
	Slope, Low, High float64 // Theil and Sen, 95 %
	P                float64 // Mann and Kendall, two-sided
	Change           float64 // slope·n
	Measured         bool    // there is a slope
}

// TrendOf judges values, one a step, oldest first; those that are not finite are left out and leave a gap. span is the width of
// the range of rewards, least the fewest values that allow a verdict.
//
// δ = max(0.02·span, 0.5·σ̂), σ̂ the spread around the line. A change whose whole interval lies inside ±δ is a plateau even
// where its sign is sure: it is too small to be an improvement.
func TrendOf(values []float64, span float64, least int) Trend {
	x, y := finite(values)
	t := Trend{Verdict: Insufficient, N: len(y)}
	if len(y) < 2 {
		return t
	}
	x, y = blocks(x, y)
	slopes := slopesOf(x, y)
	t.Slope, t.Measured = stat.Median(slopes), true
	even := (x[len(x)-1] - x[0]) / float64(len(x)-1)
	k := mannKendall(y, hamedRao(y, t.Slope*even))
	t.P = k.P
	t.Low, t.High = sen(slopes, k.Variance)
	n := float64(t.N)
	t.Change = t.Slope * n
	if t.N < max(least, 2) {
		return t
	}
	delta := max(0.02*span, 0.5*noise(x, y, t.Slope))
	level := stat.Median(slices.Clone(y[max(len(y)-5, 0):]))
	sure := k.P <= 0.05
	switch {
	case level >= 0.95*span && !(sure && t.High < 0):
		t.Verdict = Ceiling
	case t.Low*n >= -delta && t.High*n <= delta:
		t.Verdict = Plateau
	case sure && t.Low > 0:
		t.Verdict = Improving
	case sure && t.High < 0:
		t.Verdict = Declining
	}
	return t
}

func finite(values []float64) (x, y []float64) {
	for i, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			x, y = append(x, float64(i)), append(y, v)
		}
	}
	return x, y
}

// blocks gives medians of neighbours, so that at most trendMost points are left.
func blocks(x, y []float64) (bx, by []float64) {
	if len(y) <= trendMost {
		return x, y
	}
	size := (len(y) + trendMost - 1) / trendMost
	for i := 0; i < len(y); i += size {
		j := min(i+size, len(y))
		bx = append(bx, (x[i]+x[j-1])/2)
		by = append(by, stat.Median(slices.Clone(y[i:j])))
	}
	return bx, by
}

// slopesOf gives the slope of every pair, sorted.
func slopesOf(x, y []float64) []float64 {
	out := make([]float64, 0, len(y)*(len(y)-1)/2)
	for i := range y {
		for j := i + 1; j < len(y); j++ {
			out = append(out, (y[j]-y[i])/(x[j]-x[i]))
		}
	}
	slices.Sort(out)
	return out
}

// sen is the 95 % interval of the slope (Sen 1968): the slopes (N ∓ 1.96·√Var S)/2 from the ends.
func sen(slopes []float64, variance float64) (low, high float64) {
	n, c := float64(len(slopes)), 1.959963984540054*math.Sqrt(max(variance, 0))
	l, h := int(math.Floor((n-c)/2))-1, int(math.Ceil((n+c)/2))
	return slopes[max(l, 0)], slopes[min(h, len(slopes)-1)]
}

// noise is the spread around the line, by the median absolute deviation.
func noise(x, y []float64, slope float64) float64 {
	rest := make([]float64, len(y))
	for i := range y {
		rest[i] = y[i] - slope*x[i]
	}
	_, mad := stat.MedianMAD(rest)
	return stat.Consistency * mad
}
