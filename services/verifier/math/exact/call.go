package exact

import (
	"math/big"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/verifier/math/syntax"
)

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
