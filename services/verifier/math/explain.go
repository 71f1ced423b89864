package math

import (
	"math"
	"math/big"

	"github.com/provenir/provenir/services/verifier/math/ball"
	"github.com/provenir/provenir/services/verifier/math/exact"
	"github.com/provenir/provenir/services/verifier/math/probe"
	"github.com/provenir/provenir/services/verifier/math/syntax"
	"github.com/provenir/provenir/services/verifier/text/extract"
)

// Explanation says how a text was read.
type Explanation struct {
	Kind      string // number, expr, set, interval, tuple, matrix, relation, choice, text or none
	Canonical string
	Tree      string
	Value     *complex128 // at the point; nil where it does not exist
	Error     string      // why the text could not be read; empty where it could
}

// Explain reads a text as an answer: by its own box where it has one, else whole. at gives names values.
func Explain(text string, at map[string]float64) Explanation {
	if b := extract.FindBoxes(text, 0).Pieces; len(b) > 0 {
		text = b[len(b)-1].Text
	}
	n, err := syntax.Parse(text)
	if err != nil {
		return Explanation{Kind: "none", Error: err.Error()}
	}
	e := Explanation{Kind: kindOf(n), Canonical: canonical(n), Tree: n.String()}
	e.Value = valueAt(n, at)
	return e
}

func kindOf(n *syntax.Node) string {
	switch n.Kind {
	case syntax.Quantity:
		return kindOf(n.Args[0])
	case syntax.Set, syntax.List, syntax.Domain, syntax.Intersection, syntax.Difference:
		return "set"
	case syntax.Union:
		for _, a := range n.Args {
			if k := kindOf(a); k == "set" {
				return k
			}
		}
		return "interval"
	case syntax.Interval:
		return "interval"
	case syntax.Tuple, syntax.Ratio:
		return "tuple"
	case syntax.Matrix:
		return "matrix"
	case syntax.Relation:
		return "relation"
	case syntax.Choice:
		return "choice"
	case syntax.Words, syntax.Opaque:
		return "text"
	case syntax.PlusMinus:
		return "set"
	}
	if n.Scalar() {
		if n.Kind == syntax.Based {
			return "number"
		}
		if _, ok := rational(n); ok {
			return "number"
		}
	}
	return "expr"
}

func rational(n *syntax.Node) (*big.Rat, bool) {
	f, err := exact.NewContext(exact.NewBudget(exact.MaxWork)).Read(n)
	if err != nil {
		return nil, false
	}
	return f.Rational()
}

// canonical is the exact normal form where there is one, else the tree.
func canonical(n *syntax.Node) string {
	if n.Kind == syntax.Quantity {
		return canonical(n.Args[0]) + " " + n.Unit.Name
	}
	if n.Kind == syntax.Words || n.Kind == syntax.Opaque || n.Kind == syntax.Choice {
		return n.Text
	}
	if n.Scalar() {
		x := exact.NewContext(exact.NewBudget(exact.MaxWork))
		if f, err := x.Read(n); err == nil {
			if v, ok := f.Rational(); ok {
				return syntax.ShowRat(v)
			}
			return x.Show(f)
		}
	}
	return n.String()
}

// valueAt evaluates a scalar, or the right side of x = …, at the point.
func valueAt(n *syntax.Node, at map[string]float64) *complex128 {
	if n.Kind == syntax.Relation && len(n.Args) == 2 && n.Ops[0] == syntax.Equal && syntax.NameLike(n.Args[0]) {
		n = n.Args[1]
	}
	if n.Kind == syntax.Quantity {
		n = n.Args[0]
	}
	if n.Kind == syntax.Based {
		n = syntax.Num(n.Value)
	}
	if !n.Scalar() {
		return nil
	}
	values := make(map[string]ball.Complex, len(at))
	for name, f := range at {
		v := new(big.Rat).SetFloat64(f)
		if v == nil { // NaN or infinite
			return nil
		}
		values[name] = ball.FromReal(ball.FromRat(v))
	}
	z, err := probe.Eval(n, probe.Point{Values: values}, exact.NewBudget(exact.MaxWork))
	if err != nil {
		return nil
	}
	c := complex(z.Re.Float(), z.Im.Float())
	if math.IsInf(real(c), 0) || math.IsInf(imag(c), 0) {
		return nil
	}
	return &c
}
