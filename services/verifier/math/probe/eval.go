package probe

import (
	"math/big"

	"github.com/provenir/provenir/services/verifier/math/ball"
	"github.com/provenir/provenir/services/verifier/math/exact"
	"github.com/provenir/provenir/services/verifier/math/syntax"
)

// Point gives names their values.
type Point struct {
	Values map[string]ball.Complex
	// Real asks for real functions: roots and logarithms of negative numbers have no value. Two forms of an expression
	// in a real variable, such as √(2h/g) and √(2h)/√g, agree where both are real, and only there.
	Real bool
	// PhiIsName reads φ from Values.
	PhiIsName bool
}

// evaluator walks one tree at one point.
type evaluator struct {
	at     Point
	budget *exact.Budget
}

// Eval gives the value of a scalar tree. The error is ball.ErrUndefined, ball.ErrWide, ball.ErrLarge,
// exact.ErrWork or ErrUnsupported.
func Eval(n *syntax.Node, at Point, b *exact.Budget) (ball.Complex, error) {
	e := evaluator{at: at, budget: b}
	return e.eval(n)
}

func (e *evaluator) eval(n *syntax.Node) (ball.Complex, error) {
	if err := e.budget.Spend(costAdd); err != nil {
		return ball.Complex{}, err
	}
	switch n.Kind {
	case syntax.Number:
		if n.Value.Num().BitLen()+n.Value.Denom().BitLen() > 1<<17 {
			return ball.Complex{}, exact.ErrWork
		}
		return ball.FromReal(ball.FromRat(n.Value)), nil
	case syntax.Name:
		v, ok := e.at.Values[n.Text]
		if !ok {
			return ball.Complex{}, ErrUnsupported
		}
		return v, nil
	case syntax.Constant:
		return e.constant(n.Text)
	case syntax.Neg:
		a, err := e.eval(n.Args[0])
		if err != nil {
			return a, err
		}
		return a.Neg(), nil
	case syntax.Add, syntax.Mul:
		return e.fold(n)
	case syntax.Div:
		a, b, err := e.two(n)
		if err != nil {
			return a, err
		}
		if err := e.budget.Spend(3 * costMul); err != nil {
			return a, err
		}
		return a.Div(b)
	case syntax.Pow:
		return e.power(n)
	case syntax.Factorial:
		a, err := e.eval(n.Args[0])
		if err != nil {
			return a, err
		}
		return e.gamma(a.Add(ball.FromReal(ball.FromInt(1))))
	case syntax.Call:
		return e.call(n)
	default:
		return ball.Complex{}, ErrUnsupported
	}
}

func (e *evaluator) fold(n *syntax.Node) (ball.Complex, error) {
	out, err := e.eval(n.Args[0])
	for _, a := range n.Args[1:] {
		if err != nil {
			return out, err
		}
		var v ball.Complex
		if v, err = e.eval(a); err != nil {
			return out, err
		}
		if n.Kind == syntax.Add {
			out = out.Add(v)
			continue
		}
		out = out.Mul(v)
		err = e.budget.Spend(costMul)
	}
	return out, err
}

func (e *evaluator) two(n *syntax.Node) (a, b ball.Complex, err error) {
	if a, err = e.eval(n.Args[0]); err == nil {
		b, err = e.eval(n.Args[1])
	}
	return a, b, err
}

func (e *evaluator) constant(name string) (ball.Complex, error) {
	switch name {
	case "pi":
		return ball.FromReal(ball.Pi()), nil
	case "e":
		return ball.FromReal(ball.E()), e.budget.Spend(costElementary)
	case "i":
		return ball.I(), nil
	case "phi":
		if e.at.PhiIsName {
			if v, ok := e.at.Values["φ"]; ok {
				return v, nil
			}
			return ball.Complex{}, ErrUnsupported
		}
		r, err := ball.Sqrt(ball.FromInt(5))
		if err != nil {
			return ball.Complex{}, err
		}
		h, err := r.Add(ball.FromInt(1)).Div(ball.FromInt(2))
		return ball.FromReal(h), err
	default:
		return ball.Complex{}, ErrUnsupported
	}
}

func (e *evaluator) power(n *syntax.Node) (ball.Complex, error) {
	a, err := e.eval(n.Args[0])
	if err != nil {
		return a, err
	}
	// An exponent that is a plain number is taken exactly: x^{1/2} is a root, and an inexact half would be a logarithm.
	if v := plainRat(n.Args[1]); v != nil && v.IsInt() && v.Num().IsInt64() {
		k := v.Num().Int64()
		if k > 10_000 || k < -10_000 {
			return a, exact.ErrWork
		}
		if err := e.budget.Spend(40 * costMul); err != nil {
			return a, err
		}
		return ball.PowInt(a, k)
	} else if v != nil && v.Denom().IsInt64() && v.Denom().Int64() == 2 && v.Num().IsInt64() {
		r, err := e.sqrt(a)
		if err != nil {
			return r, err
		}
		if k := v.Num().Int64(); k <= 10_000 && k >= -10_000 {
			return ball.PowInt(r, k)
		}
		return a, exact.ErrWork
	}
	w, err := e.eval(n.Args[1])
	if err != nil {
		return w, err
	}
	if err := e.budget.Spend(3 * costElementary); err != nil {
		return w, err
	}
	_, whole := w.Re.Integer()
	whole = whole && w.IsReal()
	if e.at.Real && a.IsReal() && a.Re.Sign() <= 0 && !whole && !(a.Re.IsZero() && w.Re.Sign() > 0) {
		return w, ball.ErrUndefined
	}
	return ball.PowC(a, w)
}

// plainRat gives the value of a number, its negation, or a fraction of two.
func plainRat(n *syntax.Node) *big.Rat {
	switch n.Kind {
	case syntax.Number:
		return n.Value
	case syntax.Neg:
		if v := plainRat(n.Args[0]); v != nil {
			return new(big.Rat).Neg(v)
		}
	case syntax.Div:
		a, b := plainRat(n.Args[0]), plainRat(n.Args[1])
		if a != nil && b != nil && b.Sign() != 0 {
			return new(big.Rat).Quo(a, b)
		}
	}
	return nil
}

func (e *evaluator) sqrt(a ball.Complex) (ball.Complex, error) {
	if err := e.budget.Spend(4 * costMul); err != nil {
		return a, err
	}
	if e.at.Real && a.IsReal() && !a.Re.IsZero() && a.Re.Sign() <= 0 {
		return a, ball.ErrUndefined
	}
	return ball.SqrtC(a)
}
