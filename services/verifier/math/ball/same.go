package ball

import (
	"math/big"

	"github.com/provenir/provenir/services/verifier/math/exact"
)

// agreeBits is how tight enclosures must be to count as equal: 39 digits of the larger value. zeroBits is how close to
// zero, absolutely, a value must lie to count as zero: below 1e-60. There is no other absolute floor, so 1e-7 and 2e-7
// differ, and so do 1e-50 and 0.
const (
	agreeBits = 130
	zeroBits  = 200
)

// Same compares two values: disjoint ones differ, tight overlapping ones are the same, and of wide ones nothing is known.
func Same(x, y Complex) exact.Answer {
	if !x.Re.Overlaps(y.Re) || !x.Im.Overlaps(y.Im) {
		return exact.Differ
	}
	if x.mayBeZero() && y.mayBeZero() {
		if x.within(-zeroBits) && y.within(-zeroBits) {
			return exact.Same
		}
		return exact.Unknown
	}
	if x.mayBeZero() || y.mayBeZero() {
		return exact.Unknown
	}
	size := max(x.exponent(), y.exponent())
	if x.within(size-agreeBits) && y.within(size-agreeBits) {
		return exact.Same
	}
	return exact.Unknown
}

// Agree compares to a number of decimal digits, relative to the larger value.
func Agree(x, y Complex, digits int) exact.Answer {
	if s := Same(x, y); s == exact.Same {
		return s
	}
	d := x.Sub(y)
	if d.mayBeZero() && d.within(-zeroBits) {
		return exact.Same
	}
	size := max(x.exponent(), y.exponent())
	if x.mayBeZero() && y.mayBeZero() {
		return exact.Unknown
	}
	// 10^-digits is 2^-(3.32·digits)
	if limit := size - digits*332/100; d.exponent() <= limit {
		return exact.Same
	}
	return exact.Differ
}

func (z Complex) mayBeZero() bool { return z.Re.ContainsZero() && z.Im.ContainsZero() }

// exponent is that of the larger part.
func (z Complex) exponent() int {
	a, b := exponentOf(z.Re), exponentOf(z.Im)
	return max(a, b)
}

const noExponent = -1 << 30

func exponentOf(x Real) int {
	if x.m.Sign() == 0 {
		return noExponent
	}
	return x.m.MantExp(nil)
}

// within says whether both radii are below 2^bits.
func (z Complex) within(bits int) bool {
	for _, r := range [...]*big.Float{z.Re.r, z.Im.r} {
		if r.Sign() != 0 && r.MantExp(nil) > bits {
			return false
		}
	}
	return true
}

// Rats gives the midpoints as rational numbers; ok is false where the enclosure is wider than 1e-39 of the value.
func (z Complex) Rats() (re, im *big.Rat, ok bool) {
	if !z.within(max(z.exponent(), -zeroBits) - agreeBits) {
		return nil, nil, false
	}
	if z.exponent() > 1<<14 || z.exponent() != noExponent && z.exponent() < -(1<<14) {
		return nil, nil, false
	}
	part := func(x Real) *big.Rat {
		if x.ContainsZero() {
			return new(big.Rat)
		}
		v, _ := x.m.Rat(nil)
		return v
	}
	return part(z.Re), part(z.Im), true
}
