package pyast

import "github.com/provenir/provenir/services/recorder/hack/pytok"

// primary reads an atom and what is attached to it.
func (p *Parser) primary() *Node {
	if p.is("await") {
		n := p.node(Await)
		p.next()
		return p.kids(n, p.primary())
	}
	x := p.atom()
	for !p.failed {
		switch {
		case p.is("."):
			n := p.node(Attr)
			p.next()
			if p.tok().Kind != pytok.Name {
				return p.fail()
			}
			n.Text = p.text()
			p.next()
			x = p.kids(n, x)
			x.End = p.last()
		case p.is("("):
			x = p.call(x)
		case p.is("["):
			x = p.subscript(x)
		default:
			return x
		}
	}
	return x
}

func (p *Parser) call(f *Node) *Node {
	n := p.node(Call)
	n.Start = f.Start
	p.next()
	mark := len(p.scratch)
	p.push(f)
	for !p.is(")") && !p.failed {
		p.push(p.argument())
		if !p.accept(",") {
			break
		}
	}
	p.expect(")")
	n.Kids = p.list(mark)
	n.End = p.last()
	return n
}

func (p *Parser) argument() *Node {
	t := p.tok()
	if t.Kind == pytok.Name && p.i+1 < len(p.toks) && p.toks[p.i+1].Kind == pytok.Op && p.toks[p.i+1].Text(p.src) == "=" {
		n := p.node(Keyword)
		n.Text = p.text()
		p.next()
		p.next()
		return p.kids(n, p.expr())
	}
	x := p.expr()
	if p.is("for") || p.is("async") {
		return p.comprehension(x)
	}
	return x
}

func (p *Parser) subscript(x *Node) *Node {
	n := p.node(Subscript)
	n.Start = x.Start
	p.next()
	mark := len(p.scratch)
	p.push(x)
	for !p.is("]") && !p.failed {
		p.push(p.slice())
		if !p.accept(",") {
			break
		}
	}
	p.expect("]")
	n.Kids = p.list(mark)
	n.End = p.last()
	return n
}

func (p *Parser) slice() *Node {
	var x *Node
	if !p.is(":") {
		x = p.expr()
		if !p.is(":") {
			return x
		}
	}
	n := p.node(Slice)
	mark := len(p.scratch)
	if x != nil {
		n.Start = x.Start
		p.push(x)
	}
	for p.accept(":") && !p.failed {
		if !p.is(":") && !p.is("]") && !p.is(",") {
			p.push(p.expr())
		}
	}
	n.Kids = p.list(mark)
	n.End = p.last()
	return n
}

// comprehension reads the clauses behind an element.
func (p *Parser) comprehension(elem *Node) *Node {
	n := p.node(Comp)
	n.Start = elem.Start
	mark := len(p.scratch)
	p.push(elem)
	for !p.failed && (p.is("for") || p.is("async") || p.is("if")) {
		if p.accept("if") {
			p.push(p.binary(strengthOr))
			continue
		}
		p.accept("async")
		p.expect("for")
		p.push(p.targets())
		p.expect("in")
		p.push(p.binary(strengthOr))
	}
	n.Kids = p.list(mark)
	n.End = p.last()
	return n
}

// targets reads names to be bound, up to a word in.
func (p *Parser) targets() *Node {
	n := p.node(Tuple)
	mark := len(p.scratch)
	for !p.failed {
		if p.is("*") {
			p.next()
		}
		p.push(p.binary(strengthBitOr))
		if !p.accept(",") || !p.begins() {
			break
		}
	}
	n.Kids = p.list(mark)
	n.End = p.last()
	return n
}

func (p *Parser) atom() *Node {
	t := p.tok()
	switch t.Kind {
	case pytok.Name:
		s := p.text()
		if keyword(s) && s != "None" && s != "True" && s != "False" {
			return p.fail()
		}
		n := p.node(Name)
		n.Text = s
		p.next()
		return n
	case pytok.Number:
		n := p.node(Num)
		n.Text = p.text()
		p.next()
		return n
	case pytok.String:
		return p.strings()
	case pytok.Op:
		switch p.text() {
		case "(":
			return p.round()
		case "[":
			return p.bracketed(List, "]")
		case "{":
			return p.bracketed(Set, "}")
		case "...":
			n := p.node(Num)
			n.Text = "..."
			p.next()
			return n
		}
	}
	return p.fail()
}

// strings joins pieces that stand side by side.
func (p *Parser) strings() *Node {
	n := p.node(Str)
	mark := len(p.scratch)
	for p.tok().Kind == pytok.String {
		piece := p.node(Str)
		piece.Text = p.text()
		p.push(piece)
		p.next()
	}
	n.Kids = p.list(mark)
	n.End = p.last()
	return n
}

func (p *Parser) round() *Node {
	n := p.node(Tuple)
	p.next()
	if p.accept(")") {
		n.End = p.last()
		return n
	}
	mark := len(p.scratch)
	tuple := false
	for !p.is(")") && !p.failed {
		x := p.expr()
		if p.is("for") || p.is("async") {
			x = p.comprehension(x)
		}
		p.push(x)
		if !p.accept(",") {
			break
		}
		tuple = true
	}
	p.expect(")")
	n.Kids = p.list(mark)
	n.End = p.last()
	if !tuple && len(n.Kids) == 1 {
		return n.Kids[0]
	}
	return n
}

// bracketed reads a list, a set or a dictionary.
func (p *Parser) bracketed(k Kind, end string) *Node {
	n := p.node(k)
	p.next()
	if k == Set && p.is(end) {
		n.Kind = Dict
	}
	mark := len(p.scratch)
	for !p.is(end) && !p.failed {
		x := p.expr()
		if k == Set && p.accept(":") {
			n.Kind = Dict
			p.push(x)
			x = p.expr()
		} else if x.Kind == Star && x.Text == "**" {
			n.Kind = Dict
		}
		if p.is("for") || p.is("async") {
			x = p.comprehension(x)
		}
		p.push(x)
		if !p.accept(",") {
			break
		}
	}
	p.expect(end)
	n.Kids = p.list(mark)
	n.End = p.last()
	return n
}
