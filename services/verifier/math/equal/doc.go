// Package equal decides whether two answers are the same answer: layer by layer, cheapest first, and "undecided" where
// no layer knows. It errs on one side only: two different answers must never be found equal, for that is what a policy
// would learn to produce.
package equal

import (
	"github.com/provenir/provenir/services/verifier/math/exact"
	"github.com/provenir/provenir/services/verifier/math/syntax"
)

// Outcome is what is known.
type Outcome uint8

// The outcomes.
const (
	Different Outcome = iota + 1
	Equal
	WrongKind // a set against a number
	Undecided
	TooLarge // a limit was reached
)

// Options say how strict a comparison is; the zero value is not usable, take Defaults.
type Options struct {
	Strict           bool    // names matter, and a set is not a tuple
	FloatRounding    int     // decimals that count where a side has a decimal point
	NumericPrecision int     // digits that count where a decimal stands within an expression with names
	SetRelation      bool    // a relation may answer a reference that is an interval or set
	PercentEither    bool    // 50% may also be 50
	Tolerance        float64 // relative; 0 for none; never between integers
}

// Defaults are the options of a spec that sets none.
func Defaults() Options { return Options{Strict: true, FloatRounding: 6, NumericPrecision: 15} }

// Result is an outcome with what was noticed.
type Result struct {
	Outcome Outcome
	// UnitMissing: one side has a unit and the other has none.
	UnitMissing bool
	// DecimalComma: a comma was read as a decimal sign, because the other side is one number.
	DecimalComma bool
}

// comparer holds the state of one comparison.
type comparer struct {
	o      Options
	budget *exact.Budget
	phi    bool // φ occurs on both sides
	depth  int
	unit   bool
	comma  bool
}

// Compare says whether an answer is the reference.
func Compare(reference, answer *syntax.Node, o Options) Result {
	c := &comparer{o: o, budget: exact.NewBudget(exact.MaxWork)}
	c.phi = hasPhi(reference) && hasPhi(answer)
	if !o.Strict {
		answer = rename(reference, answer)
	}
	out := c.compare(reference, answer)
	if out != Equal && c.decimalComma(reference, answer) {
		out = Equal
		c.comma = true
	}
	return Result{Outcome: out, UnitMissing: c.unit && out == Equal, DecimalComma: c.comma}
}

func hasPhi(n *syntax.Node) bool {
	return !n.Walk(func(m *syntax.Node) bool { return m.Kind != syntax.Constant || m.Text != "phi" })
}

// maxDepth bounds comparisons within comparisons: sets of sets of sets.
const maxDepth = 24

// compare is symmetric but for relations, where the reference's side matters.
func (c *comparer) compare(g, p *syntax.Node) Outcome {
	if c.depth++; c.depth > maxDepth {
		return TooLarge
	}
	defer func() { c.depth-- }()
	if err := c.budget.Spend(16); err != nil {
		return TooLarge
	}
	switch {
	case g.Kind == syntax.Opaque || p.Kind == syntax.Opaque:
		if g.Kind == p.Kind && squeeze(g.Text) == squeeze(p.Text) {
			return Equal
		}
		return Undecided
	case named(g) || named(p):
		return c.words(g, p)
	case g.Kind == syntax.Relation || p.Kind == syntax.Relation:
		return c.relations(g, p)
	}
	g, p = distribute(g), distribute(p)
	if a, b := expand(g), expand(p); len(a) > 1 || len(b) > 1 {
		return c.collections(listOf(a), listOf(b))
	}
	if scalarLike(g) && scalarLike(p) {
		return c.measured(g, p)
	}
	return c.collections(g, p)
}

// named says whether a node is text rather than math: words, or the letter of a choice.
func named(n *syntax.Node) bool { return n.Kind == syntax.Words || n.Kind == syntax.Choice }

// words compares text; a product of letters is not a word.
func (c *comparer) words(g, p *syntax.Node) Outcome {
	if g.Kind == p.Kind {
		if g.Text == p.Text {
			return Equal
		}
		return Different
	}
	return WrongKind
}

// scalarLike says whether a node is one value, with or without a unit.
func scalarLike(n *syntax.Node) bool {
	return n.Scalar() || n.Kind == syntax.Quantity && n.Args[0].Scalar()
}

// decimalComma reads "3,14" as 3.14 where the other side is one number and that is what it is. "1,2" stays a list: one
// digit behind the comma is what a list of two looks like.
func (c *comparer) decimalComma(g, p *syntax.Node) bool {
	for _, pair := range [...][2]*syntax.Node{{g, p}, {p, g}} {
		list, other := pair[0], pair[1]
		if !list.Comma || !other.Scalar() || len(other.Names()) > 0 {
			continue
		}
		if v := joinComma(list); v != nil && c.scalars(v, other) == Equal {
			return true
		}
	}
	return false
}

// squeeze drops white space from a text, except between two letters or digits, where it separates.
func squeeze(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != ' ' && s[i] != '\t' && s[i] != '\n' {
			b = append(b, s[i])
			continue
		}
		j := i
		for j < len(s) && (s[j] == ' ' || s[j] == '\t' || s[j] == '\n') {
			j++
		}
		if len(b) > 0 && j < len(s) && alphanumeric(b[len(b)-1]) && alphanumeric(s[j]) {
			b = append(b, ' ')
		}
		i = j - 1
	}
	return string(b)
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
