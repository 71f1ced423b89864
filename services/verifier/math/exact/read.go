package exact

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

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

func (x *Context) readFactorial(n *syntax.Node) (Form, error) {
	a, err := x.Read(n)
	if err != nil {
		return Form{}, err
	}
	v, ok := a.Rational()
	if !ok {
		return x.atom("(" + x.Show(a) + ")!")
	}
	f, err := x.factorial(v)
	if err != nil {
		return Form{}, err
	}
	return whole(constant(new(big.Rat).SetInt(f))), nil
}

func (x *Context) factorial(v *big.Rat) (*big.Int, error) {
	if !v.IsInt() || v.Sign() < 0 {
		return nil, ErrUndefined
	}
	if !v.Num().IsInt64() || v.Num().Int64() > maxPower {
		return nil, ErrWork
	}
	n := v.Num().Int64()
	// n! has about n·log2(n/e) bits, and the product costs about n times its limbs.
	if err := x.budget.Spend(int(n) * int(n) / 16); err != nil {
		return nil, err
	}
	return new(big.Int).MulRange(1, n), nil
}

func (x *Context) readCall(n *syntax.Node) (Form, error) {
	args := make([]Form, len(n.Args))
	keys := make([]string, len(n.Args))
	values := make([]*big.Rat, len(n.Args))
	rational := true
	for i, a := range n.Args {
		f, err := x.Read(a)
		if err != nil {
			return Form{}, err
		}
		args[i], keys[i] = f, x.Show(f)
		v, ok := f.Rational()
		values[i], rational = v, rational && ok
	}
	switch n.Text {
	case "sqrt":
		return x.sqrtForm(args[0])
	case "root":
		return x.readRoot(args[0], values[1])
	}
	if rational {
		v, err := x.rationalCall(n.Text, values)
		if err != nil {
			return Form{}, err
		}
		if v != nil {
			return whole(constant(v)), nil
		}
	}
	switch n.Text {
	case "max", "min", "gcd", "lcm": // in any order
		slices.Sort(keys)
	}
	return x.atom(n.Text + "(" + strings.Join(keys, ",") + ")")
}

// readRoot gives \sqrt[n]{a}, which for odd n and negative a is the real root.
func (x *Context) readRoot(a Form, n *big.Rat) (Form, error) {
	if n == nil || !n.IsInt() || n.Sign() <= 0 || !n.Num().IsInt64() || n.Num().Int64() > 256 {
		return Form{}, ErrNotPolynomial
	}
	q := n.Num().Int64()
	v, ok := a.Rational()
	switch {
	case q == 1:
		return a, nil
	case q == 2:
		return x.sqrtForm(a)
	case ok && v.Sign() == 0:
		return a, nil
	case ok && v.Sign() < 0 && q%2 == 1:
		r, err := x.rootForm(x.Neg(a), q)
		return x.Neg(r), err
	default:
		return x.rootForm(a, q)
	}
}

// rationalCall gives the value of a function where it is rational for rational arguments; nil where it is not.
func (x *Context) rationalCall(name string, v []*big.Rat) (*big.Rat, error) {
	switch name {
	case "abs":
		return new(big.Rat).Abs(v[0]), nil
	case "floor":
		return new(big.Rat).SetInt(floor(v[0])), nil
	case "ceil":
		return new(big.Rat).SetInt(new(big.Int).Neg(floor(new(big.Rat).Neg(v[0])))), nil
	case "sgn":
		return new(big.Rat).SetInt64(int64(v[0].Sign())), nil
	case "max", "min":
		out := v[0]
		for _, w := range v[1:] {
			if (w.Cmp(out) > 0) == (name == "max") {
				out = w
			}
		}
		return out, nil
	case "gcd", "lcm":
		return x.divisor(name, v)
	case "binom":
		return x.binomial(v[0], v[1])
	case "Gamma":
		f, err := x.factorial(new(big.Rat).Sub(v[0], big.NewRat(1, 1)))
		if err != nil {
			return nil, nil // half-integers are left to probing
		}
		return new(big.Rat).SetInt(f), nil
	default:
		return nil, nil
	}
}

func floor(v *big.Rat) *big.Int {
	q, m := new(big.Int), new(big.Int)
	q.DivMod(v.Num(), v.Denom(), m)
	return q
}

func (x *Context) divisor(name string, v []*big.Rat) (*big.Rat, error) {
	out := new(big.Int)
	for i, w := range v {
		if !w.IsInt() {
			return nil, ErrUndefined
		}
		n := new(big.Int).Abs(w.Num())
		switch {
		case i == 0:
			out.Set(n)
		case name == "gcd":
			out.GCD(nil, nil, out, n)
		case n.Sign() == 0 || out.Sign() == 0:
			out.SetInt64(0)
		default:
			g := new(big.Int).GCD(nil, nil, out, n)
			out.Mul(out.Quo(out, g), n)
		}
		if err := x.budget.Spend(64); err != nil || out.BitLen() > 8*maxBits {
			return nil, ErrWork
		}
	}
	return new(big.Rat).SetInt(out), nil
}

func (x *Context) binomial(n, k *big.Rat) (*big.Rat, error) {
	if !n.IsInt() || !k.IsInt() || n.Sign() < 0 || k.Sign() < 0 {
		return nil, ErrNotPolynomial
	}
	if !n.Num().IsInt64() || !k.Num().IsInt64() || n.Num().Int64() > maxPower {
		return nil, ErrWork
	}
	if err := x.budget.Spend(int(n.Num().Int64()) * 16); err != nil {
		return nil, err
	}
	return new(big.Rat).SetInt(new(big.Int).Binomial(n.Num().Int64(), k.Num().Int64())), nil
}
