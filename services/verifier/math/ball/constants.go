package ball

import (
	"math/big"
	"sync"
)

func work() *big.Float { return new(big.Float).SetPrec(inner) }

// piValue is π by Machin's formula, 16·arctan(1/5) − 4·arctan(1/239), to inner bits.
var piValue = sync.OnceValue(func() *big.Float {
	p := uint(inner + 64)
	a := arctanInverse(5, p)
	b := arctanInverse(239, p)
	a.Mul(a, new(big.Float).SetInt64(16))
	b.Mul(b, new(big.Float).SetInt64(4))
	return work().Set(a.Sub(a, b))
})

// ln2Value is ln 2 = 18·artanh(1/26) − 2·artanh(1/4801) + 8·artanh(1/8749).
var ln2Value = sync.OnceValue(func() *big.Float {
	p := uint(inner + 64)
	sum := new(big.Float).SetPrec(p)
	for _, t := range [...]struct{ c, n int64 }{{18, 26}, {-2, 4801}, {8, 8749}} {
		x := artanhInverse(t.n, p)
		sum.Add(sum, x.Mul(x, new(big.Float).SetInt64(t.c)))
	}
	return work().Set(sum)
})

func arctanInverse(n int64, p uint) *big.Float { return inverseSeries(n, p, -1) }

func artanhInverse(n int64, p uint) *big.Float { return inverseSeries(n, p, 1) }

// inverseSeries sums s^k / ((2k+1)·n^(2k+1)).
func inverseSeries(n int64, p uint, s int64) *big.Float {
	f := func(v int64) *big.Float { return new(big.Float).SetPrec(p).SetInt64(v) }
	power := f(1)
	power.Quo(power, f(n))
	square := f(n * n)
	sum := f(0)
	sign := int64(1)
	for k := int64(0); power.MantExp(nil) > -int(p)-8; k++ {
		t := new(big.Float).SetPrec(p).Quo(power, f((2*k+1)*sign))
		sum.Add(sum, t)
		power.Quo(power, square)
		sign *= s
	}
	return sum
}

// Pi is π.
func Pi() Real { return fromWork(piValue(), nil) }

// E is e.
func E() Real { x, _ := Exp(FromInt(1)); return x }

// fromWork rounds a value that was computed with guard bits; its own error is below 2^-(Bits+32) of it, plus extra.
func fromWork(v, extra *big.Float) Real {
	m := mid().Set(v)
	r := ulp(m)
	r.Add(r, ulp(m))
	if extra != nil {
		r.Add(r, extra)
	}
	return Real{m, r}
}
