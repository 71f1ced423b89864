package syntax

import (
	"math/big"
	"strings"
)

func (p *parser) atom() (*Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	t := p.peek()
	switch t.kind {
	case tNumber:
		return p.numeral()
	case tWord:
		return p.word()
	case tText:
		return p.quoted()
	case tSign:
		return p.signAtom()
	case tCommand:
		return p.commandAtom()
	default:
		return nil, p.unreadable("the answer ends too early")
	}
}

// numeral reads a number, and "3 1/2" as a mixed one.
func (p *parser) numeral() (*Node, error) {
	t := p.peek()
	p.i++
	if t.num.base != 0 {
		if t.num.base == 10 {
			return Num(t.num.value), nil
		}
		return &Node{Kind: Based, Value: t.num.value, Base: t.num.base}, nil
	}
	n := &Node{Kind: Number, Value: t.num.value, Decimal: t.num.decimal}
	if t.num.integer && len(t.text) <= 18 {
		n.Text = strings.TrimSuffix(t.text, ".")
	}
	next, slash, last := p.at(0), p.at(1), p.at(2)
	if t.num.integer && next.kind == tNumber && next.space && next.num.integer && slash.text == "/" && last.kind == tNumber && last.num.integer &&
		next.num.value.Sign() > 0 && next.num.value.Cmp(last.num.value) < 0 {
		p.i += 3
		f := new(big.Rat).Quo(next.num.value, last.num.value)
		return Num(f.Add(f, t.num.value)), nil
	}
	return n, nil
}

func (p *parser) name(text string) (*Node, error) {
	n := symbol(text)
	if n.Kind == Name && !p.names[text] {
		p.names[text] = true
		if len(p.names) > maxNames {
			return nil, &Error{Fault: TooLarge, At: p.peek().at, Detail: "the answer has too many different names"}
		}
	}
	return n, nil
}

// word reads a run of letters: a function, a constant, a number in words, or symbols side by side.
func (p *parser) word() (*Node, error) {
	t := p.peek()
	w := t.text
	if functions[w] != 0 {
		p.i++
		return p.call(w)
	}
	if c := constantWords[w]; c != "" {
		p.i++
		return symbol(c), nil
	}
	if greekWords[w] {
		p.i++
		return p.name(w)
	}
	if v, n := p.spelled(); n > 0 {
		p.i += n
		return Num(v), nil
	}
	if len(w) > 1 {
		// sinx, cosx: a function glued to one symbol
		for _, f := range glued {
			if rest := strings.TrimPrefix(w, f); rest != w && (len(rest) == 1 || greekWords[rest] || rest == "pi") {
				p.split(len(f))
				p.i++
				return p.call(f)
			}
		}
		if prose[strings.ToLower(w)] || len(w) > 3 || w[0] >= 0x80 {
			return nil, p.unreadable("the word %q is not math", w)
		}
		p.split(1)
	}
	p.i++
	if (w[0] == 'f' || w[0] == 'g' || w[0] == 'F' || w[0] == 'G') && len(w) == 1 && p.is("(") && !p.peek().space {
		args, err := p.arguments()
		if err != nil {
			return nil, err
		}
		return CallOf(w, args...), nil
	}
	if w[0] == 'C' && len(w) == 1 && p.is("(") && !p.peek().space && p.choose() {
		args, err := p.arguments()
		if err != nil {
			return nil, err
		}
		return CallOf("binom", args...), nil
	}
	return p.name(p.t[p.i-1].text)
}

// choose looks ahead for (n, k) with two plain numbers.
func (p *parser) choose() bool {
	return p.at(1).kind == tNumber && p.at(2).text == "," && p.at(3).kind == tNumber && p.at(4).text == ")"
}

// split cuts the word at hand in two tokens.
func (p *parser) split(n int) {
	head, rest := *p.peek(), *p.peek()
	head.text, rest.text = head.text[:n], rest.text[n:]
	rest.space = false
	p.t = append(append(append(make([]token, 0, len(p.t)+1), p.t[:p.i]...), head, rest), p.t[p.i+1:]...)
}

// spelled reads number words from here on, as many as there are.
func (p *parser) spelled() (*big.Rat, int) {
	var words []string
	var best *big.Rat
	taken := 0
	for n := 0; n < 12; n++ {
		t := p.at(n)
		if t.kind == tSign && t.text == "-" && n > 0 { // forty-two
			continue
		}
		if t.kind != tWord {
			break
		}
		words = append(words, strings.ToLower(t.text))
		if v, ok := numberWords(words); ok {
			best, taken = v, n+1
		}
	}
	return best, taken
}

// quoted reads \text{…}: a function, a letter, a number in words, or words.
func (p *parser) quoted() (*Node, error) {
	t := p.peek()
	w := strings.TrimSpace(t.text)
	switch {
	case functions[w] != 0:
		p.i++
		return p.call(w)
	case len(w) == 1 && isLetter(w[0]):
		p.i++
		return p.name(w)
	case len(w) == 3 && w[0] == '(' && isLetter(w[1]) && w[2] == ')': // \text{(A)}
		p.i++
		return p.name(w[1:2])
	}
	if words, ok := splitWords(w); ok {
		p.i++
		if v, isNumber := numberWords(words); isNumber {
			return Num(v), nil
		}
		return &Node{Kind: Words, Text: strings.Join(words, " ")}, nil
	}
	if run(w) == len(w) && w != "" {
		p.i++
		v, ok := value(w, "", "", "")
		if !ok || len(w) > MaxDigits {
			return nil, &Error{Fault: TooLarge, At: t.at, Detail: "a number is too long"}
		}
		return Num(v), nil
	}
	return nil, p.unreadable("the text %q is not math", w)
}

func (p *parser) signAtom() (*Node, error) {
	t := p.peek()
	switch t.text {
	case "(", "[":
		p.i++
		n, err := p.bracket(t.text)
		if err != nil {
			return nil, err
		}
		return p.baseOf(n, t.text)
	case "]":
		p.i++
		return p.bracket("]")
	case "{":
		p.i++
		return p.texGroup()
	case "|":
		p.i++
		return p.absolute("|", "|")
	case "$", "€", "£", "¥", "₹":
		p.i++
		a, err := p.unary() // $-7
		if err != nil {
			return nil, err
		}
		q := &Node{Kind: Quantity, Args: []*Node{a}, Unit: unitTable[t.text]}
		return p.scaled(q), nil
	default:
		return nil, p.unreadable("did not expect %q", t.text)
	}
}

// baseOf reads (1101)_2, a bracketed number with a base.
func (p *parser) baseOf(n *Node, open string) (*Node, error) {
	if open != "(" || !p.is("_") || n.Kind != Number || !n.Value.IsInt() || n.Decimal {
		return n, nil
	}
	base := p.at(1)
	size := 2
	if base.text == "{" && p.at(3).text == "}" {
		base, size = p.at(2), 4
	}
	if base.kind != tNumber {
		return n, nil
	}
	lit, used := basedLiteral(n.Value.Num().String(), "_{"+base.text+"}")
	if lit == nil || used == 0 {
		return n, nil
	}
	p.i += size
	return &Node{Kind: Based, Value: lit.value, Base: lit.base}, nil
}

// texGroup reads {…}: a group of TeX, or a set that was typed without backslashes.
func (p *parser) texGroup() (*Node, error) {
	if p.eat("}") {
		return nil, p.unreadable("an empty group")
	}
	bars := p.bars
	p.bars = 0
	defer func() { p.bars = bars }()
	n, err := p.items(func() bool {
		return p.is("}") || p.is(`\choose`) || p.is(`\over`) || p.peek().kind == tEnd
	})
	if err != nil {
		return nil, err
	}
	if p.is(`\choose`) || p.is(`\over`) {
		op := p.peek().text
		p.i++
		below, err := p.items(func() bool { return p.is("}") || p.peek().kind == tEnd })
		if err != nil {
			return nil, err
		}
		if op == `\choose` {
			n = CallOf("binom", n, below)
		} else {
			n = &Node{Kind: Div, Text: "frac", Args: []*Node{n, below}}
		}
	}
	if !p.eat("}") {
		return nil, p.unreadable("a brace does not close")
	}
	if n.Kind == List {
		return &Node{Kind: Set, Args: n.Args}, nil
	}
	return n, nil
}

// absolute reads |a| behind its first bar.
func (p *parser) absolute(shut, name string) (*Node, error) {
	p.bars++
	a, err := p.sum()
	p.bars--
	if err != nil {
		return nil, err
	}
	if !p.eat(shut) && !(shut == `\rvert` && p.eat("|")) {
		return nil, p.unreadable("a bar does not close")
	}
	if name == `\|` {
		return CallOf("norm", a), nil
	}
	return CallOf("abs", a), nil
}

// subscript makes x_1 or a_{max} one name.
func (p *parser) subscript(a *Node) (*Node, error) {
	p.i++
	if a.Kind != Name && a.Kind != Constant {
		return nil, p.unreadable("a subscript on something that is no name")
	}
	sub := ""
	if p.eat("{") {
		depth := 1
		for {
			t := p.peek()
			if t.kind == tEnd {
				return nil, p.unreadable("a brace does not close")
			}
			p.i++
			if t.text == "{" {
				depth++
			} else if t.text == "}" {
				if depth--; depth == 0 {
					break
				}
			}
			sub += strings.TrimPrefix(t.text, `\`)
		}
	} else {
		t := p.peek()
		if t.kind == tEnd {
			return nil, p.unreadable("a subscript is missing")
		}
		if t.kind == tWord && len(t.text) > 1 {
			p.split(1)
			t = p.peek()
		}
		sub = strings.TrimPrefix(t.text, `\`)
		p.i++
	}
	return p.name(a.Text + "_" + sub)
}
