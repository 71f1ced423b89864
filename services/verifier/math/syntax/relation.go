package syntax

import "github.com/provenir/provenir/services/verifier/math/lex"

var relationSigns = map[string]Op{
	"=": Equal, "==": Equal, "<": Less, ">": Greater, "<=": LessEqual, ">=": GreaterEqual, "!=": NotEqual,
	`\le`: LessEqual, `\leq`: LessEqual, `\leqslant`: LessEqual, `\leqq`: LessEqual, `\ge`: GreaterEqual, `\geq`: GreaterEqual,
	`\geqslant`: GreaterEqual, `\geqq`: GreaterEqual, `\lt`: Less, `\gt`: Greater, `\ne`: NotEqual, `\neq`: NotEqual, `\in`: In, `\eq`: Equal,
}

func (p *parser) relationSign() (op Op, approx, ok bool) {
	t := p.peek()
	if t.Kind != lex.Sign && t.Kind != lex.Command {
		return 0, false, false
	}
	switch t.Text {
	case `\approx`, `\simeq`, `\doteq`:
		return Equal, true, true
	case `\not`:
		if n := p.at(1); n.Text == "=" {
			p.i++
			return NotEqual, false, true
		}
	case `\colon`, ":":
		if n := p.at(1); n.Text == "=" { // :=
			p.i++
			return Equal, false, true
		}
	}
	op, ok = relationSigns[t.Text]
	return op, false, ok
}

// relation reads a op b op c. What stands behind ≈ is a rounded form of what stands before it and is dropped, except
// behind a name, whose value it is.
func (p *parser) relation() (*Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if op, _, ok := p.relationSign(); ok && op == Equal { // "= 5" is what is left of a line
		p.i++
	}
	first, err := p.setExpression()
	if err != nil {
		return nil, err
	}
	n := &Node{Kind: Relation, Args: []*Node{first}}
	dropping := false
	for {
		op, approx, ok := p.relationSign()
		if !ok {
			break
		}
		p.i++
		side, err := p.setExpression()
		if err != nil {
			return nil, err
		}
		dropping = dropping || approx && !NameLike(n.Args[len(n.Args)-1])
		if dropping {
			continue
		}
		n.Args = append(n.Args, side)
		n.Ops = append(n.Ops, op)
	}
	if len(n.Args) == 1 {
		return first, nil
	}
	return n, nil
}

// NameLike says whether a node names something that can have a value: x, x_1, f(x), AB, |v|, \angle ABC, P(A), 2:1 no.
func NameLike(n *Node) bool {
	switch n.Kind {
	case Name, Words:
		return true
	case Constant:
		return n.Text == "e" || n.Text == "i" || n.Text == "phi"
	case Mul: // AB, and f(x) read as a product
		for _, a := range n.Args {
			if !NameLike(a) {
				return false
			}
		}
		return true
	case Call:
		if n.Text == "abs" || n.Text == "norm" || !knownFunction(n.Text) {
			for _, a := range n.Args {
				if a.Kind != Number && !NameLike(a) && a.Kind != Tuple {
					return false
				}
			}
			return true
		}
		return false
	case Tuple, List: // (x, y) = (1, 2)
		for _, a := range n.Args {
			if a.Kind != Name {
				return false
			}
		}
		return len(n.Args) > 0
	default:
		return false
	}
}
