package syntax

import (
	"math/big"
	"strings"

	"github.com/provenir/provenir/services/verifier/math/lex"
	"github.com/provenir/provenir/services/verifier/math/unit"
)

func (p *parser) atom() (*Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	t := p.peek()
	switch t.Kind {
	case lex.Number:
		return p.numeral()
	case lex.Word:
		return p.word()
	case lex.Text:
		return p.quoted()
	case lex.Sign:
		return p.signAtom()
	case lex.Command:
		return p.commandAtom()
	default:
		return nil, p.unreadable("the answer ends too early")
	}
}

// numeral reads a number, and "3 1/2" as a mixed one.
func (p *parser) numeral() (*Node, error) {
	t := p.peek()
	p.i++
	if t.Num.Base != 0 {
		if t.Num.Base == 10 {
			return Num(t.Num.Value), nil
		}
		return &Node{Kind: Based, Value: t.Num.Value, Base: t.Num.Base}, nil
	}
	n := &Node{Kind: Number, Value: t.Num.Value, Decimal: t.Num.Decimal}
	if t.Num.Integer && len(t.Text) <= 18 {
		n.Text = strings.TrimSuffix(t.Text, ".")
	}
	next, slash, last := p.at(0), p.at(1), p.at(2)
	if t.Num.Integer && next.Kind == lex.Number && next.Space && next.Num.Integer && slash.Text == "/" && last.Kind == lex.Number && last.Num.Integer &&
		next.Num.Value.Sign() > 0 && next.Num.Value.Cmp(last.Num.Value) < 0 {
		p.i += 3
		f := new(big.Rat).Quo(next.Num.Value, last.Num.Value)
		return Num(f.Add(f, t.Num.Value)), nil
	}
	return n, nil
}

func (p *parser) name(text string) (*Node, error) {
	n := symbol(text)
	if n.Kind == Name && !p.names[text] {
		p.names[text] = true
		if len(p.names) > lex.MaxNames {
			return nil, &lex.Error{Fault: lex.TooLarge, At: p.peek().At, Detail: "the answer has too many different names"}
		}
	}
	return n, nil
}

func (p *parser) signAtom() (*Node, error) {
	t := p.peek()
	switch t.Text {
	case "(", "[":
		p.i++
		n, err := p.bracket(t.Text)
		if err != nil {
			return nil, err
		}
		return p.baseOf(n, t.Text)
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
		q := &Node{Kind: Quantity, Args: []*Node{a}, Unit: unit.Symbol(t.Text)}
		return p.scaled(q), nil
	default:
		return nil, p.unreadable("did not expect %q", t.Text)
	}
}

// baseOf reads (1101)_2, a bracketed number with a base.
func (p *parser) baseOf(n *Node, open string) (*Node, error) {
	if open != "(" || !p.is("_") || n.Kind != Number || !n.Value.IsInt() || n.Decimal {
		return n, nil
	}
	base := p.at(1)
	size := 2
	if base.Text == "{" && p.at(3).Text == "}" {
		base, size = p.at(2), 4
	}
	if base.Kind != lex.Number {
		return n, nil
	}
	lit, used := lex.Based(n.Value.Num().String(), "_{"+base.Text+"}")
	if lit == nil || used == 0 {
		return n, nil
	}
	p.i += size
	return &Node{Kind: Based, Value: lit.Value, Base: lit.Base}, nil
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
		return p.is("}") || p.is(`\choose`) || p.is(`\over`) || p.peek().Kind == lex.End
	})
	if err != nil {
		return nil, err
	}
	if p.is(`\choose`) || p.is(`\over`) {
		op := p.peek().Text
		p.i++
		below, err := p.items(func() bool { return p.is("}") || p.peek().Kind == lex.End })
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
			sub += strings.TrimPrefix(t.Text, `\`)
		}
	} else {
		t := p.peek()
		if t.Kind == lex.End {
			return nil, p.unreadable("a subscript is missing")
		}
		if t.Kind == lex.Word && len(t.Text) > 1 {
			p.split(1)
			t = p.peek()
		}
		sub = strings.TrimPrefix(t.Text, `\`)
		p.i++
	}
	return p.name(a.Text + "_" + sub)
}
