package equal

import (
	"slices"
	"strings"

	"github.com/provenir/provenir/services/verifier/math/syntax"
)

// collections compares sets, lists, tuples, intervals, unions, matrices and ratios.
func (c *comparer) collections(g, p *syntax.Node) Outcome {
	switch {
	case g.Kind == syntax.Matrix && p.Kind == syntax.Matrix:
		if g.Columns != p.Columns || len(g.Args) != len(p.Args) {
			return Different
		}
		return c.inOrder(g.Args, p.Args)
	case g.Kind == syntax.Ratio && p.Kind == syntax.Ratio:
		return c.ratios(g, p)
	}
	if !listed(g) && !listed(p) {
		if a, okA := c.realSet(g); okA {
			if b, okB := c.realSet(p); okB {
				return c.sameSets(a, b)
			}
		}
	}
	gt, pt := ordered(g), ordered(p)
	switch {
	case gt && pt:
		return c.tuples(g, p)
	case gt || pt:
		return c.tupleAgainst(g, p, gt)
	case finite(g) || finite(p):
		if a, b := elements(g), elements(p); a != nil && b != nil {
			if order := c.assigned(a, b); order != 0 {
				return order
			}
			if conjunctions(g, p) {
				return Different
			}
			if scalarLike(g) && len(b) != 1 || scalarLike(p) && len(a) != 1 {
				return WrongKind
			}
			return c.matching(a, b)
		}
		return WrongKind
	case g.Kind == p.Kind && (g.Kind == syntax.Intersection || g.Kind == syntax.Difference || g.Kind == syntax.Union):
		if len(g.Args) != len(p.Args) {
			return Undecided
		}
		if c.inOrder(g.Args, p.Args) == Equal || g.Kind != syntax.Difference && c.matching(g.Args, p.Args) == Equal {
			return Equal
		}
		return Undecided
	case g.Kind == syntax.Domain && p.Kind == syntax.Domain:
		if g.Text == p.Text {
			return Equal
		}
		return Different
	case g.Kind == syntax.PlusMinus && p.Kind == syntax.PlusMinus || !g.Scalar() && g.Kind == p.Kind && len(g.Args) == len(p.Args):
		if g.String() == p.String() {
			return Equal
		}
		return Undecided
	default:
		return WrongKind
	}
}

// ordered says whether the parts of a node have places.
func ordered(n *syntax.Node) bool { return n.Kind == syntax.Tuple || n.Kind == syntax.Interval }

// finite says whether a node is a finite collection without places.
func finite(n *syntax.Node) bool {
	switch n.Kind {
	case syntax.List, syntax.Set:
		return true
	case syntax.Union:
		for _, a := range n.Args {
			if !finite(a) {
				return false
			}
		}
		return true
	case syntax.Domain:
		return n.Text == "empty"
	default:
		return false
	}
}

// listed says whether a node names its parts one by one; inequalities joined by "or" describe them instead.
func listed(n *syntax.Node) bool {
	if n.Kind == syntax.List && n.Text == "or" && allRelations(n.Args) {
		for _, r := range n.Args {
			if r.Ops[0] != syntax.Equal {
				return false
			}
		}
	}
	return finite(n)
}

// elements gives the parts of a finite collection, or a value as the only part of one. ± gives two.
func elements(n *syntax.Node) []*syntax.Node {
	switch n.Kind {
	case syntax.List, syntax.Set, syntax.Union:
		var out []*syntax.Node
		for _, a := range n.Args {
			if n.Kind == syntax.Union {
				out = append(out, elements(a)...)
				continue
			}
			out = append(out, expand(a)...)
		}
		return out
	case syntax.Domain:
		if n.Text == "empty" {
			return []*syntax.Node{}
		}
		return nil
	default:
		if scalarLike(n) || n.Kind == syntax.Relation {
			return expand(n)
		}
		return nil
	}
}

// conjunctions says whether two lists of inequalities are joined by different words: x>1 and x<3 is not x>1 or x<3.
func conjunctions(g, p *syntax.Node) bool {
	if g.Kind != syntax.List || p.Kind != syntax.List || g.Text == p.Text || g.Text == "" || p.Text == "" {
		return false
	}
	for _, a := range g.Args {
		if a.Kind == syntax.Relation && a.Ops[0] != syntax.Equal {
			return true
		}
	}
	return false
}

// inOrder compares parts place by place; the first that is not equal decides.
func (c *comparer) inOrder(a, b []*syntax.Node) Outcome {
	if len(a) != len(b) {
		return Different
	}
	for i := range a {
		if out := c.compare(a[i], b[i]); out != Equal {
			if out == WrongKind {
				return Different
			}
			return out
		}
	}
	return Equal
}

// tuples compares two ordered collections. Brackets matter for pairs, which may be intervals; of three and more parts
// [1,2,3] and (1,2,3) are the same list.
func (c *comparer) tuples(g, p *syntax.Node) Outcome {
	if len(g.Args) != len(p.Args) {
		return Different
	}
	if len(g.Args) == 2 && (g.Open != p.Open || g.Close != p.Close) {
		return Different
	}
	return c.inOrder(g.Args, p.Args)
}

// tupleAgainst compares a tuple with something that is none: a bare list in the same order, assignments by name, a
// matrix of one row or column or, where strict is off, a set.
func (c *comparer) tupleAgainst(g, p *syntax.Node, referenceIsTuple bool) Outcome {
	tuple, other := g, p
	if !referenceIsTuple {
		tuple, other = p, g
	}
	var parts []*syntax.Node
	switch {
	case other.Kind == syntax.List:
		parts = other.Args
		if values, ok := assignments(parts); ok {
			parts = values
		} else if tuple.Kind == syntax.Interval && len(parts) == 2 {
			return WrongKind
		}
	case !c.o.Strict && other.Kind == syntax.Set:
		return c.matching(tuple.Args, other.Args)
	case !c.o.Strict && other.Kind == syntax.Matrix && (other.Columns == 1 || len(other.Args) == other.Columns):
		parts = other.Args
	default:
		return WrongKind
	}
	if len(parts) != len(tuple.Args) {
		return Different
	}
	if referenceIsTuple {
		return c.inOrder(tuple.Args, parts)
	}
	return c.inOrder(parts, tuple.Args)
}

// assignments reads y = 2, x = 1 as values in the order of their names, which is that of a tuple's places. Names that
// repeat are alternatives and not places.
func assignments(list []*syntax.Node) (values []*syntax.Node, ok bool) {
	type assignment struct {
		name  string
		value *syntax.Node
	}
	var all []assignment
	for _, r := range list {
		if r.Kind != syntax.Relation || len(r.Args) != 2 || r.Ops[0] != syntax.Equal || !syntax.NameLike(r.Args[0]) {
			return nil, false
		}
		all = append(all, assignment{r.Args[0].String(), r.Args[1]})
	}
	slices.SortFunc(all, func(a, b assignment) int { return strings.Compare(a.name, b.name) })
	for i, a := range all {
		if i > 0 && a.name == all[i-1].name {
			return nil, false
		}
		values = append(values, a.value)
	}
	return values, len(values) > 0
}

// assigned handles lists of which one names its values and the other does not: the order must then be that of the
// names, else x = 1, y = 2 could be answered by 2, 1.
func (c *comparer) assigned(a, b []*syntax.Node) Outcome {
	av, okA := assignments(a)
	bv, okB := assignments(b)
	if okA == okB || len(a) != len(b) || len(a) < 2 {
		return 0
	}
	for _, n := range append(append([]*syntax.Node{}, a...), b...) {
		if n.Kind == syntax.Relation && !(okA && contains(a, n) || okB && contains(b, n)) {
			return 0
		}
	}
	if okA {
		return c.inOrder(av, b)
	}
	return c.inOrder(a, bv)
}

func contains(list []*syntax.Node, n *syntax.Node) bool {
	for _, m := range list {
		if m == n {
			return true
		}
	}
	return false
}

// ratios are equal in proportion; two that look like times of day, as 6:30, are compared as they are.
func (c *comparer) ratios(g, p *syntax.Node) Outcome {
	if len(g.Args) != len(p.Args) {
		return Different
	}
	if clock(g) && clock(p) {
		return c.inOrder(g.Args, p.Args)
	}
	for i := 1; i < len(g.Args); i++ {
		l := syntax.Make(syntax.Mul, g.Args[0], p.Args[i])
		r := syntax.Make(syntax.Mul, g.Args[i], p.Args[0])
		if !l.Scalar() || !r.Scalar() {
			return c.inOrder(g.Args, p.Args)
		}
		if out := c.scalars(l, r); out != Equal {
			return out
		}
	}
	// 0:0 is in proportion to everything
	if c.scalars(g.Args[0], syntax.Int(0)) == Equal || c.scalars(p.Args[0], syntax.Int(0)) == Equal {
		return c.inOrder(g.Args, p.Args)
	}
	return Equal
}

// clock says whether a ratio can be a time of day: the parser keeps the digits of the second part.
func clock(n *syntax.Node) bool {
	return len(n.Args) <= 3 && len(n.Args[1].Text) == 2 && n.Args[1].Kind == syntax.Number
}
