// Package ball computes with enclosures: a value of 320 bits and a radius within which the truth lies.
//
// Every operation widens the radius by what it may have lost, so that two balls that do not touch are proved to be
// different, and two small balls that touch agree in some seventy digits. The functions are our own: what math/big has
// ends at square roots, and float64 calls 1e-17 zero.
package ball

import (
	"errors"
	"math/big"
)

// Bits is the precision of midpoints; work has guard bits beyond it.
const (
	Bits  = 320
	guard = 128
	inner = Bits + guard
)

// ErrUndefined is the answer for a value that does not exist at a point: 1/0, log of a negative number.
var ErrUndefined = errors.New("the expression has no value at this point")

// ErrWide is the answer where the enclosure became too wide to say anything.
var ErrWide = errors.New("the value cannot be enclosed tightly enough")

// ErrLarge is the answer where a value, or an argument, is beyond what any answer is: e^(10^9).
var ErrLarge = errors.New("the value is too large to compute with")

// Real is a midpoint and a radius. The zero value is not usable; make one with the functions of this package.
type Real struct {
	m *big.Float
	r *big.Float // never negative; rounded up
}

func mid() *big.Float { return new(big.Float).SetPrec(Bits) }

func rad() *big.Float { return new(big.Float).SetPrec(32).SetMode(big.AwayFromZero) }

// FromRat encloses a rational number.
func FromRat(v *big.Rat) Real {
	m := mid().SetRat(v)
	x := Real{m, rad()}
	if m.IsInt() && v.IsInt() && v.Num().BitLen() <= Bits {
		return x
	}
	if back, _ := m.Rat(nil); back != nil && back.Cmp(v) == 0 {
		return x
	}
	x.r = ulp(m)
	return x
}

// FromInt is an integer.
func FromInt(n int64) Real { return Real{mid().SetInt64(n), rad()} }

// ulp bounds the rounding error of a midpoint.
func ulp(m *big.Float) *big.Float {
	if m.Sign() == 0 {
		return rad()
	}
	return rad().SetMantExp(big.NewFloat(1), m.MantExp(nil)-Bits+1)
}

// Exact says whether the radius is zero.
func (x Real) Exact() bool { return x.r.Sign() == 0 }

// ContainsZero says whether zero may be the value.
func (x Real) ContainsZero() bool {
	return new(big.Float).Abs(x.m).Cmp(x.r) <= 0
}

// Sign is −1 or 1 where the sign is certain, else 0.
func (x Real) Sign() int {
	if x.ContainsZero() {
		return 0
	}
	return x.m.Sign()
}

// IsZero says whether the value is exactly zero.
func (x Real) IsZero() bool { return x.m.Sign() == 0 && x.Exact() }

// Integer gives the value where it is exactly an integer that fits.
func (x Real) Integer() (int64, bool) {
	if !x.Exact() || !x.m.IsInt() {
		return 0, false
	}
	n, acc := x.m.Int64()
	return n, acc == big.Exact
}

// Float is the midpoint for people.
func (x Real) Float() float64 {
	f, _ := x.m.Float64()
	return f
}

func addRad(a ...*big.Float) *big.Float {
	s := rad()
	for _, x := range a {
		s.Add(s, x)
	}
	return s
}

func absUp(m *big.Float) *big.Float { return rad().Abs(rad().Set(m)) }

// Add gives x + y.
func (x Real) Add(y Real) Real {
	m := mid().Add(x.m, y.m)
	if x.Exact() && y.Exact() && m.Acc() == big.Exact {
		return Real{m, rad()}
	}
	return Real{m, addRad(x.r, y.r, ulp(m))}
}

// Neg gives −x.
func (x Real) Neg() Real { return Real{mid().Neg(x.m), x.r} }

// Sub gives x − y.
func (x Real) Sub(y Real) Real { return x.Add(y.Neg()) }

// Mul gives x · y.
func (x Real) Mul(y Real) Real {
	m := mid().Mul(x.m, y.m)
	if x.Exact() && y.Exact() && m.Acc() == big.Exact {
		return Real{m, rad()}
	}
	a := rad().Mul(absUp(x.m), y.r)
	b := rad().Mul(absUp(y.m), x.r)
	c := rad().Mul(x.r, y.r)
	return Real{m, addRad(a, b, c, ulp(m))}
}

// Div gives x / y.
func (x Real) Div(y Real) (Real, error) {
	if y.ContainsZero() {
		return Real{}, ErrUndefined
	}
	m := mid().Quo(x.m, y.m)
	if x.Exact() && y.Exact() && m.Acc() == big.Exact {
		return Real{m, rad()}, nil
	}
	// |x/y − m| ≤ (rx + |m|·ry) / (|y| − ry)
	low := new(big.Float).SetPrec(64).SetMode(big.ToZero).Abs(y.m)
	low.Sub(low, y.r)
	if low.Sign() <= 0 {
		return Real{}, ErrUndefined
	}
	n := addRad(x.r, rad().Mul(absUp(m), y.r))
	return Real{m, addRad(rad().Quo(n, low), ulp(m))}, nil
}

// Abs gives |x|.
func (x Real) Abs() Real { return Real{mid().Abs(x.m), x.r} }

// Overlaps says whether x and y may be the same value.
func (x Real) Overlaps(y Real) bool {
	d := new(big.Float).SetPrec(Bits).Sub(x.m, y.m)
	return d.Abs(d).Cmp(addRad(x.r, y.r, ulp(d))) <= 0
}

// Tight says whether the radius is below 2^-bits of the value, or of one where the value may be zero.
func (x Real) Tight(bits int) bool {
	if x.Exact() {
		return true
	}
	exp := 0
	if !x.ContainsZero() {
		exp = x.m.MantExp(nil)
	}
	return x.r.MantExp(nil) <= exp-bits
}

// tooLarge bounds exponents: what is beyond is no answer to a question.
func (x Real) tooLarge() bool { return x.m.MantExp(nil) > 1<<20 || x.m.MantExp(nil) < -(1<<20) }
