package metric

import "fmt"

// leastK3 is the least k3 estimate: e^x - x - 1 is never negative, and the rest is rounding.
const leastK3 = -1e-9

// Problem says why a finite value cannot be what its name says; empty when it can. Values that are not finite are no
// matter of their domain.
func Problem(v Value) string {
	if !v.Finite() {
		return ""
	}
	spec, known := Lookup(v.Name)
	switch {
	case !known:
		return ""
	case v.Estimator == "k3" && v.X < leastK3:
		return fmt.Sprintf("a k3 estimate of %g; it is never negative", v.X)
	case spec.Domain == NonNegative && v.X < 0:
		return fmt.Sprintf("%g is negative", v.X)
	case spec.Domain == Fraction && (v.X < 0 || v.X > 1):
		return fmt.Sprintf("%g is outside of 0 to 1", v.X)
	}
	return ""
}
