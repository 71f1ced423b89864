package ball

// Complex is a value with a real and an imaginary part.
type Complex struct{ Re, Im Real }

// FromReal makes a complex value of a real one.
func FromReal(x Real) Complex { return Complex{x, FromInt(0)} }

// I is the imaginary unit.
func I() Complex { return Complex{FromInt(0), FromInt(1)} }

// IsReal says whether the imaginary part is exactly zero.
func (z Complex) IsReal() bool { return z.Im.IsZero() }

// Add gives z + w.
func (z Complex) Add(w Complex) Complex { return Complex{z.Re.Add(w.Re), z.Im.Add(w.Im)} }

// Neg gives −z.
func (z Complex) Neg() Complex { return Complex{z.Re.Neg(), z.Im.Neg()} }

// Sub gives z − w.
func (z Complex) Sub(w Complex) Complex { return z.Add(w.Neg()) }

// Mul gives z · w.
func (z Complex) Mul(w Complex) Complex {
	if z.IsReal() && w.IsReal() {
		return FromReal(z.Re.Mul(w.Re))
	}
	return Complex{z.Re.Mul(w.Re).Sub(z.Im.Mul(w.Im)), z.Re.Mul(w.Im).Add(z.Im.Mul(w.Re))}
}

// Div gives z / w.
func (z Complex) Div(w Complex) (Complex, error) {
	if w.IsReal() {
		re, err := z.Re.Div(w.Re)
		if err != nil {
			return Complex{}, err
		}
		if z.IsReal() {
			return FromReal(re), nil
		}
		im, err := z.Im.Div(w.Re)
		return Complex{re, im}, err
	}
	n := z.Mul(Complex{w.Re, w.Im.Neg()})
	d := w.Re.Mul(w.Re).Add(w.Im.Mul(w.Im))
	re, err := n.Re.Div(d)
	if err != nil {
		return Complex{}, err
	}
	im, err := n.Im.Div(d)
	return Complex{re, im}, err
}

// AbsC gives |z|.
func (z Complex) AbsC() (Real, error) {
	if z.IsReal() {
		return z.Re.Abs(), nil
	}
	return Sqrt(z.Re.Mul(z.Re).Add(z.Im.Mul(z.Im)))
}

// ExpC gives e^z.
func ExpC(z Complex) (Complex, error) {
	e, err := Exp(z.Re)
	if err != nil || z.IsReal() {
		return FromReal(e), err
	}
	s, c, err := SinCos(z.Im)
	if err != nil {
		return Complex{}, err
	}
	return Complex{e.Mul(c), e.Mul(s)}, nil
}

// arg gives the angle in (−π, π]. A ball that touches the negative axis, where the angle jumps, has none.
func (z Complex) arg() (Real, error) {
	switch {
	case z.IsReal() && z.Re.Sign() > 0:
		return FromInt(0), nil
	case z.IsReal() && z.Re.Sign() < 0:
		return Pi(), nil
	case z.Re.Sign() > 0:
		q, err := z.Im.Div(z.Re)
		if err != nil {
			return Real{}, err
		}
		return Atan(q)
	case z.Im.Sign() != 0:
		q, err := z.Re.Div(z.Im)
		if err != nil {
			return Real{}, err
		}
		a, err := Atan(q)
		if err != nil {
			return Real{}, err
		}
		half := half(Pi())
		if z.Im.Sign() < 0 {
			half = half.Neg()
		}
		return half.Sub(a), nil
	default:
		return Real{}, ErrWide
	}
}

func half(x Real) Real {
	h, _ := x.Div(FromInt(2))
	return h
}

// LogC gives the principal logarithm.
func LogC(z Complex) (Complex, error) {
	if z.IsReal() && z.Re.Sign() > 0 {
		l, err := Log(z.Re)
		return FromReal(l), err
	}
	if z.Re.IsZero() && z.Im.IsZero() {
		return Complex{}, ErrUndefined
	}
	r, err := z.AbsC()
	if err != nil {
		return Complex{}, err
	}
	l, err := Log(r)
	if err != nil {
		return Complex{}, err
	}
	a, err := z.arg()
	return Complex{l, a}, err
}

// SqrtC gives the principal square root.
func SqrtC(z Complex) (Complex, error) {
	if z.IsReal() {
		if z.Re.Sign() >= 0 && (z.Re.Sign() > 0 || z.Re.IsZero()) {
			s, err := Sqrt(z.Re)
			return FromReal(s), err
		}
		s, err := Sqrt(z.Re.Neg())
		return Complex{FromInt(0), s}, err
	}
	r, err := z.AbsC()
	if err != nil {
		return Complex{}, err
	}
	if z.Re.Sign() > 0 {
		a, err := Sqrt(half(r.Add(z.Re)))
		if err != nil {
			return Complex{}, err
		}
		b, err := z.Im.Div(a.Add(a))
		return Complex{a, b}, err
	}
	if z.Im.Sign() == 0 {
		return Complex{}, ErrWide
	}
	b, err := Sqrt(half(r.Sub(z.Re)))
	if err != nil {
		return Complex{}, err
	}
	if z.Im.Sign() < 0 {
		b = b.Neg()
	}
	a, err := z.Im.Div(b.Add(b))
	return Complex{a, b}, err
}

// PowInt gives zⁿ by squaring.
func PowInt(z Complex, n int64) (Complex, error) {
	if n < 0 {
		p, err := PowInt(z, -n)
		if err != nil {
			return Complex{}, err
		}
		return FromReal(FromInt(1)).Div(p)
	}
	if n == 0 && z.Re.ContainsZero() && z.Im.ContainsZero() {
		return Complex{}, ErrUndefined
	}
	out := FromReal(FromInt(1))
	for n > 0 {
		if n&1 == 1 {
			out = out.Mul(z)
		}
		if n >>= 1; n > 0 {
			z = z.Mul(z)
		}
		if out.Re.tooLarge() || z.Re.tooLarge() {
			return Complex{}, ErrLarge
		}
	}
	return out, nil
}

// PowC gives the principal power z^w.
func PowC(z, w Complex) (Complex, error) {
	if w.IsReal() {
		if n, ok := w.Re.Integer(); ok && n <= 10_000 && n >= -10_000 {
			return PowInt(z, n)
		}
		if z.IsReal() && z.Re.IsZero() && w.Re.Sign() > 0 {
			return FromReal(FromInt(0)), nil
		}
	}
	l, err := LogC(z)
	if err != nil {
		return Complex{}, err
	}
	return ExpC(l.Mul(w))
}
