package inspect

import "math"

// least is how many pairs a correlation needs to be one.
const least = 3

// Spearman is the rank correlation of two lists of equal length. ok is false where there is none: fewer than 3 pairs,
// lists of different length, a value that is not finite, or no spread in one of both.
func Spearman(x, y []float64) (rho float64, ok bool) {
	if len(x) != len(y) || len(x) < least {
		return 0, false
	}
	for i := range x {
		if bad(x[i]) || bad(y[i]) {
			return 0, false
		}
	}
	rx, ry := ranks(x), ranks(y)
	mean := float64(len(x)+1) / 2
	var xy, xx, yy float64
	for i := range rx {
		a, b := rx[i]-mean, ry[i]-mean
		xy, xx, yy = xy+a*b, xx+a*a, yy+b*b
	}
	if xx == 0 || yy == 0 {
		return 0, false
	}
	return min(max(xy/math.Sqrt(xx*yy), -1), 1), true
}

func bad(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }
