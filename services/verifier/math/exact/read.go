package exact

import (
	"math/big"
	"strconv"

	"github.com/provenir/provenir/services/verifier/math/syntax"
)

// Read gives the form of a tree. The error is ErrWork, ErrUndefined or ErrNotPolynomial.
func (x *Context) Read(n *syntax.Node) (Form, error) {
	if err := x.budget.Spend(8); err != nil {
		return Form{}, err
	}
	switch n.Kind {
	case syntax.Number:
		return whole(constant(n.Value)), nil
	case syntax.Name:
		p, err := x.generatorPoly(n.Text, genSymbol, nil)
		return whole(p), err
	case syntax.Constant:
		return x.readConstant(n.Text)
	case syntax.Neg:
		a, err := x.Read(n.Args[0])
		return x.Neg(a), err
	case syntax.Add:
		return x.fold(n.Args, x.Add)
	case syntax.Mul:
		return x.fold(n.Args, x.Mul)
	case syntax.Div:
		a, err := x.Read(n.Args[0])
		if err != nil {
			return Form{}, err
		}
		b, err := x.Read(n.Args[1])
		if err != nil {
			return Form{}, err
		}
		if b, err = x.Inv(b); err != nil {
			return Form{}, err
		}
		return x.Mul(a, b)
	case syntax.Pow:
		return x.readPower(n.Args[0], n.Args[1])
	case syntax.Factorial:
		return x.readFactorial(n.Args[0])
	case syntax.Call:
		return x.readCall(n)
	default:
		return Form{}, ErrNotPolynomial
	}
}

func (x *Context) fold(args []*syntax.Node, op func(a, b Form) (Form, error)) (Form, error) {
	out, err := x.Read(args[0])
	for _, a := range args[1:] {
		if err != nil {
			break
		}
		var f Form
		if f, err = x.Read(a); err == nil {
			out, err = op(out, f)
		}
	}
	return out, err
}

func (x *Context) readConstant(name string) (Form, error) {
	var p Poly
	var err error
	switch name {
	case "pi":
		p, err = x.generatorPoly("π", genPi, nil)
	case "e":
		p, err = x.generatorPoly("e", genE, nil)
	case "i":
		p, err = x.generatorPoly("i", genImaginary, nil)
	case "phi":
		if x.PhiIsName {
			p, err = x.generatorPoly("φ", genSymbol, nil)
			break
		}
		root, err := x.sqrtRat(big.NewRat(5, 1))
		if err != nil {
			return Form{}, err
		}
		sum, err := x.Add(root, whole(one))
		if err != nil {
			return Form{}, err
		}
		return x.Mul(sum, whole(constant(big.NewRat(1, 2))))
	default:
		return Form{}, ErrNotPolynomial
	}
	return whole(p), err
}

func (x *Context) readPower(base, exponent *syntax.Node) (Form, error) {
	e, err := x.Read(exponent)
	if err != nil {
		return Form{}, err
	}
	b, err := x.Read(base)
	if err != nil {
		return Form{}, err
	}
	return x.Pow(b, e)
}

// Pow gives b^e. b^(u+v) = b^u·b^v and b^(ku) = (b^u)^k for whole k hold for principal values whatever b is, so sums in
// the exponent are split; b itself is not, since (ab)^u is not a^u·b^u for negative a and b.
func (x *Context) Pow(b, e Form) (Form, error) {
	if v, ok := e.Rational(); ok {
		return x.powRat(b, v)
	}
	if len(b.Num) == 0 {
		return Form{}, ErrUndefined
	}
	if !same(e.Den, one) {
		return x.atom("(" + x.Show(b) + ")^(" + x.Show(e) + ")")
	}
	out := whole(one)
	for _, t := range e.Num.sorted() {
		var part Form
		var err error
		if len(t.f) == 0 {
			part, err = x.powRat(b, t.c)
		} else {
			part, err = x.powTerm(b, t)
		}
		if err != nil {
			return Form{}, err
		}
		if out, err = x.Mul(out, part); err != nil {
			return Form{}, err
		}
	}
	return out, nil
}

func (x *Context) powTerm(b Form, t *term) (Form, error) {
	unit := Poly{keyOf(t.f): &term{c: new(big.Rat).SetFrac(big.NewInt(1), t.c.Denom()), f: t.f}}
	a, err := x.atom("(" + x.Show(b) + ")^(" + x.show(unit) + ")")
	if err != nil {
		return Form{}, err
	}
	if !t.c.Num().IsInt64() {
		return Form{}, ErrWork
	}
	k := t.c.Num().Int64()
	if k > maxPower || k < -maxPower {
		return Form{}, ErrWork
	}
	return x.PowInt(a, int(k))
}

func (x *Context) powRat(b Form, e *big.Rat) (Form, error) {
	if !e.Num().IsInt64() || !e.Denom().IsInt64() {
		return Form{}, ErrNotPolynomial
	}
	p, q := e.Num().Int64(), e.Denom().Int64()
	if p > maxPower || p < -maxPower || q > maxPower {
		return Form{}, ErrNotPolynomial
	}
	if len(b.Num) == 0 && p <= 0 {
		return Form{}, ErrUndefined // 0^0 and 1/0
	}
	var err error
	switch {
	case q == 1:
	case q == 2:
		b, err = x.sqrtForm(b)
	default:
		b, err = x.rootForm(b, q)
	}
	if err != nil {
		return Form{}, err
	}
	return x.PowInt(b, int(p))
}

// rootForm gives the principal q-th root: of a positive rational exactly where there is one, else an atom.
func (x *Context) rootForm(b Form, q int64) (Form, error) {
	if v, ok := b.Rational(); ok && v.Sign() > 0 {
		if r, ok := rootRat(v, q); ok {
			return whole(constant(r)), nil
		}
	}
	return x.atom("(" + x.Show(b) + ")^(1/" + strconv.FormatInt(q, 10) + ")")
}
