package syntax

import (
	"github.com/provenir/provenir/services/verifier/math/lex"
)

// setExpression reads a ∪ b ∩ c \ d; ∩ binds tighter, the others from the left.
func (p *parser) setExpression() (*Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	a, err := p.intersection()
	if err != nil {
		return nil, err
	}
	for {
		switch {
		case p.eat(`\cup`):
			b, err := p.intersection()
			if err != nil {
				return nil, err
			}
			if a.Kind == Union {
				a.Args = append(a.Args, b)
			} else {
				a = Make(Union, a, b)
			}
		case p.eat(`\setminus`) || p.eat(`\backslash`) || p.eat(`\smallsetminus`):
			b, err := p.intersection()
			if err != nil {
				return nil, err
			}
			a = Make(Difference, a, b)
		default:
			return a, nil
		}
	}
}

func (p *parser) intersection() (*Node, error) {
	a, err := p.ratio()
	for err == nil && p.eat(`\cap`) {
		var b *Node
		if b, err = p.ratio(); err == nil {
			a = Make(Intersection, a, b)
		}
	}
	return a, err
}

// ratio reads a : b : c.
func (p *parser) ratio() (*Node, error) {
	a, err := p.sum()
	if err != nil {
		return nil, err
	}
	if !p.is(":") && !p.is(`\colon`) || p.at(1).Text == "=" {
		return a, nil
	}
	n := Make(Ratio, a)
	for p.eat(":") || p.eat(`\colon`) {
		b, err := p.sum()
		if err != nil {
			return nil, err
		}
		n.Args = append(n.Args, b)
	}
	return n, nil
}

var emptySet = map[string]bool{"emptyset": true}

// domains are sets with a name.
var domains = map[string]bool{"R": true, "Z": true, "Q": true, "N": true, "C": true}

// set reads {…} behind its opening brace.
func (p *parser) set(shut string) (*Node, error) {
	if p.eat(shut) {
		return &Node{Kind: Domain, Text: "empty"}, nil
	}
	n, err := p.items(func() bool { return p.is(shut) || p.peek().Kind == lex.End })
	if err != nil {
		return nil, err
	}
	if p.is("|") || p.is(":") || p.is(`\mid`) {
		return nil, p.unreadable("a set by a condition")
	}
	if !p.eat(shut) {
		return nil, p.unreadable("a brace does not close")
	}
	if n.Kind == List {
		return &Node{Kind: Set, Args: n.Args}, nil
	}
	return Make(Set, n), nil
}

// bracket reads ( … ) and [ … ], in all four combinations: groups, tuples, intervals.
func (p *parser) bracket(open string) (*Node, error) {
	bars := p.bars
	p.bars = 0 // a bar within brackets is not the one outside
	defer func() { p.bars = bars }()
	// ]a, b[ is the French open interval.
	french := open == "]"
	done := func() bool {
		return p.is(")") || p.is("]") || french && p.is("[") || p.peek().Kind == lex.End
	}
	n, err := p.items(done)
	if err != nil {
		return nil, err
	}
	shut := p.peek().Text
	if p.peek().Kind == lex.End || (shut != ")" && shut != "]" && shut != "[") {
		return nil, p.unreadable("a bracket does not close")
	}
	p.i++
	if french {
		open = "("
		if shut == "[" {
			shut = ")"
		}
	}
	if n.Kind != List || n.Text != "" { // (a) is a; (1 and 2) stays a list
		if open == "(" && shut == ")" || open == "[" && shut == "]" {
			return n, nil
		}
		return nil, p.unreadable("a half-open bracket around one value")
	}
	out := &Node{Kind: Tuple, Args: n.Args, Open: open[0], Close: shut[0]}
	if len(n.Args) == 2 && (french || open == "[" || shut == "]" || infinite(n.Args[0]) || infinite(n.Args[1])) {
		out.Kind = Interval
	} else if (open == "[") != (shut == "]") {
		return nil, p.unreadable("a half-open bracket around %d values", len(n.Args))
	}
	return out, nil
}

func infinite(n *Node) bool {
	if n.Kind == Neg {
		n = n.Args[0]
	}
	return n.Kind == Constant && n.Text == "infinity"
}
