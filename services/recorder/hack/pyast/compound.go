package pyast

import "github.com/provenir/provenir/services/recorder/hack/pytok"

// compound reads a statement with a block, or gives nil where none starts here.
func (p *Parser) compound() *Node {
	if p.is("@") {
		return p.decorated()
	}
	if p.tok().Kind != pytok.Name {
		return nil
	}
	switch s := p.text(); s {
	case "def":
		return p.def()
	case "class":
		return p.class()
	case "async":
		p.next()
		if !p.is("def") && !p.is("for") && !p.is("with") { // asked before its block is read: nothing is read twice
			return p.fail()
		}
		n := p.compound()
		n.Async = true
		return n
	case "if", "while":
		return p.conditional(s)
	case "for":
		n := p.node(For)
		p.next()
		target := p.targets()
		p.expect("in")
		if !p.failed {
			p.kids(n, target, p.exprs())
		}
		n.Body = p.block()
		p.orelse(n)
		return p.done(n)
	case "with":
		return p.with()
	case "try":
		return p.try()
	case "match":
		return p.match()
	}
	return nil
}

// done counts a head that was read, and gives the node its end.
func (p *Parser) done(n *Node) *Node {
	n.End = max(n.End, p.last())
	p.m.Strong++
	return n
}

func (p *Parser) decorated() *Node {
	mark := len(p.scratch)
	start := p.tok().Start
	for p.accept("@") {
		p.push(p.expr())
		if p.failed {
			return p.node(Opaque)
		}
		if p.tok().Kind == pytok.Newline {
			p.next()
		}
	}
	decorators := p.list(mark)
	var n *Node
	if p.is("def") || p.is("class") || p.is("async") {
		n = p.compound()
	} else {
		n = p.node(Def) // a decorator alone
		n.End = p.last()
		p.m.Strong++
	}
	n.Start, n.Decorators = start, decorators
	return n
}

func (p *Parser) def() *Node {
	n := p.node(Def)
	p.next()
	n.Text = p.identifier()
	if p.is("[") { // type parameters
		p.subscript(n)
	}
	p.expect("(")
	mark := len(p.scratch)
	for !p.failed && !p.is(")") {
		p.push(p.param(true))
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	if p.accept("->") && !p.failed {
		p.expr()
	}
	n.Kids = p.list(mark)
	n.Body = p.block()
	return p.done(n)
}

// param reads a parameter; of a lambda it has no annotation.
func (p *Parser) param(annotated bool) *Node {
	n := p.node(Param)
	if p.accept("/") {
		return n
	}
	if p.accept("*") {
		n.Text = "*"
		if p.is(",") || p.is(")") || p.is(":") {
			return n
		}
	} else if p.accept("**") {
		n.Text = "**"
	}
	n.Text = p.identifier()
	if annotated && p.accept(":") {
		p.expr()
	}
	if p.accept("=") {
		p.kids(n, p.expr())
	}
	n.End = p.last()
	return n
}

func (p *Parser) class() *Node {
	n := p.node(Class)
	p.next()
	n.Text = p.identifier()
	if p.accept("(") {
		mark := len(p.scratch)
		for !p.failed && !p.is(")") {
			p.push(p.argument())
			if !p.accept(",") {
				break
			}
		}
		p.expect(")")
		n.Kids = p.list(mark)
	}
	n.Body = p.block()
	return p.done(n)
}

func (p *Parser) conditional(word string) *Node {
	n := p.node(If)
	if word == "while" {
		n.Kind = While
	}
	p.next()
	p.kids(n, p.expr())
	n.Body = p.block()
	if p.failed {
		return n
	}
	if word == "while" || !p.is("elif") {
		p.orelse(n)
		return p.done(n)
	}
	if p.depth >= maxDepth {
		return p.done(n) // the rest of the chain is read as lines that cannot stand alone
	}
	p.depth++
	mark := len(p.scratch)
	if p.attempt(func() { p.push(p.conditional("if")) }) {
		n.Else = p.list(mark)
	}
	p.depth--
	return p.done(n)
}

// attempt reads a part that follows a block. Where that fails, the part is left for the lines behind the statement: to give
// up the whole statement would read its blocks again, and nested ones again and again.
func (p *Parser) attempt(read func()) bool {
	if p.failed {
		return false
	}
	from, mark, depth := p.i, len(p.scratch), p.depth
	read()
	if !p.failed {
		return true
	}
	p.failed, p.i, p.depth = false, from, depth
	p.scratch = p.scratch[:mark]
	return false
}

func (p *Parser) orelse(n *Node) {
	if !p.failed && p.is("else") {
		p.attempt(func() {
			p.next()
			n.Else = p.block()
		})
	}
}

func (p *Parser) with() *Node {
	n := p.node(With)
	p.next()
	parens := p.is("(") && p.groups()
	if parens {
		p.next()
	}
	mark := len(p.scratch)
	for !p.failed {
		p.push(p.expr())
		if p.accept("as") {
			p.push(p.binary(strengthBitOr))
		}
		if !p.accept(",") || p.is(")") {
			break
		}
	}
	if parens {
		p.expect(")")
	}
	n.Kids = p.list(mark)
	n.Body = p.block()
	return p.done(n)
}

// groups says whether the bracket here holds items of a with: its partner is followed by the colon, and it holds an as.
func (p *Parser) groups() bool {
	depth, as := 0, false
	for i := p.i; i < len(p.toks) && p.toks[i].Kind != pytok.Newline; i++ {
		switch p.toks[i].Text(p.src) {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			if depth--; depth == 0 {
				return as && i+1 < len(p.toks) && p.toks[i+1].Text(p.src) == ":"
			}
		case "as":
			as = as || depth == 1
		}
	}
	return false
}

func (p *Parser) try() *Node {
	n := p.node(Try)
	p.next()
	n.Body = p.block()
	mark := len(p.scratch)
	for !p.failed && (p.is("except") || p.is("else") || p.is("finally")) {
		if !p.attempt(p.handler) {
			break
		}
	}
	n.Else = p.list(mark)
	return p.done(n)
}

func (p *Parser) handler() {
	h := p.node(Except)
	h.Text = p.text()
	p.next()
	p.accept("*")
	if !p.is(":") {
		p.kids(h, p.exprs())
		if p.accept("as") {
			p.identifier()
		}
	}
	h.Body = p.block()
	h.End = max(h.End, p.last())
	p.push(h)
}

// match reads the statement; match is also a name, so a line that is none is given back.
func (p *Parser) match() *Node {
	n := p.node(Match)
	head := p.attempt(func() {
		p.next()
		p.kids(n, p.exprs())
		if p.expect(":"); p.tok().Kind != pytok.Newline {
			p.failed = true
		}
	})
	if !head {
		return nil
	}
	p.next()
	if p.tok().Kind != pytok.Indent || p.depth >= maxDepth {
		return p.done(n)
	}
	p.next()
	p.depth++
	mark := len(p.scratch)
	for p.is("case") && p.attempt(p.oneCase) {
	}
	n.Body = p.list(mark)
	if p.tok().Kind == pytok.Dedent {
		p.next()
	} else {
		n.Else = p.statements(pytok.Dedent)
	}
	p.depth--
	return p.done(n)
}

func (p *Parser) oneCase() {
	c := p.node(Case)
	p.next()
	mark := len(p.scratch)
	for !p.failed { // a pattern is no expression: the if behind it is its guard
		p.push(p.pattern())
		if !p.accept(",") {
			break
		}
	}
	if p.accept("as") {
		p.identifier()
	}
	if p.accept("if") {
		p.push(p.expr())
	}
	c.Kids = p.list(mark)
	c.Body = p.block()
	c.End = p.last()
	p.push(c)
}

func (p *Parser) pattern() *Node {
	if p.is("*") {
		n := p.node(Star)
		p.next()
		return p.kids(n, p.primary())
	}
	return p.binary(strengthOr)
}
