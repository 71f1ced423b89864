package equal

import (
	"slices"

	"github.com/provenir/provenir/services/verifier/math/probe"
	"github.com/provenir/provenir/services/verifier/math/syntax"
)

// end is an end of an interval: a constant, or an infinity where node is nil.
type end struct {
	node   *syntax.Node
	sign   int // of an infinity
	closed bool
}

// span is an interval of real numbers; a point is a closed one with equal ends.
type span struct{ lo, hi end }

// realSet reads intervals, unions, real lines without points, and inequalities in one name as sets of real numbers. ok is
// false for what is none, or whose ends have no order that can be decided.
func (c *comparer) realSet(n *syntax.Node) ([]span, bool) {
	switch n.Kind {
	case syntax.Interval, syntax.Tuple:
		return c.interval(n)
	case syntax.Domain:
		return []span{line()}, n.Text == "R"
	case syntax.Union:
		return c.unionOf(n.Args)
	case syntax.List:
		if n.Text == "or" && allRelations(n.Args) {
			return c.unionOf(n.Args)
		}
		return nil, false
	case syntax.Set:
		var out []span
		for _, a := range n.Args {
			if !constant(a) {
				return nil, false
			}
			e := end{node: a, closed: true}
			out = append(out, span{e, e})
		}
		return c.merged(out)
	case syntax.Difference:
		return c.without(n.Args[0], n.Args[1])
	case syntax.Relation:
		return c.inequality(n)
	default:
		return nil, false
	}
}

func line() span { return span{end{sign: -1}, end{sign: 1}} }

func constant(n *syntax.Node) bool { return n.Scalar() && len(n.Names()) == 0 }

func allRelations(list []*syntax.Node) bool {
	for _, n := range list {
		if n.Kind != syntax.Relation || len(n.Names()) != 1 || n.Names()[0] != list[0].Names()[0] {
			return false
		}
	}
	return true
}

func (c *comparer) interval(n *syntax.Node) ([]span, bool) {
	if len(n.Args) != 2 {
		return nil, false
	}
	s := span{toEnd(n.Args[0], n.Open == '['), toEnd(n.Args[1], n.Close == ']')}
	for _, e := range [...]end{s.lo, s.hi} {
		if e.node != nil && !constant(e.node) {
			return nil, false
		}
	}
	return []span{s}, c.before(s.lo, s.hi) == 1
}

func toEnd(n *syntax.Node, closed bool) end {
	if s, ok := infiniteSign(n); ok {
		return end{sign: s}
	}
	return end{node: n, closed: closed}
}

func (c *comparer) unionOf(parts []*syntax.Node) ([]span, bool) {
	var out []span
	for _, a := range parts {
		s, ok := c.realSet(a)
		if !ok {
			return nil, false
		}
		out = append(out, s...)
	}
	return c.merged(out)
}

// inequality reads x > 3, 3 < x, 1 < x ≤ 5, x ≠ 2 in one name.
func (c *comparer) inequality(r *syntax.Node) ([]span, bool) {
	if len(r.Ops) == 2 {
		if r.Ops[0] == syntax.Greater || r.Ops[0] == syntax.GreaterEqual {
			r = reversed(r)
		}
		up := func(o syntax.Op) bool { return o == syntax.Less || o == syntax.LessEqual }
		if r.Args[1].Kind != syntax.Name || !constant(r.Args[0]) || !constant(r.Args[2]) || !up(r.Ops[0]) || !up(r.Ops[1]) {
			return nil, false
		}
		s := span{toEnd(r.Args[0], r.Ops[0] == syntax.LessEqual), toEnd(r.Args[2], r.Ops[1] == syntax.LessEqual)}
		return []span{s}, c.before(s.lo, s.hi) == 1
	}
	if len(r.Ops) != 1 {
		return nil, false
	}
	name, value, op := r.Args[0], r.Args[1], r.Ops[0]
	if name.Kind != syntax.Name {
		name, value, op = value, name, op.Flip()
	}
	if name.Kind != syntax.Name || !constant(value) {
		if r.Ops[0] == syntax.In && r.Args[0].Kind == syntax.Name {
			return c.realSet(r.Args[1])
		}
		return nil, false
	}
	e := toEnd(value, false)
	if e.node == nil {
		return nil, false
	}
	closed := end{node: value, closed: true}
	switch op {
	case syntax.Less:
		return []span{{end{sign: -1}, e}}, true
	case syntax.LessEqual:
		return []span{{end{sign: -1}, closed}}, true
	case syntax.Greater:
		return []span{{e, end{sign: 1}}}, true
	case syntax.GreaterEqual:
		return []span{{closed, end{sign: 1}}}, true
	case syntax.NotEqual:
		return []span{{end{sign: -1}, e}, {e, end{sign: 1}}}, true
	default:
		return nil, false
	}
}

// without takes points away from a set: ℝ \ {2} is (−∞,2) ∪ (2,∞).
func (c *comparer) without(from, points *syntax.Node) ([]span, bool) {
	spans, ok := c.realSet(from)
	if !ok || points.Kind != syntax.Set {
		return nil, false
	}
	for _, p := range points.Args {
		if !constant(p) {
			return nil, false
		}
		cut := end{node: p}
		var next []span
		for _, s := range spans {
			lo, hi := c.before(s.lo, cut), c.before(cut, s.hi)
			switch {
			case lo == unordered || hi == unordered:
				return nil, false
			case lo == 1 && hi == 1:
				next = append(next, span{s.lo, cut}, span{cut, s.hi})
			case lo == 0 && hi == 0: // the point itself
			case lo == 0:
				s.lo.closed = false
				next = append(next, s)
			case hi == 0:
				s.hi.closed = false
				next = append(next, s)
			default:
				next = append(next, s)
			}
		}
		spans = next
	}
	return spans, true
}

// merged sorts spans and joins those that touch.
func (c *comparer) merged(spans []span) ([]span, bool) {
	good := true
	slices.SortStableFunc(spans, func(a, b span) int {
		switch c.before(a.lo, b.lo) {
		case 1:
			return -1
		case -1:
			return 1
		case unordered:
			good = false
		}
		if a.lo.closed != b.lo.closed {
			if a.lo.closed {
				return -1
			}
			return 1
		}
		return 0
	})
	var out []span
	for _, s := range spans {
		if len(out) == 0 {
			out = append(out, s)
			continue
		}
		last := &out[len(out)-1]
		switch c.before(last.hi, s.lo) {
		case unordered:
			return nil, false
		case 1:
			out = append(out, s)
			continue
		case 0:
			if !last.hi.closed && !s.lo.closed {
				out = append(out, s)
				continue
			}
		}
		switch c.before(last.hi, s.hi) {
		case unordered:
			return nil, false
		case 1:
			last.hi = s.hi
		case 0:
			last.hi.closed = last.hi.closed || s.hi.closed
		}
	}
	return out, good
}

// unordered is the answer where the order of two ends is not known.
const unordered = 2

// before says 1 where a < b, 0 where they are equal, −1 where a > b.
func (c *comparer) before(a, b end) int {
	switch {
	case a.node == nil && b.node == nil:
		return sign(b.sign - a.sign)
	case a.node == nil:
		return -a.sign
	case b.node == nil:
		return b.sign
	}
	if out := c.scalars(a.node, b.node); out == Equal {
		return 0
	}
	x, errA := probe.Eval(a.node, probe.Point{}, c.budget)
	y, errB := probe.Eval(b.node, probe.Point{}, c.budget)
	if errA != nil || errB != nil || !x.IsReal() || !y.IsReal() {
		return unordered
	}
	if s := y.Re.Sub(x.Re).Sign(); s != 0 {
		return s
	}
	return unordered
}

func sign(n int) int {
	switch {
	case n > 0:
		return 1
	case n < 0:
		return -1
	default:
		return 0
	}
}

// sameSets compares two sets that were brought to sorted spans.
func (c *comparer) sameSets(a, b []span) Outcome {
	if len(a) != len(b) {
		return Different
	}
	for i := range a {
		for _, pair := range [...][2]end{{a[i].lo, b[i].lo}, {a[i].hi, b[i].hi}} {
			if pair[0].closed != pair[1].closed || c.before(pair[0], pair[1]) != 0 {
				return Different
			}
		}
	}
	return Equal
}
