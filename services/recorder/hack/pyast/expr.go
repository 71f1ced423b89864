package pyast

import "github.com/provenir/provenir/services/recorder/hack/pytok"

// binding strength of binary operators, weakest first.
const (
	strengthOr = iota + 1
	strengthAnd
	strengthNot
	strengthCompare
	strengthBitOr
	strengthXor
	strengthBitAnd
	strengthShift
	strengthSum
	strengthProduct
	strengthSign
	strengthPower
)

func strength(op string) int {
	switch op {
	case "or":
		return strengthOr
	case "and":
		return strengthAnd
	case "in", "is", "not", "<", ">", "<=", ">=", "==", "!=":
		return strengthCompare
	case "|":
		return strengthBitOr
	case "^":
		return strengthXor
	case "&":
		return strengthBitAnd
	case "<<", ">>":
		return strengthShift
	case "+", "-":
		return strengthSum
	case "*", "/", "//", "%", "@":
		return strengthProduct
	case "**":
		return strengthPower
	}
	return 0
}

// exprs reads one or more expressions; with a comma they are a tuple.
func (p *Parser) exprs() *Node {
	first := p.expr()
	if !p.is(",") || p.failed {
		return first
	}
	n := p.node(Tuple)
	n.Start = first.Start
	mark := len(p.scratch)
	p.push(first)
	for p.accept(",") && !p.failed && p.begins() {
		p.push(p.expr())
	}
	n.Kids = p.list(mark)
	n.End = p.last()
	return n
}

// begins says whether an expression can start here.
func (p *Parser) begins() bool {
	switch t := p.tok(); t.Kind {
	case pytok.Number, pytok.String:
		return true
	case pytok.Name:
		s := p.text()
		return !keyword(s) || s == "not" || s == "lambda" || s == "None" || s == "True" || s == "False" || s == "await" || s == "yield"
	case pytok.Op:
		switch p.text() {
		case "(", "[", "{", "-", "+", "~", "*", "**", "...":
			return true
		}
	}
	return false
}

// expr reads one expression.
func (p *Parser) expr() *Node {
	if p.depth >= maxDepth || p.failed {
		return p.fail()
	}
	p.depth++
	defer func() { p.depth-- }()
	switch {
	case p.is("lambda"):
		return p.lambda()
	case p.is("*"), p.is("**"):
		n := p.node(Star)
		n.Text = p.text()
		p.next()
		return p.kids(n, p.binary(strengthBitOr))
	case p.is("yield"):
		n := p.node(Await)
		p.next()
		p.accept("from")
		if p.begins() {
			p.kids(n, p.exprs())
		}
		return n
	}
	x := p.binary(strengthOr)
	switch {
	case p.is("if"):
		n := p.node(IfExp)
		p.next()
		cond := p.binary(strengthOr)
		p.expect("else")
		if p.failed {
			return n
		}
		return p.kids(n, x, cond, p.expr())
	case p.is(":=") && x.Kind == Name:
		n := p.node(Walrus)
		p.next()
		return p.kids(n, x, p.expr())
	}
	return x
}

func (p *Parser) lambda() *Node {
	n := p.node(Lambda)
	p.next()
	mark := len(p.scratch)
	for !p.is(":") && !p.failed {
		p.push(p.param(false))
		if !p.accept(",") {
			break
		}
	}
	p.expect(":")
	if !p.failed {
		p.push(p.expr())
	}
	n.Kids = p.list(mark)
	n.End = p.last()
	return n
}

// binary reads operators that bind at least as strongly as least.
func (p *Parser) binary(least int) *Node {
	if p.depth >= maxDepth || p.failed {
		return p.fail()
	}
	p.depth++
	defer func() { p.depth-- }()
	var left *Node
	switch {
	case p.is("not") && least <= strengthNot:
		left = p.prefixed(strengthNot)
	case p.is("-"), p.is("+"), p.is("~"):
		left = p.prefixed(strengthSign)
	default:
		left = p.primary()
	}
	for !p.failed {
		t := p.tok()
		if t.Kind != pytok.Op && t.Kind != pytok.Name {
			break
		}
		op := p.text()
		s := strength(op)
		if s == 0 || s < least {
			break
		}
		p.next()
		if op == "not" {
			if !p.accept("in") {
				p.failed = true
				break
			}
			op = "not in"
		} else if op == "is" && p.accept("not") {
			op = "is not"
		}
		left = p.join(left, op, s)
	}
	return left
}

func (p *Parser) prefixed(s int) *Node {
	n := p.node(Unary)
	n.Text = p.text()
	p.next()
	return p.kids(n, p.binary(s))
}

// join makes one node of both sides. Comparisons are chained in Python: their operands lie in one node.
func (p *Parser) join(left *Node, op string, s int) *Node {
	k := Binary
	switch {
	case s <= strengthAnd:
		k = Bool
	case s == strengthCompare:
		k = Compare
	}
	n := p.node(k)
	n.Text = op
	least := s + 1
	if s == strengthPower {
		least = strengthSign
	}
	right := p.binary(least)
	if k == Compare && left.Kind == Compare {
		n.Text = left.Text
		mark := len(p.scratch)
		p.scratch = append(append(p.scratch, left.Kids...), right)
		n.Kids = p.list(mark)
		n.Start, n.End = left.Start, right.End
		return n
	}
	n.Start, n.End = left.Start, right.End
	return p.kids(n, left, right)
}
