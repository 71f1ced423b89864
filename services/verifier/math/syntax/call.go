package syntax

import (
	"math/big"

	"github.com/provenir/provenir/services/verifier/math/lex"
)

// call reads a function's exponent, base and arguments: \sin^2 x, \log_2 8, \gcd(a,b), \sqrt[3]{x}, \max\{a,b\}.
func (p *parser) call(name string) (*Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if s := spelling[name]; s != "" {
		name = s
	}
	if name == "sqrt" || name == "cbrt" {
		return p.root(name)
	}
	var base, exponent *Node
	if t := p.peek(); name == "log" && t.Kind == lex.Number && !t.Space && p.at(1).Text == "(" { // log2(8), log10(x)
		p.i++
		base = Num(t.Num.Value)
	}
	for {
		var err error
		switch {
		case p.eat("_"):
			base, err = p.argumentOrNumber()
		case p.eat("^"):
			if p.degree() {
				return nil, p.unreadable("degrees behind %s", name)
			}
			exponent, err = p.exponent()
		default:
			return p.applied(name, base, exponent)
		}
		if err != nil {
			return nil, err
		}
	}
}

// argumentOrNumber reads a subscript: log_10 means base 10 to people.
func (p *parser) argumentOrNumber() (*Node, error) {
	if p.peek().Kind == lex.Number && !(p.at(1).Kind == lex.Number) {
		return p.numeral()
	}
	return p.argument()
}

func (p *parser) applied(name string, base, exponent *Node) (*Node, error) {
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if want := functions[name]; want > 0 && len(args) != want || len(args) == 0 {
		return nil, p.unreadable("%s of %d values", name, len(args))
	}
	if base != nil {
		if name != "log" {
			return nil, p.unreadable("a subscript on %s", name)
		}
		args = append(args, base)
	}
	for i, a := range args {
		args[i] = radians(a)
	}
	n := CallOf(name, args...)
	switch name {
	case "lg":
		n = CallOf("log", args[0], Int(10))
	case "exp":
		n = Make(Pow, symbol("e"), args[0])
	case "factorial":
		n = Make(Factorial, args[0])
	}
	if exponent == nil {
		return n, nil
	}
	if exponent.Kind == Number && exponent.Value.Cmp(big.NewRat(-1, 1)) == 0 {
		if inverse := inverses[name]; inverse != "" {
			n.Text = inverse
			return n, nil
		}
		return nil, p.unreadable("%s to the power −1", name)
	}
	return Make(Pow, n, exponent), nil
}

// radians turns an angle in degrees into the number that a function takes.
func radians(a *Node) *Node {
	if a.Kind != Quantity || a.Unit.Dim["degree"] != 1 || len(a.Unit.Dim) != 1 {
		return a
	}
	return Make(Mul, a.Args[0], symbol("pi"), Num(big.NewRat(1, 180)))
}

var inverses = map[string]string{
	"sin": "arcsin", "cos": "arccos", "tan": "arctan", "cot": "arccot", "sec": "arcsec", "csc": "arccsc", "sinh": "arcsinh", "cosh": "arccosh", "tanh": "arctanh",
}

// arguments reads (a, b), {a}, \{a, b\}, or what stands next without brackets.
func (p *parser) arguments() ([]*Node, error) {
	var shut string
	switch {
	case p.eat("("):
		shut = ")"
	case p.eat("["):
		shut = "]"
	case p.eat("{"):
		shut = "}"
	case p.eat(`\{`):
		shut = `\}`
	default:
		a, err := p.bare()
		return []*Node{a}, err
	}
	bars := p.bars
	p.bars = 0
	defer func() { p.bars = bars }()
	var args []*Node
	for {
		a, err := p.sum()
		if err != nil {
			return nil, err
		}
		args = append(args, a)
		if p.eat(shut) {
			return args, nil
		}
		if !p.eat(",") && !p.eat(";") {
			return nil, p.unreadable("did not expect %q among the arguments", p.peek().Text)
		}
	}
}

// bare reads an argument without brackets: factors side by side, up to a sign or the next function.
func (p *parser) bare() (*Node, error) {
	a, err := p.unary()
	if err != nil {
		return nil, err
	}
	for p.startsFactor() && !p.is("(") && !p.startsFunction() {
		b, err := p.power()
		if err != nil {
			return nil, err
		}
		a = product(a, b)
	}
	return a, nil
}

func (p *parser) startsFunction() bool {
	t := p.peek()
	switch t.Kind {
	case lex.Command:
		return functions[t.Text[1:]] != 0 && t.Text != `\sqrt`
	case lex.Word, lex.Text:
		return functions[t.Text] != 0
	default:
		return false
	}
}

// root reads \sqrt{x}, \sqrt3, \sqrt[3]{x}, sqrt(x).
func (p *parser) root(name string) (*Node, error) {
	if name == "cbrt" {
		a, err := p.arguments()
		if err != nil {
			return nil, err
		}
		return CallOf("root", a[0], Int(3)), nil
	}
	if p.is("[") {
		p.i++
		n, err := p.sum()
		if err != nil {
			return nil, err
		}
		if !p.eat("]") {
			return nil, p.unreadable("the index of a root does not close")
		}
		a, err := p.argument()
		if err != nil {
			return nil, err
		}
		if n.Kind == Number && n.Value.Cmp(big.NewRat(2, 1)) == 0 {
			return CallOf("sqrt", a), nil
		}
		return CallOf("root", a, n), nil
	}
	var a *Node
	var err error
	if t := p.peek(); t.Kind == lex.Number && p.at(-1).Kind == lex.Word { // sqrt3 and sqrt 12 without a backslash
		a, err = p.numeral()
	} else {
		a, err = p.argument()
	}
	if err != nil {
		return nil, err
	}
	return CallOf("sqrt", a), nil
}
