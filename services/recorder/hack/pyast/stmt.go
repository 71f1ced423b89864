package pyast

import "github.com/provenir/provenir/services/recorder/hack/pytok"

// statements reads up to a token of that kind, which it takes.
func (p *Parser) statements(until pytok.Kind) []*Node {
	mark := len(p.scratch)
	for {
		switch p.tok().Kind {
		case pytok.End:
			return p.list(mark)
		case until:
			p.next()
			return p.list(mark)
		case pytok.Newline, pytok.Dedent: // a dedent too many ends what was indented without a head
			p.next()
			continue
		case pytok.Indent:
			p.next()
			if p.depth >= maxDepth {
				continue
			}
			p.depth++
			inner := p.statements(pytok.Dedent)
			p.depth--
			p.scratch = append(p.scratch, inner...)
			continue
		}
		p.statement()
	}
}

// statement reads one logical line with what is below it, and pushes what it finds.
func (p *Parser) statement() {
	from, mark, depth := p.i, len(p.scratch), p.depth
	n := p.compound()
	switch {
	case n != nil && !p.failed:
		p.push(n)
	case n == nil && !p.failed:
		p.simple()
	}
	if !p.failed {
		if n == nil || n.Kind != Opaque {
			p.m.Good++
		}
		return
	}
	// The line cannot be read. What is below it is kept.
	p.failed, p.i, p.depth = false, from, depth
	p.scratch = p.scratch[:mark]
	p.m.Bad++
	bad := p.node(Opaque)
	for k := p.tok().Kind; k != pytok.Newline && k != pytok.End && k != pytok.Dedent && k != pytok.Indent; k = p.tok().Kind {
		p.next()
	}
	bad.End = p.last()
	if p.tok().Kind == pytok.Newline {
		p.next()
	}
	if p.tok().Kind == pytok.Indent && p.depth < maxDepth {
		p.next()
		p.depth++
		bad.Body = p.statements(pytok.Dedent)
		p.depth--
	}
	p.push(bad)
}

// block reads what a head with a colon is followed by. The head is read: from here on only lines below can fail.
func (p *Parser) block() []*Node {
	p.expect(":")
	if p.failed {
		return nil
	}
	mark := len(p.scratch)
	if p.tok().Kind != pytok.Newline {
		p.simple()
		if p.failed {
			p.scratch = p.scratch[:mark]
			return nil
		}
		return p.list(mark)
	}
	p.next()
	if p.tok().Kind != pytok.Indent || p.depth >= maxDepth {
		return nil
	}
	p.next()
	p.depth++
	out := p.statements(pytok.Dedent)
	p.depth--
	return out
}

// simple reads statements that are divided by semicolons.
func (p *Parser) simple() {
	for !p.failed {
		n := p.small()
		n.End = max(n.End, p.last())
		p.push(n)
		if !p.accept(";") || p.tok().Kind == pytok.Newline {
			break
		}
	}
	switch p.tok().Kind {
	case pytok.Newline:
		p.next()
	case pytok.End:
	default:
		p.failed = true
	}
}

func (p *Parser) small() *Node {
	if p.tok().Kind == pytok.Name {
		switch s := p.text(); s {
		case "import", "from":
			p.m.Strong++
			return p.imports(s == "from")
		case "return", "raise", "assert", "del":
			return p.worded(s)
		case "pass", "break", "continue":
			n := p.node(Pass)
			p.next()
			return n
		case "global", "nonlocal":
			n := p.node(Global)
			p.next()
			mark := len(p.scratch)
			for {
				x := p.node(Name)
				x.Text = p.identifier()
				p.push(x)
				if p.failed || !p.accept(",") {
					break
				}
			}
			n.Kids = p.list(mark)
			return n
		}
	}
	return p.assignment()
}

func (p *Parser) worded(word string) *Node {
	k := Return
	switch word {
	case "raise":
		k = Raise
	case "assert":
		k = Assert
	case "del":
		k = Del
	}
	n := p.node(k)
	p.next()
	mark := len(p.scratch)
	if p.begins() {
		p.push(p.exprs())
		if p.accept("from") {
			p.push(p.expr())
		}
	} else if k == Assert || k == Del {
		p.failed = true
	}
	n.Kids = p.list(mark)
	return n
}

// assignment reads an expression and whatever makes it more than that.
func (p *Parser) assignment() *Node {
	x := p.exprs()
	if p.failed {
		return x
	}
	switch {
	case p.is("="):
		n := p.node(Assign)
		mark := len(p.scratch)
		p.push(x)
		for p.accept("=") && !p.failed {
			p.push(p.exprs())
		}
		n.Kids = p.list(mark)
		n.Start = x.Start
		p.m.Strong++
		return n
	case p.is(":") && (x.Kind == Name || x.Kind == Attr || x.Kind == Subscript):
		n := p.node(AnnAssign)
		p.next()
		mark := len(p.scratch)
		p.scratch = append(p.scratch, x, p.expr())
		if p.accept("=") {
			p.push(p.exprs())
			p.m.Strong++
		}
		n.Kids = p.list(mark)
		n.Start = x.Start
		return n
	case p.tok().Kind == pytok.Op && augmented(p.text()):
		n := p.node(AugAssign)
		n.Text = p.text()
		p.next()
		n.Start = x.Start
		p.m.Strong++
		return p.kids(n, x, p.exprs())
	}
	if x.Kind == Call {
		p.m.Strong++
	}
	n := p.node(Expr)
	n.End = x.End
	return p.kids(n, x)
}

func augmented(op string) bool {
	switch op {
	case "+=", "-=", "*=", "/=", "//=", "%=", "@=", "&=", "|=", "^=", ">>=", "<<=", "**=":
		return true
	}
	return false
}

func (p *Parser) imports(from bool) *Node {
	n := p.node(Import)
	p.next()
	mark := len(p.scratch)
	parens := false
	if from {
		n.Kind = ImportFrom
		at := p.tok().Start
		for p.is(".") || p.is("...") {
			p.next()
		}
		if !p.is("import") {
			p.dotted()
		}
		n.Text = p.src[at:max(at, p.last())]
		p.expect("import")
		parens = p.accept("(")
	}
	for !p.failed && !p.is(")") {
		a := p.node(Alias)
		if p.is("*") && from {
			a.Text = "*"
			p.next()
		} else {
			a.Text = p.dotted()
		}
		if p.accept("as") {
			as := p.node(Name)
			as.Text = p.identifier()
			p.kids(a, as)
		}
		p.push(a)
		if !p.accept(",") {
			break
		}
	}
	if parens {
		p.expect(")")
	}
	n.Kids = p.list(mark)
	return n
}

func (p *Parser) dotted() string {
	at := p.tok().Start
	p.identifier()
	for !p.failed && p.accept(".") {
		p.identifier()
	}
	return p.src[at:max(at, p.last())]
}
