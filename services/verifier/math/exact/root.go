package exact

import "math/big"

// maxTrial bounds the search for square factors; what is left above it is taken as one generator, of which nothing is
// claimed but its square.
const maxTrial = 2_000

// sqrtRat gives √v as a coefficient times generators √p. For a negative v it is i times that of −v.
func (x *Context) sqrtRat(v *big.Rat) (Form, error) {
	if v.Sign() == 0 {
		return whole(Poly{}), nil
	}
	// √(a/b) = √(ab)/b
	n := new(big.Int).Mul(new(big.Int).Abs(v.Num()), v.Denom())
	if n.BitLen() > maxBits {
		return Form{}, ErrWork
	}
	out := constant(new(big.Rat).SetFrac(big.NewInt(1), v.Denom()))
	if v.Sign() < 0 {
		i, err := x.generatorPoly("i", genImaginary, nil)
		if err != nil {
			return Form{}, err
		}
		if out, err = x.mul(out, i); err != nil {
			return Form{}, err
		}
	}
	outside := big.NewInt(1)
	var primes []*big.Int
	rest := new(big.Int).Set(n)
	p, q, m := new(big.Int), new(big.Int), new(big.Int)
	for d := int64(2); d <= maxTrial && rest.BitLen() > 1; d++ {
		p.SetInt64(d)
		odd := false
		for {
			if err := x.budget.Spend(2 + rest.BitLen()/64); err != nil {
				return Form{}, err
			}
			if q.QuoRem(rest, p, m); m.Sign() != 0 {
				break
			}
			rest.Set(q)
			if odd {
				outside.Mul(outside, p)
			}
			odd = !odd
		}
		if odd {
			primes = append(primes, big.NewInt(d))
		}
		if rest.IsInt64() && d*d > rest.Int64() && rest.Int64() > 1 { // what is left is prime
			primes = append(primes, new(big.Int).Set(rest))
			rest.SetInt64(1)
		}
	}
	var unknown *big.Int
	if rest.BitLen() > 1 {
		root := new(big.Int).Sqrt(rest)
		if q.Mul(root, root).Cmp(rest) == 0 {
			outside.Mul(outside, root)
		} else {
			unknown = rest
		}
	}
	out = scale(out, new(big.Rat).SetInt(outside))
	for _, p := range primes {
		if err := x.times(&out, "√"+p.String(), genRoot, p); err != nil {
			return Form{}, err
		}
	}
	if unknown != nil { // it may have square factors, so it is an atom
		if err := x.times(&out, "√"+unknown.String(), genAtom, unknown); err != nil {
			return Form{}, err
		}
	}
	return whole(out), nil
}

func (x *Context) times(out *Poly, key string, kind genKind, square *big.Int) error {
	g, err := x.generatorPoly(key, kind, constant(new(big.Rat).SetInt(square)))
	if err != nil {
		return err
	}
	*out, err = x.mul(*out, g)
	return err
}

// sqrtForm gives √a: of a number exactly, of anything else a rational square part times an atom whose square is known.
func (x *Context) sqrtForm(a Form) (Form, error) {
	if v, ok := a.Rational(); ok {
		return x.sqrtRat(v)
	}
	if !same(a.Den, one) { // √(n/d) is one atom: splitting it would be wrong for negative values
		return x.atom("√(" + x.Show(a) + ")")
	}
	content, rest := split(a.Num)
	outer, err := x.sqrtRat(content)
	if err != nil {
		return Form{}, err
	}
	g, err := x.generatorPoly("√("+x.show(rest)+")", genAtom, rest)
	if err != nil {
		return Form{}, err
	}
	return x.Mul(outer, whole(g))
}

// split takes a positive rational factor out of a polynomial, so that √(4x) and 2√x share their atom.
func split(p Poly) (*big.Rat, Poly) {
	terms := p.sorted()
	c := new(big.Rat).Abs(terms[0].c)
	return c, scale(p, new(big.Rat).Inv(c))
}

// atom is a generator that stands for itself.
func (x *Context) atom(key string) (Form, error) {
	g, err := x.generatorPoly(key, genAtom, nil)
	if err != nil {
		return Form{}, err
	}
	return whole(g), nil
}

// rootRat gives the real n-th root of v where it is rational.
func rootRat(v *big.Rat, n int64) (*big.Rat, bool) {
	neg := v.Sign() < 0
	if neg && n%2 == 0 || n < 2 || n > 256 {
		return nil, false
	}
	a, okA := rootInt(new(big.Int).Abs(v.Num()), n)
	b, okB := rootInt(v.Denom(), n)
	if !okA || !okB {
		return nil, false
	}
	out := new(big.Rat).SetFrac(a, b)
	if neg {
		out.Neg(out)
	}
	return out, true
}

// rootInt finds r with rⁿ = v by bisection.
func rootInt(v *big.Int, n int64) (*big.Int, bool) {
	if v.Sign() == 0 {
		return new(big.Int), true
	}
	if v.BitLen() > maxBits {
		return nil, false
	}
	lo, hi := big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), uint(v.BitLen())/uint(n)+1)
	e := big.NewInt(n)
	for lo.Cmp(hi) < 0 {
		mid := new(big.Int).Add(lo, hi)
		mid.Add(mid, big.NewInt(1)).Rsh(mid, 1)
		if new(big.Int).Exp(mid, e, nil).Cmp(v) <= 0 {
			lo = mid
		} else {
			hi = mid.Sub(mid, big.NewInt(1))
		}
	}
	return lo, new(big.Int).Exp(lo, e, nil).Cmp(v) == 0
}
