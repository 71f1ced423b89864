package equal

import (
	"errors"
	"math/big"

	"github.com/provenir/provenir/services/verifier/math/ball"
	"github.com/provenir/provenir/services/verifier/math/exact"
	"github.com/provenir/provenir/services/verifier/math/probe"
	"github.com/provenir/provenir/services/verifier/math/syntax"
	"github.com/provenir/provenir/services/verifier/math/unit"
)

// measured compares two values with or without units.
func (c *comparer) measured(g, p *syntax.Node) Outcome {
	gq, pq := g.Kind == syntax.Quantity, p.Kind == syntax.Quantity
	switch {
	case gq && pq:
		return c.quantities(g, p)
	case gq:
		return c.unitMissing(g, p)
	case pq:
		return c.unitMissing(p, g)
	}
	out := c.scalars(g, p)
	if out == Equal || !c.o.PercentEither {
		return out
	}
	for _, pair := range [...][2]*syntax.Node{{g, p}, {p, g}} {
		if pair[0].Percent && !pair[1].Percent && c.scalars(pair[0].Args[0], pair[1]) == Equal {
			return Equal
		}
	}
	return out
}

func (c *comparer) quantities(g, p *syntax.Node) Outcome {
	a, b := g.Unit, p.Unit
	if degrees(a) != degrees(b) && (degrees(a) && len(b.Dim) == 0 && b.Known() || degrees(b) && len(a.Dim) == 0 && a.Known()) {
		return c.scalars(inBase(g), inBase(p))
	}
	if !a.SameDimension(b) {
		return Different
	}
	if a == b || !a.Known() {
		return c.scalars(g.Args[0], p.Args[0])
	}
	return c.scalars(inBase(g), inBase(p))
}

func degrees(u *unit.Unit) bool { return u.Dim["degree"] == 1 && len(u.Dim) == 1 }

// inBase gives a quantity's value in base units; degrees in radians.
func inBase(q *syntax.Node) *syntax.Node {
	v := q.Args[0]
	if q.Unit.Offset != nil {
		v = syntax.Make(syntax.Add, v, syntax.Num(q.Unit.Offset))
	}
	if q.Unit.Factor.Cmp(big.NewRat(1, 1)) != 0 {
		v = syntax.Make(syntax.Mul, v, syntax.Num(q.Unit.Factor))
	}
	if degrees(q.Unit) {
		pi := &syntax.Node{Kind: syntax.Constant, Text: "pi"}
		v = syntax.Make(syntax.Mul, v, pi, syntax.Num(big.NewRat(1, 180)))
	}
	return v
}

// unitMissing compares a quantity with a bare number: the number as it was written must agree. An angle may also be given
// in radians, which have no unit.
func (c *comparer) unitMissing(q, bare *syntax.Node) Outcome {
	out := c.scalars(q.Args[0], bare)
	if out == Equal {
		c.unit = true
		return out
	}
	if degrees(q.Unit) {
		return c.scalars(inBase(q), bare)
	}
	return out
}

// scalars compares two values: exactly where there is an exact form, else by probing.
func (c *comparer) scalars(g, p *syntax.Node) Outcome {
	if out := bases(g, p); out != 0 {
		return out
	}
	if g.Kind == syntax.Number && p.Kind == syntax.Number {
		return c.rationals(g.Value, p.Value, g.Decimal || p.Decimal)
	}
	if infinite(g) || infinite(p) {
		return infinities(g, p)
	}
	constants := len(g.Names())+len(p.Names()) == 0 && !c.phi
	decimal := g.HasDecimal() || p.HasDecimal()
	x := exact.NewContext(c.budget)
	x.PhiIsName = c.phi
	a, errA := x.Read(g)
	b, errB := x.Read(p)
	if errors.Is(errA, exact.ErrUndefined) || errors.Is(errB, exact.ErrUndefined) {
		return Different // 1/0 is no answer, and nothing equals it
	}
	if errA == nil && errB == nil {
		answer, err := x.Compare(a, b)
		if err == nil && answer == exact.Same {
			return Equal
		}
		if v, ok := a.Rational(); ok && constants {
			if w, ok := b.Rational(); ok {
				return c.rationals(v, w, decimal)
			}
		}
		if err == nil && answer == exact.Differ && !(constants && (decimal || c.o.Tolerance > 0)) {
			return Different
		}
	}
	if constants && (decimal || c.o.Tolerance > 0) {
		return c.rounded(g, p, decimal)
	}
	o := probe.Options{Budget: c.budget, PhiIsName: c.phi}
	if decimal {
		o.Digits = c.o.NumericPrecision
	}
	answer, err := probe.Compare(g, p, o)
	switch {
	case answer == exact.Same:
		return Equal
	case answer == exact.Differ:
		return Different
	case g.String() == p.String():
		return Equal // a power tower is at least itself
	case errors.Is(err, exact.ErrWork) || errors.Is(errA, exact.ErrWork) || errors.Is(errB, exact.ErrWork):
		return TooLarge
	default:
		return Undecided
	}
}

// bases compares numbers that were written in a base. The base is part of the answer: to "write 13 in base 2" the number
// 13 is the question.
func bases(g, p *syntax.Node) Outcome {
	if g.Kind != syntax.Based && p.Kind != syntax.Based {
		return 0
	}
	if g.Kind == p.Kind && g.Base == p.Base && g.Value.Cmp(p.Value) == 0 {
		return Equal
	}
	return Different
}

func infinite(n *syntax.Node) bool {
	return !n.Walk(func(m *syntax.Node) bool { return m.Kind != syntax.Constant || m.Text != "infinity" })
}

// infinities are equal with the same sign; within an expression they have no value.
func infinities(g, p *syntax.Node) Outcome {
	a, okA := infiniteSign(g)
	b, okB := infiniteSign(p)
	switch {
	case okA && okB && a == b:
		return Equal
	case okA && okB, okA && !infinite(p), okB && !infinite(g):
		return Different
	default:
		return Undecided
	}
}

func infiniteSign(n *syntax.Node) (int, bool) {
	switch {
	case n.Kind == syntax.Constant && n.Text == "infinity":
		return 1, true
	case n.Kind == syntax.Neg:
		s, ok := infiniteSign(n.Args[0])
		return -s, ok
	default:
		return 0, false
	}
}

// rationals compares two rational numbers that are not the same.
func (c *comparer) rationals(a, b *big.Rat, decimal bool) Outcome {
	if a.Cmp(b) == 0 {
		return Equal
	}
	if a.IsInt() && b.IsInt() {
		return Different // integers never tolerate
	}
	if decimal && sameRounded(a, b, c.o.FloatRounding) || c.tolerated(a, b) {
		return Equal
	}
	return Different
}

func (c *comparer) tolerated(reference, b *big.Rat) bool {
	if c.o.Tolerance <= 0 {
		return false
	}
	d := new(big.Rat).Sub(reference, b)
	t := new(big.Rat).SetFloat64(c.o.Tolerance)
	if t == nil {
		return false
	}
	return d.Abs(d).Cmp(t.Mul(t, new(big.Rat).Abs(reference))) <= 0
}

// rounded compares constants of which one has a decimal point, through their enclosures.
func (c *comparer) rounded(g, p *syntax.Node, decimal bool) Outcome {
	x, errA := probe.Eval(g, probe.Point{}, c.budget)
	y, errB := probe.Eval(p, probe.Point{}, c.budget)
	switch {
	case errors.Is(errA, exact.ErrWork) || errors.Is(errB, exact.ErrWork):
		return TooLarge
	case errA != nil || errB != nil:
		return Undecided
	}
	if ball.Same(x, y) == exact.Same {
		return Equal
	}
	are, aim, okA := x.Rats()
	bre, bim, okB := y.Rats()
	if !okA || !okB {
		return Undecided
	}
	for _, pair := range [...][2]*big.Rat{{are, bre}, {aim, bim}} {
		if pair[0].Cmp(pair[1]) != 0 && !(decimal && sameRounded(pair[0], pair[1], c.o.FloatRounding)) && !c.tolerated(pair[0], pair[1]) {
			return Different
		}
	}
	return Equal
}

// significant is how many digits must agree where rounding to decimals would leave fewer: 1e-7 and 2e-7 differ, although
// both round to 0.000000.
const significant = 3

// sameRounded rounds both to the same number of decimals, half away from zero, and compares.
func sameRounded(a, b *big.Rat, decimals int) bool {
	if a.Sign() != b.Sign() {
		return false
	}
	for n := decimals; ; n++ {
		if n > 400 {
			return false
		}
		scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil))
		x, y := round(new(big.Rat).Mul(a, scale)), round(new(big.Rat).Mul(b, scale))
		if x.Cmp(y) != 0 {
			return false
		}
		if x.Sign() != 0 && len(new(big.Int).Abs(x).String()) >= min(significant, decimals) {
			return true
		}
	}
}

func round(v *big.Rat) *big.Int {
	n := new(big.Int).Abs(v.Num())
	n.Lsh(n, 1).Add(n, v.Denom())
	n.Quo(n, new(big.Int).Lsh(v.Denom(), 1))
	if v.Sign() < 0 {
		n.Neg(n)
	}
	return n
}
