package ball

// SinCosC gives sin z and cos z.
func SinCosC(z Complex) (sin, cos Complex, err error) {
	s, c, err := SinCos(z.Re)
	if err != nil {
		return Complex{}, Complex{}, err
	}
	if z.IsReal() {
		return FromReal(s), FromReal(c), nil
	}
	sh, ch, err := sinhCosh(z.Im)
	if err != nil {
		return Complex{}, Complex{}, err
	}
	return Complex{s.Mul(ch), c.Mul(sh)}, Complex{c.Mul(ch), s.Mul(sh).Neg()}, nil
}

func sinhCosh(x Real) (sinh, cosh Real, err error) {
	p, err := Exp(x)
	if err != nil {
		return Real{}, Real{}, err
	}
	m, err := FromInt(1).Div(p)
	if err != nil {
		return Real{}, Real{}, err
	}
	return half(p.Sub(m)), half(p.Add(m)), nil
}

// SinhCoshC gives sinh z and cosh z.
func SinhCoshC(z Complex) (sinh, cosh Complex, err error) {
	p, err := ExpC(z)
	if err != nil {
		return Complex{}, Complex{}, err
	}
	m, err := FromReal(FromInt(1)).Div(p)
	if err != nil {
		return Complex{}, Complex{}, err
	}
	h := FromReal(half(FromInt(1)))
	return p.Sub(m).Mul(h), p.Add(m).Mul(h), nil
}

// AtanC gives arctan z.
func AtanC(z Complex) (Complex, error) {
	if z.IsReal() {
		a, err := Atan(z.Re)
		return FromReal(a), err
	}
	one := FromReal(FromInt(1))
	iz := I().Mul(z)
	a, err := LogC(one.Sub(iz))
	if err != nil {
		return Complex{}, err
	}
	b, err := LogC(one.Add(iz))
	if err != nil {
		return Complex{}, err
	}
	return I().Mul(FromReal(half(FromInt(1)))).Mul(a.Sub(b)), nil
}

// AsinC gives arcsin z. On the real axis it is real only within [−1, 1]; outside ok is false and nothing is given.
func AsinC(z Complex) (Complex, error) {
	one := FromReal(FromInt(1))
	if z.IsReal() {
		d := FromInt(1).Sub(z.Re.Abs())
		switch {
		case d.IsZero():
			h := half(Pi())
			if z.Re.Sign() < 0 {
				h = h.Neg()
			}
			return FromReal(h), nil
		case d.Sign() > 0:
			r, err := Sqrt(FromInt(1).Sub(z.Re.Mul(z.Re)))
			if err != nil {
				return Complex{}, err
			}
			q, err := z.Re.Div(r)
			if err != nil {
				return Complex{}, err
			}
			a, err := Atan(q)
			return FromReal(a), err
		default:
			return Complex{}, ErrUndefined
		}
	}
	r, err := SqrtC(one.Sub(z.Mul(z)))
	if err != nil {
		return Complex{}, err
	}
	l, err := LogC(I().Mul(z).Add(r))
	return I().Mul(l).Neg(), err
}

// AcosC gives arccos z.
func AcosC(z Complex) (Complex, error) {
	a, err := AsinC(z)
	return FromReal(half(Pi())).Sub(a), err
}

// AsinhC gives ln(z + √(z²+1)).
func AsinhC(z Complex) (Complex, error) {
	r, err := SqrtC(z.Mul(z).Add(FromReal(FromInt(1))))
	if err != nil {
		return Complex{}, err
	}
	return LogC(z.Add(r))
}

// AcoshC gives ln(z + √(z−1)·√(z+1)).
func AcoshC(z Complex) (Complex, error) {
	one := FromReal(FromInt(1))
	a, err := SqrtC(z.Sub(one))
	if err != nil {
		return Complex{}, err
	}
	b, err := SqrtC(z.Add(one))
	if err != nil {
		return Complex{}, err
	}
	return LogC(z.Add(a.Mul(b)))
}

// AtanhC gives ½·ln((1+z)/(1−z)).
func AtanhC(z Complex) (Complex, error) {
	one := FromReal(FromInt(1))
	q, err := one.Add(z).Div(one.Sub(z))
	if err != nil {
		return Complex{}, err
	}
	l, err := LogC(q)
	return l.Mul(FromReal(half(FromInt(1)))), err
}
