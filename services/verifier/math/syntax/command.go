package syntax

import (
	"math/big"
	"strings"
)

func (p *parser) commandAtom() (*Node, error) {
	t := p.peek()
	c := t.text
	p.i++
	if f := c[1:]; functions[f] != 0 && c != `\Gamma` && c != `\binom` {
		return p.call(f)
	}
	if name := greek[c]; name != "" {
		if name == "Gamma" && p.is("(") {
			return p.call("Gamma")
		}
		return p.name(name)
	}
	switch c {
	case `\frac`, `\dfrac`, `\tfrac`, `\cfrac`, `\sfrac`, `\nicefrac`:
		a, err := p.argument()
		if err != nil {
			return nil, err
		}
		b, err := p.argument()
		if err != nil {
			return nil, err
		}
		return &Node{Kind: Div, Text: "frac", Args: []*Node{a, b}}, nil
	case `\binom`, `\dbinom`, `\tbinom`:
		a, err := p.argument()
		if err != nil {
			return nil, err
		}
		b, err := p.argument()
		if err != nil {
			return nil, err
		}
		return CallOf("binom", a, b), nil
	case `\radical`, `\cuberoot`: // from √ and ∛, which cover one atom
		a, err := p.atom()
		if err != nil {
			return nil, err
		}
		if c == `\cuberoot` {
			return CallOf("root", a, Int(3)), nil
		}
		return CallOf("sqrt", a), nil
	case `\infty`:
		return symbol("infinity"), nil
	case `\emptyset`, `\varnothing`:
		return &Node{Kind: Domain, Text: "empty"}, nil
	case `\mathbb`:
		return p.blackboard()
	case `\R`, `\Z`, `\Q`, `\N`, `\C`:
		return &Node{Kind: Domain, Text: c[1:]}, nil
	case `\{`, `\lbrace`:
		return p.set(map[string]string{`\{`: `\}`, `\lbrace`: `\rbrace`}[c])
	case `\lvert`, `\vert`:
		return p.absolute(map[string]string{`\lvert`: `\rvert`, `\vert`: `\vert`}[c], "|")
	case `\|`, `\lVert`, `\Vert`:
		return p.absolute(map[string]string{`\|`: `\|`, `\lVert`: `\rVert`, `\Vert`: `\Vert`}[c], `\|`)
	case `\lfloor`, `\lceil`:
		a, err := p.sum()
		if err != nil {
			return nil, err
		}
		name, shut := "floor", `\rfloor`
		if c == `\lceil` {
			name, shut = "ceil", `\rceil`
		}
		if !p.eat(shut) {
			return nil, p.unreadable("%s does not close", c)
		}
		return CallOf(name, a), nil
	case `\langle`:
		return p.angleBrackets()
	case `\begin`:
		return p.environment()
	case `\boxed`, `\fbox`, `\underline`, `\ensuremath`, `\tag`:
		return p.argument()
	case `\lbrack`:
		return p.bracket("[")
	case `\lparen`:
		return p.bracket("(")
	}
	if accent := accents[c]; accent != "" {
		return p.accented(accent)
	}
	p.i--
	return nil, p.unreadable("the command %s is not known", c)
}

// argument reads {…}, or one digit or letter, as TeX does.
func (p *parser) argument() (*Node, error) {
	if p.eat("{") {
		n, err := p.texGroup()
		if err != nil {
			return nil, err
		}
		return n, nil
	}
	t := p.peek()
	switch t.kind {
	case tNumber:
		if t.num.integer && len(t.text) > 1 {
			head, rest := *t, *t
			head.text, rest.text, rest.space = t.text[:1], t.text[1:], false
			head.num = &literal{value: digit(t.text[0]), integer: true}
			v, ok := value(rest.text, "", "", "")
			if !ok {
				return nil, p.unreadable("digits behind %q", head.text)
			}
			rest.num = &literal{value: v, integer: true}
			p.t = append(append(append(make([]token, 0, len(p.t)+1), p.t[:p.i]...), head, rest), p.t[p.i+1:]...)
		}
		return p.numeral()
	case tWord:
		if len(t.text) > 1 {
			p.split(1)
		}
		return p.word()
	case tSign:
		if t.text == "-" {
			return nil, p.unreadable("a sign without braces")
		}
	}
	return p.atom()
}

func digit(c byte) *big.Rat { return big.NewRat(int64(c-'0'), 1) }

func (p *parser) blackboard() (*Node, error) {
	p.eat("{")
	t := p.peek()
	if t.kind != tWord || !domains[t.text] {
		return nil, p.unreadable("no set %q", t.text)
	}
	p.i++
	p.eat("}")
	if p.is("^") || p.is("_") { // R^+, R^n
		return nil, p.unreadable("a part or a power of a set of numbers")
	}
	return &Node{Kind: Domain, Text: t.text}, nil
}

func (p *parser) angleBrackets() (*Node, error) {
	n, err := p.items(func() bool { return p.is(`\rangle`) || p.peek().kind == tEnd })
	if err != nil {
		return nil, err
	}
	if !p.eat(`\rangle`) {
		return nil, p.unreadable("a bracket does not close")
	}
	if n.Kind != List {
		n = Make(List, n)
	}
	return &Node{Kind: Tuple, Args: n.Args, Open: '(', Close: ')'}, nil
}

// accented makes one name of an accent and the letters under it: \overline{AB}, \angle ABC.
func (p *parser) accented(accent string) (*Node, error) {
	var text strings.Builder
	if p.eat("{") {
		for depth := 1; ; {
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
			text.WriteString(strings.TrimPrefix(t.text, `\`))
		}
	} else {
		t := p.peek()
		if t.kind != tWord && t.kind != tCommand && t.kind != tNumber {
			return nil, p.unreadable("nothing under the accent")
		}
		p.i++
		text.WriteString(strings.TrimPrefix(t.text, `\`))
	}
	return p.name(accent + " " + text.String())
}
