package exact

import "math/big"

// Form is a fraction of polynomials. Den is never zero.
type Form struct{ Num, Den Poly }

var one = constant(big.NewRat(1, 1))

func whole(p Poly) Form { return Form{Num: p, Den: one} }

// Rational gives the value of a form without generators.
func (f Form) Rational() (*big.Rat, bool) {
	n, ok := f.Num.rational()
	d, ok2 := f.Den.rational()
	if !ok || !ok2 || d.Sign() == 0 {
		return nil, false
	}
	return new(big.Rat).Quo(n, d), true
}

func (x *Context) fraction(n, d Poly) (Form, error) {
	if len(d) == 0 {
		return Form{}, ErrUndefined
	}
	if len(n) == 0 {
		return whole(Poly{}), nil
	}
	if v, ok := d.rational(); ok {
		return whole(scale(n, new(big.Rat).Inv(v))), nil
	}
	// A denominator of one term with √d or i only moves to the numerator: 1/√2 = √2/2.
	if len(d) == 1 {
		for _, t := range d {
			if n2, d2, ok, err := x.rationalise(n, t); err != nil || ok {
				if err != nil {
					return Form{}, err
				}
				return x.fraction(n2, d2)
			}
		}
	}
	return Form{Num: n, Den: d}, nil
}

func (x *Context) rationalise(n Poly, t *term) (Poly, Poly, bool, error) {
	for _, f := range t.f {
		if x.gens[f.id].square == nil {
			continue
		}
		g := []factor{{f.id, 1}}
		p := Poly{keyOf(g): &term{c: big.NewRat(1, 1), f: g}}
		n2, err := x.mul(n, p)
		if err != nil {
			return nil, nil, false, err
		}
		d2, err := x.mul(Poly{keyOf(t.f): t}, p)
		return n2, d2, true, err
	}
	return nil, nil, false, nil
}

// Add gives a + b.
func (x *Context) Add(a, b Form) (Form, error) {
	if same(a.Den, b.Den) {
		n, err := x.add(a.Num, b.Num)
		if err != nil {
			return Form{}, err
		}
		return x.fraction(n, a.Den)
	}
	l, err := x.mul(a.Num, b.Den)
	if err != nil {
		return Form{}, err
	}
	r, err := x.mul(b.Num, a.Den)
	if err != nil {
		return Form{}, err
	}
	n, err := x.add(l, r)
	if err != nil {
		return Form{}, err
	}
	d, err := x.mul(a.Den, b.Den)
	if err != nil {
		return Form{}, err
	}
	return x.fraction(n, d)
}

// Neg gives −a.
func (x *Context) Neg(a Form) Form {
	return Form{Num: scale(a.Num, big.NewRat(-1, 1)), Den: a.Den}
}

// Mul gives a · b.
func (x *Context) Mul(a, b Form) (Form, error) {
	n, err := x.mul(a.Num, b.Num)
	if err != nil {
		return Form{}, err
	}
	d, err := x.mul(a.Den, b.Den)
	if err != nil {
		return Form{}, err
	}
	return x.fraction(n, d)
}

// Inv gives 1 / a.
func (x *Context) Inv(a Form) (Form, error) {
	if len(a.Num) == 0 {
		return Form{}, ErrUndefined
	}
	return x.fraction(a.Den, a.Num)
}

// PowInt gives aⁿ.
func (x *Context) PowInt(a Form, n int) (Form, error) {
	if n < 0 {
		inv, err := x.Inv(a)
		if err != nil {
			return Form{}, err
		}
		a, n = inv, -n
	}
	if n > maxPower || (len(a.Num) > 1 || len(a.Den) > 1) && n > maxExpand {
		return Form{}, ErrWork
	}
	if v, ok := a.Rational(); ok && (v.Num().BitLen()+v.Denom().BitLen())*n > 8*maxBits {
		if v.Num().BitLen() > 1 || v.Denom().BitLen() > 1 {
			return Form{}, ErrWork
		}
	}
	out := whole(one)
	var err error
	for n > 0 {
		if n&1 == 1 {
			if out, err = x.Mul(out, a); err != nil {
				return Form{}, err
			}
		}
		if n >>= 1; n > 0 {
			if a, err = x.Mul(a, a); err != nil {
				return Form{}, err
			}
		}
	}
	return out, nil
}

func same(a, b Poly) bool {
	if len(a) != len(b) {
		return false
	}
	for k, t := range a {
		u := b[k]
		if u == nil || u.c.Cmp(t.c) != 0 {
			return false
		}
	}
	return true
}

// Answer is what is known of an equality.
type Answer uint8

// The answers.
const (
	Unknown Answer = iota
	Same
	Differ
)

// Compare says whether two forms are equal.
func (x *Context) Compare(a, b Form) (Answer, error) {
	l, err := x.mul(a.Num, b.Den)
	if err != nil {
		return Unknown, err
	}
	r, err := x.mul(b.Num, a.Den)
	if err != nil {
		return Unknown, err
	}
	d, err := x.add(l, scale(r, big.NewRat(-1, 1)))
	if err != nil {
		return Unknown, err
	}
	switch {
	case len(d) == 0:
		return Same, nil
	case x.decisive(d) && x.decisive(a.Den) && x.decisive(b.Den):
		return Differ, nil
	default:
		return Unknown, nil
	}
}

// Show writes a form.
func (x *Context) Show(a Form) string {
	n := x.show(a.Num)
	if same(a.Den, one) {
		return n
	}
	return "(" + n + ")/(" + x.show(a.Den) + ")"
}
