package equal

import (
	"github.com/provenir/provenir/services/verifier/math/exact"
	"github.com/provenir/provenir/services/verifier/math/syntax"
)

// relations compares where at least one side is a relation.
func (c *comparer) relations(g, p *syntax.Node) Outcome {
	if g.Kind == syntax.Relation && p.Kind == syntax.Relation {
		return c.twoRelations(g, p)
	}
	rel, other := g, p
	if p.Kind == syntax.Relation {
		rel, other = p, g
	}
	if v, ok := c.value(rel); ok {
		if rel == g {
			return c.compare(v, other)
		}
		return c.compare(other, v)
	}
	// An interval may answer a relation that is asked for. The reverse would let a candidate restate the question.
	if rel == g || c.o.SetRelation {
		if a, ok := c.realSet(rel); ok {
			if b, ok := c.realSet(other); ok {
				return c.sameSets(a, b)
			}
		}
	}
	return WrongKind
}

// value unwraps x = 5 and x ∈ S where the left side is a name, and chains whose further sides agree: x = 2+3 = 5. A
// chain of numbers has a value where all sides agree: 10/2 = 5. a+2b = 7 has none.
func (c *comparer) value(r *syntax.Node) (*syntax.Node, bool) {
	last := r.Args[len(r.Args)-1]
	if len(r.Ops) == 1 && r.Ops[0] == syntax.In {
		return last, syntax.NameLike(r.Args[0])
	}
	for _, o := range r.Ops {
		if o != syntax.Equal {
			return nil, false
		}
	}
	sides := r.Args[1:]
	if !syntax.NameLike(r.Args[0]) {
		if len(r.Names()) > 0 {
			return nil, false
		}
		sides = r.Args
	}
	for i := 1; i < len(sides); i++ {
		if c.compare(sides[i-1], sides[i]) != Equal {
			return nil, false
		}
	}
	return last, true
}

func (c *comparer) twoRelations(g, p *syntax.Node) Outcome {
	if c.sidesEqual(g, p) || c.sidesEqual(g, reversed(p)) {
		return Equal
	}
	// Of chains that define the same name the last side counts: S = ½·4·3 = 6 and S = 6.
	if a, b := g.Args[0], p.Args[0]; len(g.Ops)+len(p.Ops) > 2 && syntax.NameLike(a) && syntax.NameLike(b) && a.String() == b.String() {
		if v, ok := c.value(g); ok {
			if w, ok := c.value(p); ok {
				return c.compare(v, w)
			}
		}
	}
	if len(g.Ops) == 1 && len(p.Ops) == 1 {
		if out := c.proportional(g, p); out != 0 {
			return out
		}
	}
	if a, ok := c.realSet(g); ok {
		if b, ok := c.realSet(p); ok && sameVariable(g, p) {
			return c.sameSets(a, b)
		}
	}
	return Different
}

func sameVariable(g, p *syntax.Node) bool {
	a, b := g.Names(), p.Names()
	return len(a) == 1 && len(b) == 1 && a[0] == b[0]
}

// sidesEqual compares sign by sign and side by side.
func (c *comparer) sidesEqual(g, p *syntax.Node) bool {
	if len(g.Ops) != len(p.Ops) {
		return false
	}
	for i := range g.Ops {
		if g.Ops[i] != p.Ops[i] {
			return false
		}
	}
	for i := range g.Args {
		if c.compare(g.Args[i], p.Args[i]) != Equal {
			return false
		}
	}
	return true
}

// reversed reads a relation from right to left.
func reversed(r *syntax.Node) *syntax.Node {
	n := &syntax.Node{Kind: syntax.Relation}
	for i := len(r.Args) - 1; i >= 0; i-- {
		n.Args = append(n.Args, r.Args[i])
	}
	for i := len(r.Ops) - 1; i >= 0; i-- {
		n.Ops = append(n.Ops, r.Ops[i].Flip())
	}
	return n
}

// proportional compares left−right of both: a constant ratio other than zero makes equations the same, a positive one
// inequalities. It gives 0 where it does not apply.
func (c *comparer) proportional(g, p *syntax.Node) Outcome {
	og, fg, ok := difference(g)
	op, fp, ok2 := difference(p)
	if !ok || !ok2 {
		return 0
	}
	if og != op {
		return Different
	}
	if len(g.Names()) == 0 || len(p.Names()) == 0 {
		return Different // 1 = 1 is in proportion to 2 = 2
	}
	x := exact.NewContext(c.budget)
	x.PhiIsName = c.phi
	a, errA := x.Read(fg)
	b, errB := x.Read(fp)
	if errA != nil || errB != nil {
		return Undecided
	}
	ratio, answer, err := x.Ratio(a, b)
	switch {
	case err != nil:
		return TooLarge
	case answer == exact.Unknown:
		return Undecided
	case answer == exact.Differ:
		return Different
	case og == syntax.Equal || og == syntax.NotEqual || ratio.Sign() > 0:
		return Equal
	default:
		return Different
	}
}

// difference brings a relation of two values to f op 0 with op one of =, ≠, <, ≤.
func difference(r *syntax.Node) (syntax.Op, *syntax.Node, bool) {
	l, h, op := r.Args[0], r.Args[1], r.Ops[0]
	if !l.Scalar() || !h.Scalar() || op == syntax.In {
		return 0, nil, false
	}
	if op == syntax.Greater || op == syntax.GreaterEqual {
		l, h, op = h, l, op.Flip()
	}
	return op, syntax.Make(syntax.Add, l, syntax.Make(syntax.Neg, h)), true
}
