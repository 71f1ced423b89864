package syntax

import (
	"math/big"

	"github.com/provenir/provenir/services/verifier/math/lex"
)

// sum reads terms with +, −, ± and ∓ between them.
func (p *parser) sum() (*Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	var a *Node
	for {
		sign := ""
		for _, s := range [...]string{"+", "-", `\pm`, `\mp`} {
			if p.eat(s) {
				sign = s
				break
			}
		}
		if sign == "" && a != nil {
			return a, nil
		}
		if sign == `\pm` && p.is("-") || sign == "+" && p.is("/") { // "+/-"
			if sign == "+" && p.at(1).Text == "-" {
				p.i += 2
				sign = `\pm`
			}
		}
		b, err := p.term()
		if err != nil {
			return nil, err
		}
		a = combine(a, b, sign)
	}
}

func combine(a, b *Node, sign string) *Node {
	switch sign {
	case `\pm`, `\mp`:
		if a == nil {
			a = Int(0)
		}
		n := Make(PlusMinus, a, b)
		if sign == `\mp` {
			n.Text = "-+"
		}
		return n
	case "-":
		if b.Kind == Number && b.Value.Sign() > 0 && a == nil {
			n := *b
			n.Value = new(big.Rat).Neg(b.Value)
			return &n
		}
		if b.Kind == Quantity { // −7 dollars are (−7) dollars
			q := *b
			q.Args = []*Node{combine(nil, b.Args[0], "-")}
			b = &q
		} else {
			b = Make(Neg, b)
		}
	}
	if a == nil {
		return b
	}
	if a.Kind == Add && a.Text == "" {
		a.Args = append(a.Args, b)
		return a
	}
	return Make(Add, a, b)
}

// term reads factors with signs between them, or none; then the unit that they are measured in.
func (p *parser) term() (*Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	a, err := p.unary()
	if err != nil {
		return nil, err
	}
	for {
		q, measured, err := p.quantity(a)
		if err != nil || measured {
			return q, err
		}
		a = q
		switch {
		case p.times():
			b, err := p.unary()
			if err != nil {
				return nil, err
			}
			a = product(a, b)
		case p.eat("/") || p.eat(`\div`):
			b, err := p.unary()
			if err != nil {
				return nil, err
			}
			a = Make(Div, a, b)
		case p.startsFactor():
			b, err := p.power()
			if err != nil {
				return nil, err
			}
			if mixed(a, b) {
				a = &Node{Kind: Add, Text: "mixed", Args: []*Node{a, b}}
				continue
			}
			a = product(a, b)
		default:
			return a, nil
		}
	}
}

// times reads a multiplication sign; the letter x between two numbers is one.
func (p *parser) times() bool {
	for _, s := range [...]string{"*", `\cdot`, `\times`, `\ast`, `\cdotp`, `\bullet`} {
		if p.eat(s) {
			return true
		}
	}
	t := p.peek()
	if t.Kind == lex.Word && (t.Text == "x" || t.Text == "X") && p.at(-1).Kind == lex.Number && p.at(1).Kind == lex.Number {
		p.i++
		return true
	}
	return false
}

func product(a, b *Node) *Node {
	if a.Kind == Mul && !a.Percent {
		a.Args = append(a.Args, b)
		return a
	}
	return Make(Mul, a, b)
}

// mixed says whether a whole number and a proper fraction stand side by side: 3\frac12 is 3 + 1/2. An improper fraction
// is a factor.
func mixed(a, b *Node) bool {
	if a.Kind != Number || a.Decimal || !a.Value.IsInt() || b.Kind != Div || b.Text != "frac" {
		return false
	}
	x, y := b.Args[0], b.Args[1]
	return x.Kind == Number && y.Kind == Number && x.Value.IsInt() && y.Value.IsInt() && !x.Decimal && !y.Decimal &&
		x.Value.Sign() > 0 && x.Value.Cmp(y.Value) < 0 && a.Value.Sign() >= 0
}

// startsFactor says whether what comes can be multiplied without a sign. A number cannot: x2 and 2 3 have no one meaning.
func (p *parser) startsFactor() bool {
	t := p.peek()
	switch t.Kind {
	case lex.Word:
		return !stopWord(t.Text)
	case lex.Text:
		return len(t.Text) == 1 || functionText(t.Text)
	case lex.Command:
		return startCommands[t.Text] || greek[t.Text] != "" || functions[t.Text[1:]] != 0
	case lex.Sign:
		return t.Text == "(" || t.Text == "{" || t.Text == "|" && p.bars == 0 || t.Text == "[" && false
	default:
		return false
	}
}

var startCommands = map[string]bool{
	`\frac`: true, `\dfrac`: true, `\tfrac`: true, `\cfrac`: true, `\sqrt`: true, `\radical`: true, `\cuberoot`: true, `\binom`: true,
	`\dbinom`: true, `\tbinom`: true, `\infty`: true, `\lfloor`: true, `\lceil`: true, `\overline`: true, `\bar`: true, `\vec`: true, `\hat`: true,
	`\tilde`: true, `\overrightarrow`: true, `\widehat`: true, `\underline`: true, `\boxed`: true, `\fbox`: true, `\lvert`: true, `\begin`: true,
	`\mathcal`: true, `\mathscr`: true, `\mathfrak`: true, `\ell`: true, `\hbar`: true, `\angle`: true, `\mathbb`: true, `\{`: false, `\lVert`: true,
	`\dot`: true, `\ddot`: true, `\sfrac`: true, `\nicefrac`: true,
}

func stopWord(w string) bool {
	switch w {
	case "and", "or", "And", "Or", "AND", "OR":
		return true
	default:
		return false
	}
}

func (p *parser) unary() (*Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if p.eat("-") {
		a, err := p.unary()
		if err != nil {
			return nil, err
		}
		return Make(Neg, a), nil
	}
	p.eat("+")
	return p.power()
}

// power reads an atom with what stands behind it: ! ' _ ^ % °.
func (p *parser) power() (*Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	a, err := p.atom()
	if err != nil {
		return nil, err
	}
	for {
		switch {
		case p.is("!") && !(p.at(1).Text == "=" && p.at(1).Kind == lex.Sign && !p.at(1).Space):
			p.i++
			if p.is("!") {
				return nil, p.unreadable("a double factorial")
			}
			a = Make(Factorial, a)
		case p.is("'") && a.Kind == Name:
			p.i++
			a = &Node{Kind: Name, Text: a.Text + "'"}
		case p.eat("%"):
			a = &Node{Kind: Mul, Percent: true, Args: []*Node{a, Num(big.NewRat(1, 100))}}
		case p.is("_"):
			if a, err = p.subscript(a); err != nil {
				return nil, err
			}
		case p.eat("^") || p.eat("**"):
			if p.degree() {
				return p.degrees(a)
			}
			e, err := p.exponent()
			if err != nil {
				return nil, err
			}
			a = Make(Pow, a, e)
		case p.eat(`\degree`) || p.eat(`\textdegree`) || p.eat(`\circ`):
			return p.degrees(a)
		default:
			return a, nil
		}
	}
}

// exponent reads what stands behind ^: a group, a sign and a number, or one atom.
func (p *parser) exponent() (*Node, error) {
	if p.eat("-") {
		e, err := p.exponent()
		if err != nil {
			return nil, err
		}
		return combine(nil, e, "-"), nil
	}
	p.eat("+")
	t := p.peek()
	if t.Kind == lex.Word && len(t.Text) > 1 && !known(t.Text) { // x^ab is x^a · b
		head := *t
		head.Text = t.Text[:1]
		rest := *t
		rest.Text, rest.Space = t.Text[1:], false
		p.t = append(append(append([]lex.Token{}, p.t[:p.i]...), head, rest), p.t[p.i+1:]...)
	}
	e, err := p.atom()
	if err != nil {
		return nil, err
	}
	if p.is("^") || p.is("**") { // 2^3^2 is 2^(3^2)
		if err := p.enter(); err != nil {
			return nil, err
		}
		defer p.leave()
		p.i++
		f, err := p.exponent()
		if err != nil {
			return nil, err
		}
		e = Make(Pow, e, f)
	}
	return e, nil
}
