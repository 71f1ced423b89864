package syntax

import (
	"math/big"
	"strings"

	"github.com/provenir/provenir/services/verifier/math/lex"
)

func (p *parser) commandAtom() (*Node, error) {
	t := p.peek()
	c := t.Text
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
	switch t.Kind {
	case lex.Number:
		if t.Num.Integer && len(t.Text) > 1 {
			head, rest := *t, *t
			head.Text, rest.Text, rest.Space = t.Text[:1], t.Text[1:], false
			head.Num = &lex.Literal{Value: digit(t.Text[0]), Integer: true}
			v, ok := lex.Value(rest.Text, "", "", "")
			if !ok {
				return nil, p.unreadable("digits behind %q", head.Text)
			}
			rest.Num = &lex.Literal{Value: v, Integer: true}
			p.t = append(append(append(make([]lex.Token, 0, len(p.t)+1), p.t[:p.i]...), head, rest), p.t[p.i+1:]...)
		}
		return p.numeral()
	case lex.Word:
		if len(t.Text) > 1 {
			p.split(1)
		}
		return p.word()
	case lex.Sign:
		if t.Text == "-" {
			return nil, p.unreadable("a sign without braces")
		}
	}
	return p.atom()
}

func digit(c byte) *big.Rat { return big.NewRat(int64(c-'0'), 1) }

func (p *parser) blackboard() (*Node, error) {
	p.eat("{")
	t := p.peek()
	if t.Kind != lex.Word || !domains[t.Text] {
		return nil, p.unreadable("no set %q", t.Text)
	}
	p.i++
	p.eat("}")
	if p.is("^") || p.is("_") { // R^+, R^n
		return nil, p.unreadable("a part or a power of a set of numbers")
	}
	return &Node{Kind: Domain, Text: t.Text}, nil
}

func (p *parser) angleBrackets() (*Node, error) {
	n, err := p.items(func() bool { return p.is(`\rangle`) || p.peek().Kind == lex.End })
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
			if t.Kind == lex.End {
				return nil, p.unreadable("a brace does not close")
			}
			p.i++
			if t.Text == "{" {
				depth++
			} else if t.Text == "}" {
				if depth--; depth == 0 {
					break
				}
			}
			text.WriteString(strings.TrimPrefix(t.Text, `\`))
		}
	} else {
		t := p.peek()
		if t.Kind != lex.Word && t.Kind != lex.Command && t.Kind != lex.Number {
			return nil, p.unreadable("nothing under the accent")
		}
		p.i++
		text.WriteString(strings.TrimPrefix(t.Text, `\`))
	}
	return p.name(accent + " " + text.String())
}
