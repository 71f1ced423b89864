package probe

import (
	"math/big"

	"github.com/provenir/provenir/services/verifier/math/ball"
	"github.com/provenir/provenir/services/verifier/math/exact"
	"github.com/provenir/provenir/services/verifier/math/syntax"
)

func one() ball.Complex { return ball.FromReal(ball.FromInt(1)) }

func (e *evaluator) call(n *syntax.Node) (ball.Complex, error) {
	args := make([]ball.Complex, len(n.Args))
	for i, a := range n.Args {
		var err error
		if args[i], err = e.eval(a); err != nil {
			return args[i], err
		}
	}
	z := args[0]
	if n.Text == "sqrt" {
		return e.sqrt(z)
	}
	if err := e.budget.Spend(costElementary); err != nil {
		return z, err
	}
	switch n.Text {
	case "root":
		return e.root(z, n.Args[1], args[1])
	case "abs":
		r, err := z.AbsC()
		return ball.FromReal(r), err
	case "ln", "log":
		return e.log(args)
	case "Gamma":
		return e.gamma(z)
	case "binom":
		return binomial(args[0], args[1])
	case "floor", "ceil", "sgn", "max", "min", "gcd", "lcm":
		return ordered(n.Text, args)
	}
	return e.trig(n.Text, z)
}

// log is the natural logarithm, or that to the base of a second argument.
func (e *evaluator) log(args []ball.Complex) (ball.Complex, error) {
	var out [2]ball.Complex
	for i, z := range args {
		if e.at.Real && z.IsReal() && z.Re.Sign() <= 0 {
			return z, ball.ErrUndefined
		}
		if err := e.budget.Spend(2 * costElementary); err != nil {
			return z, err
		}
		var err error
		if out[i], err = ball.LogC(z); err != nil {
			return z, err
		}
	}
	if len(args) == 1 {
		return out[0], nil
	}
	return out[0].Div(out[1])
}

// root is the n-th root; of a negative real number and odd n the real one.
func (e *evaluator) root(z ball.Complex, index *syntax.Node, n ball.Complex) (ball.Complex, error) {
	v := plainRat(index)
	if v == nil {
		inv, err := one().Div(n)
		if err != nil {
			return z, err
		}
		return ball.PowC(z, inv)
	}
	if !v.IsInt() || v.Sign() <= 0 || !v.Num().IsInt64() {
		return z, ball.ErrUndefined
	}
	inv, err := one().Div(ball.FromReal(ball.FromRat(v)))
	if err != nil {
		return z, err
	}
	odd := v.Num().Bit(0) == 1
	if z.IsReal() && z.Re.Sign() < 0 && odd {
		r, err := ball.PowC(z.Neg(), inv)
		return r.Neg(), err
	}
	if e.at.Real && z.IsReal() && z.Re.Sign() <= 0 && !z.Re.IsZero() {
		return z, ball.ErrUndefined
	}
	return ball.PowC(z, inv)
}

func (e *evaluator) trig(name string, z ball.Complex) (ball.Complex, error) {
	switch name {
	case "sin", "cos", "tan", "cot", "sec", "csc":
		s, c, err := ball.SinCosC(z)
		if err != nil {
			return z, err
		}
		return ratio(name, s, c)
	case "sinh", "cosh", "tanh", "coth", "sech", "csch":
		s, c, err := ball.SinhCoshC(z)
		if err != nil {
			return z, err
		}
		return ratio(map[string]string{"sinh": "sin", "cosh": "cos", "tanh": "tan", "coth": "cot", "sech": "sec", "csch": "csc"}[name], s, c)
	case "arcsin":
		return ball.AsinC(z)
	case "arccos":
		return ball.AcosC(z)
	case "arctan":
		return ball.AtanC(z)
	case "arccot":
		a, err := ball.AtanC(z)
		if err != nil {
			return z, err
		}
		h, err := ball.FromReal(ball.Pi()).Div(ball.FromReal(ball.FromInt(2)))
		return h.Sub(a), err
	case "arcsec", "arccsc":
		inv, err := one().Div(z)
		if err != nil {
			return z, err
		}
		if name == "arcsec" {
			return ball.AcosC(inv)
		}
		return ball.AsinC(inv)
	case "arcsinh":
		return ball.AsinhC(z)
	case "arccosh":
		if e.at.Real && z.IsReal() && z.Re.Sub(ball.FromInt(1)).Sign() < 0 {
			return z, ball.ErrUndefined
		}
		return ball.AcoshC(z)
	case "arctanh":
		if e.at.Real && z.IsReal() && z.Re.Abs().Sub(ball.FromInt(1)).Sign() >= 0 {
			return z, ball.ErrUndefined
		}
		return ball.AtanhC(z)
	default:
		return z, ErrUnsupported
	}
}

func ratio(name string, s, c ball.Complex) (ball.Complex, error) {
	switch name {
	case "sin":
		return s, nil
	case "cos":
		return c, nil
	case "tan":
		return s.Div(c)
	case "cot":
		return c.Div(s)
	case "sec":
		return one().Div(c)
	default:
		return one().Div(s)
	}
}

// gamma is known at integers and halves; elsewhere nothing is claimed.
func (e *evaluator) gamma(z ball.Complex) (ball.Complex, error) {
	if !z.IsReal() {
		return z, ErrUnsupported
	}
	if n, ok := z.Re.Integer(); ok {
		if n <= 0 {
			return z, ball.ErrUndefined
		}
		if n > 3_000 {
			return z, exact.ErrWork
		}
		if err := e.budget.Spend(int(n) * 40); err != nil {
			return z, err
		}
		return ball.FromReal(ball.FromRat(new(big.Rat).SetInt(new(big.Int).MulRange(1, n-1)))), nil
	}
	twice := z.Re.Add(z.Re)
	n, ok := twice.Integer()
	if !ok || n > 2_000 || n < -2_000 {
		return z, ErrUnsupported
	}
	// Γ(1/2) = √π, Γ(x+1) = x·Γ(x)
	root, err := ball.Sqrt(ball.Pi())
	if err != nil {
		return z, err
	}
	f := big.NewRat(1, 1)
	for k := int64(1); k < n; k += 2 {
		f.Mul(f, big.NewRat(k, 2))
	}
	for k := int64(-1); k >= n; k -= 2 {
		f.Quo(f, big.NewRat(k, 2))
	}
	return ball.FromReal(root.Mul(ball.FromRat(f))), e.budget.Spend(int(max(n, -n)) * 40)
}

func binomial(n, k ball.Complex) (ball.Complex, error) {
	a, okA := n.Re.Integer()
	b, okB := k.Re.Integer()
	if !okA || !okB || !n.IsReal() || !k.IsReal() || a < 0 || b < 0 {
		return n, ErrUnsupported
	}
	if a > 3_000 {
		return n, exact.ErrWork
	}
	return ball.FromReal(ball.FromRat(new(big.Rat).SetInt(new(big.Int).Binomial(a, b)))), nil
}

// ordered are functions that need an order, so they have values for real arguments only.
func ordered(name string, args []ball.Complex) (ball.Complex, error) {
	for _, a := range args {
		if !a.IsReal() {
			return a, ErrUnsupported
		}
	}
	x := args[0].Re
	switch name {
	case "floor":
		f, err := ball.Floor(x)
		return ball.FromReal(f), err
	case "ceil":
		f, err := ball.Floor(x.Neg())
		if err != nil {
			return args[0], err
		}
		return ball.FromReal(f.Neg()), nil
	case "sgn":
		if !x.IsZero() && x.Sign() == 0 {
			return args[0], ball.ErrWide
		}
		return ball.FromReal(ball.FromInt(int64(x.Sign()))), nil
	case "max", "min":
		for _, a := range args[1:] {
			s := a.Re.Sub(x).Sign()
			if s == 0 && !a.Re.Sub(x).IsZero() {
				return args[0], ball.ErrWide
			}
			if (s > 0) == (name == "max") {
				x = a.Re
			}
		}
		return ball.FromReal(x), nil
	default:
		return divisor(name, args)
	}
}

func divisor(name string, args []ball.Complex) (ball.Complex, error) {
	out := new(big.Int)
	for i, a := range args {
		v, ok := a.Re.Integer()
		if !ok {
			return a, ErrUnsupported
		}
		n := new(big.Int).Abs(big.NewInt(v))
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
	}
	return ball.FromReal(ball.FromRat(new(big.Rat).SetInt(out))), nil
}
