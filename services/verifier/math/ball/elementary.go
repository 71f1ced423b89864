package ball

import (
	"math"
	"math/big"
)

// maxArgument bounds exponents and angles: beyond it too many digits of the argument would be lost.
const maxArgument = 1 << 16

func (x Real) outside(bound int64) bool {
	return new(big.Float).Abs(x.m).Cmp(new(big.Float).SetInt64(bound)) > 0
}

// expWork gives e^x with guard bits: x = k·ln 2 + t, t is halved 24 times, a Taylor series, and squared back.
func expWork(x *big.Float) *big.Float {
	q, _ := work().Quo(x, ln2Value()).Float64()
	k := math.Round(q)
	t := work().Sub(x, work().Mul(ln2Value(), work().SetFloat64(k)))
	const halvings = 24
	t.SetMantExp(t, -halvings)
	sum, term := work().SetInt64(1), work().SetInt64(1)
	for n := int64(1); n < 200; n++ {
		term.Mul(term, t)
		term.Quo(term, work().SetInt64(n))
		if term.Sign() == 0 || term.MantExp(nil) < -inner-8 {
			break
		}
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum.SetMantExp(sum, int(k))
}

// Exp gives e^x.
func Exp(x Real) (Real, error) {
	if x.outside(maxArgument) {
		return Real{}, ErrLarge
	}
	if x.IsZero() {
		return FromInt(1), nil
	}
	v := expWork(work().Set(x.m))
	// e^(x±r) lies within e^x·2r for r < 1/2
	if x.r.Cmp(big.NewFloat(0.5)) > 0 {
		return Real{}, ErrWide
	}
	extra := rad().Mul(absUp(v), rad().Mul(x.r, rad().SetInt64(2)))
	return fromWork(v, extra), nil
}

// logWork gives ln x for x > 0 by two steps of Halley's method on e^y, each of which triples the digits.
func logWork(x *big.Float) *big.Float {
	mant := work()
	exp := x.MantExp(mant)
	if f, _ := mant.Float64(); f < math.Sqrt2/2 {
		mant.SetMantExp(mant, 1)
		exp--
	}
	f, _ := mant.Float64()
	y := work().SetFloat64(math.Log(f))
	for range 3 {
		e := expWork(y)
		n := work().Sub(mant, e)
		d := work().Add(mant, e)
		n.Quo(n, d)
		y.Add(y, n.SetMantExp(n, 1))
	}
	return y.Add(y, work().Mul(ln2Value(), work().SetInt64(int64(exp))))
}

// Log gives ln x for x > 0.
func Log(x Real) (Real, error) {
	if x.Sign() <= 0 || x.tooLarge() {
		return Real{}, ErrUndefined
	}
	if x.Exact() && x.m.Cmp(big.NewFloat(1)) == 0 {
		return FromInt(0), nil
	}
	v := logWork(work().Set(x.m))
	// the derivative is 1/x; the absolute error of the method is below 2^-(inner-16)
	low := new(big.Float).SetPrec(64).SetMode(big.ToZero).Sub(x.m, x.r)
	if low.Sign() <= 0 {
		return Real{}, ErrWide
	}
	extra := addRad(rad().Quo(x.r, low), rad().SetMantExp(big.NewFloat(1), -inner+24))
	return fromWork(v, extra), nil
}

// sinCosWork reduces by multiples of π/2 and sums the Taylor series.
func sinCosWork(x *big.Float) (sin, cos *big.Float) {
	half := work().SetMantExp(piValue(), -1)
	q, _ := work().Quo(x, half).Float64()
	k := int64(math.Round(q))
	t := work().Sub(x, work().Mul(half, work().SetInt64(k)))
	t2 := work().Mul(t, t)
	sin, cos = work().Set(t), work().SetInt64(1)
	s, c := work().Set(t), work().SetInt64(1)
	for n := int64(1); n < 300; n++ {
		c.Mul(c, t2)
		c.Quo(c, work().SetInt64(-(2*n-1)*(2*n)))
		s.Mul(s, t2)
		s.Quo(s, work().SetInt64(-(2*n)*(2*n+1)))
		cos.Add(cos, c)
		sin.Add(sin, s)
		if c.Sign() == 0 || c.MantExp(nil) < -inner-8 {
			break
		}
	}
	switch ((k % 4) + 4) % 4 {
	case 1:
		sin, cos = cos, sin.Neg(sin)
	case 2:
		sin, cos = sin.Neg(sin), cos.Neg(cos)
	case 3:
		sin, cos = cos.Neg(cos), sin
	}
	return sin, cos
}

// SinCos gives sin x and cos x.
func SinCos(x Real) (sin, cos Real, err error) {
	if x.outside(maxArgument) {
		return Real{}, Real{}, ErrLarge
	}
	if x.IsZero() {
		return FromInt(0), FromInt(1), nil
	}
	s, c := sinCosWork(work().Set(x.m))
	// both derivatives are at most 1; the reduction loses up to 17 bits of π
	extra := addRad(x.r, rad().SetMantExp(big.NewFloat(1), -inner+32))
	return fromWork(s, extra), fromWork(c, extra), nil
}

// Atan gives arctan x: an approximation y, and the small rest arctan((x−tan y)/(1+x·tan y)) by its series.
func Atan(x Real) (Real, error) {
	if x.IsZero() {
		return FromInt(0), nil
	}
	if x.tooLarge() {
		return Real{}, ErrLarge
	}
	f, _ := x.m.Float64()
	y := work().SetFloat64(math.Atan(f))
	s, c := sinCosWork(y)
	m := work().Set(x.m)
	n := work().Sub(work().Mul(m, c), s)
	d := work().Add(c, work().Mul(m, s))
	n.Quo(n, d)
	n2 := work().Mul(n, n)
	power := work().Set(n)
	for k := int64(0); k < 64; k++ {
		sign := 1 - 2*(k%2)
		t := work().Quo(power, work().SetInt64(sign*(2*k+1)))
		y.Add(y, t)
		if t.Sign() == 0 || t.MantExp(nil) < -inner {
			break
		}
		power.Mul(power, n2)
	}
	return fromWork(y, addRad(x.r, rad().SetMantExp(big.NewFloat(1), -inner+32))), nil
}

// Sqrt gives √x for x ≥ 0. A ball that reaches below zero has no certain root.
func Sqrt(x Real) (Real, error) {
	if x.IsZero() {
		return x, nil
	}
	if x.Sign() <= 0 {
		return Real{}, ErrUndefined
	}
	m := mid().Sqrt(x.m)
	if x.Exact() && mid().Mul(m, m).Cmp(x.m) == 0 && new(big.Float).Mul(m, m).Acc() == big.Exact && m.MinPrec()*2 <= Bits {
		return Real{m, rad()}, nil
	}
	low := new(big.Float).SetPrec(64).SetMode(big.ToZero).Sub(x.m, x.r)
	if low.Sign() <= 0 {
		return Real{}, ErrWide
	}
	low.Sqrt(low)
	// |√a − √b| ≤ |a−b| / √low; low was rounded to nearest, so one more bit
	return Real{m, addRad(rad().Quo(x.r, low), ulp(m), ulp(m))}, nil
}

// Floor gives the largest integer below x where there is no doubt which one it is.
func Floor(x Real) (Real, error) {
	if x.tooLarge() || x.m.MantExp(nil) > Bits-8 {
		return Real{}, ErrWide
	}
	lo, hi := new(big.Float).SetPrec(2*Bits).Sub(x.m, x.r), new(big.Float).SetPrec(2*Bits).Add(x.m, x.r)
	a, b := floorInt(lo), floorInt(hi)
	if a.Cmp(b) != 0 {
		return Real{}, ErrWide
	}
	return Real{mid().SetInt(a), rad()}, nil
}

func floorInt(f *big.Float) *big.Int {
	n, acc := f.Int(nil)
	if acc == big.Above { // Int truncates: −1.5 becomes −1
		n.Sub(n, big.NewInt(1))
	}
	return n
}
