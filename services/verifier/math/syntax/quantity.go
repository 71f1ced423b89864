package syntax

import (
	"math/big"
	"strings"

	"github.com/provenir/provenir/services/verifier/math/lex"
	"github.com/provenir/provenir/services/verifier/math/unit"
)

// quantity reads the unit behind a value, if there is one. One letter is a unit only where it stands apart or in \text:
// 5m may be five times m, and 5 m is five metres.
func (p *parser) quantity(a *Node) (*Node, bool, error) {
	t := p.peek()
	if a.Kind == Quantity || t.Kind != lex.Word && t.Kind != lex.Text && t.Text != `\frac` && t.Text != "$" && t.Text != "€" && t.Text != "£" && t.Text != "¥" && t.Text != "₹" {
		return a, false, nil
	}
	if !unitless(a) {
		return a, false, nil
	}
	if t.Text == `\frac` {
		return p.fractionUnit(a)
	}
	if a.Kind == Number && t.Kind == lex.Word && scales[strings.ToLower(t.Text)] != 0 && len(t.Text) > 4 {
		return p.scaled(a), false, nil
	}
	if t.Kind == lex.Text {
		return p.textUnit(a, t)
	}
	if t.Kind == lex.Sign { // 5€
		p.i++
		return &Node{Kind: Quantity, Args: []*Node{a}, Unit: unit.Symbol(t.Text)}, true, nil
	}
	text, n := p.unitText()
	if n == 0 {
		return p.noun(a)
	}
	u, ok := unit.Parse(text)
	if !ok {
		return p.noun(a)
	}
	p.i += n
	return p.compound(&Node{Kind: Quantity, Args: []*Node{a}, Unit: u})
}

// unitless says whether a value can be measured: numbers and constants, no names.
func unitless(a *Node) bool {
	if !a.Scalar() {
		return false
	}
	return a.Walk(func(n *Node) bool { return n.Kind != Name })
}

// scaled multiplies by million and the like.
func (p *parser) scaled(a *Node) *Node {
	t := p.peek()
	if t.Kind != lex.Word && t.Kind != lex.Text {
		return a
	}
	s := scales[strings.ToLower(strings.TrimSpace(t.Text))]
	if s == 0 {
		return a
	}
	p.i++
	factor := Num(new(big.Rat).SetInt64(s))
	if a.Kind == Quantity {
		a.Args[0] = Make(Mul, a.Args[0], factor)
		return a
	}
	if a.Kind == Number {
		n := *a
		n.Value = new(big.Rat).Mul(a.Value, factor.Value)
		return &n
	}
	return Make(Mul, a, factor)
}

// textUnit reads \text{…} behind a value: a unit with what is raised or divided behind it, percent, a scale, or a noun.
func (p *parser) textUnit(a *Node, t *lex.Token) (*Node, bool, error) {
	low := strings.ToLower(strings.TrimSpace(t.Text))
	switch {
	case low == "" || low == "and" || low == "or" || low == ",":
		return a, false, nil
	case low == "percent" || low == "%":
		p.i++
		return &Node{Kind: Mul, Percent: true, Args: []*Node{a, Num(big.NewRat(1, 100))}}, true, nil
	case scales[low] != 0:
		return p.scaled(a), false, nil
	case functions[t.Text] != 0:
		return a, false, nil
	}
	text := t.Text
	n := 1
	if e, size := p.raised(1); size > 0 {
		text += "^" + e
		n += size
	}
	for p.at(n).Text == "/" && p.at(n+1).Kind == lex.Text || p.at(n).Text == `\cdot` && p.at(n+1).Kind == lex.Text || p.at(n).Kind == lex.Text && unit.Symbol(p.at(n).Text) != nil {
		if p.at(n).Kind != lex.Text {
			if p.at(n).Text == "/" {
				text += " /"
			}
			n++
		}
		text += " " + p.at(n).Text
		n++
		if e, size := p.raised(n); size > 0 {
			text += "^" + e
			n += size
		}
	}
	if u, ok := unit.Parse(text); ok {
		p.i += n
		return p.compound(&Node{Kind: Quantity, Args: []*Node{a}, Unit: u})
	}
	words, ok := splitWords(t.Text)
	if !ok || len(words) > 5 {
		return a, false, nil
	}
	for _, w := range words {
		if operators[w] {
			return a, false, p.unreadable("the text %q changes the value", t.Text)
		}
	}
	p.i++
	return &Node{Kind: Quantity, Args: []*Node{a}, Unit: &unit.Unit{Name: singular(words)}}, true, nil
}

// fractionUnit reads \frac{\text{m}}{\text{s}^2} behind a value.
func (p *parser) fractionUnit(a *Node) (*Node, bool, error) {
	if p.at(1).Text != "{" || p.at(2).Kind != lex.Text || p.at(3).Text != "}" || p.at(4).Text != "{" || p.at(5).Kind != lex.Text {
		return a, false, nil
	}
	text := p.at(2).Text + " / " + p.at(5).Text
	e, size := p.raised(6)
	if size > 0 {
		text += "^" + e
	}
	u, ok := unit.Parse(text)
	if !ok || p.at(6+size).Text != "}" {
		return a, false, nil
	}
	p.i += 7 + size
	return &Node{Kind: Quantity, Args: []*Node{a}, Unit: u}, true, nil
}

// raised reads ^2 or ^{-2} at a distance.
func (p *parser) raised(n int) (text string, size int) {
	if p.at(n).Text != "^" {
		return "", 0
	}
	i := n + 1
	braced := p.at(i).Text == "{"
	if braced {
		i++
	}
	if p.at(i).Text == "-" {
		text = "-"
		i++
	}
	if p.at(i).Kind != lex.Number {
		return "", 0
	}
	text += p.at(i).Text
	i++
	if braced {
		if p.at(i).Text != "}" {
			return "", 0
		}
		i++
	}
	return text, i - n
}

// unitText collects the words of a unit from here on: "km / h", "square meters", "m / s ^ 2".
func (p *parser) unitText() (text string, n int) {
	for p.at(n).Kind == lex.Word {
		w := p.at(n).Text
		low := strings.ToLower(w)
		isUnit := unit.Symbol(w) != nil || unit.Lookup(w) != nil
		joins := low == "per" || low == "square" || low == "sq" || low == "cubic" || low == "cu" || low == "squared" || low == "cubed"
		if !isUnit && !joins {
			break
		}
		if isUnit && n == 0 && len(w) == 1 && !p.at(n).Space {
			return "", 0
		}
		if isUnit && n == 0 && p.at(1).Text == "(" { // min(…)
			return "", 0
		}
		text += " " + w
		n++
		if e, size := p.raised(n); size > 0 && isUnit {
			text += "^" + e
			n += size
		}
		if p.at(n).Text == "/" && p.at(n+1).Kind == lex.Word && unit.Lookup(p.at(n+1).Text) != nil {
			text += " /"
			n++
		}
	}
	// A unit ends the value: 5 m n is a product.
	if t := p.at(n); n > 0 && (t.Kind == lex.Word && !stopWord(t.Text) || t.Text == "(" || t.Text == "^" || t.Text == "_") {
		return "", 0
	}
	return strings.TrimSpace(text), n
}

// noun reads what was counted: 5 apples, 12 large boxes. Only behind a plain number and up to the end of the item, and
// no word that changes the value.
func (p *parser) noun(a *Node) (*Node, bool, error) {
	t := p.peek()
	if t.Kind != lex.Word || !t.Space || a.Kind != Number && a.Kind != Div {
		return a, false, nil
	}
	var words []string
	n := 0
	for ; p.at(n).Kind == lex.Word && !stopWord(p.at(n).Text); n++ {
		low := strings.ToLower(p.at(n).Text)
		if low == "percent" && n == 0 {
			p.i++
			return &Node{Kind: Mul, Percent: true, Args: []*Node{a, Num(big.NewRat(1, 100))}}, true, nil
		}
		if operators[low] || functions[low] != 0 || constantWords[low] != "" || greekWords[low] {
			return a, false, nil
		}
		words = append(words, low)
	}
	end := p.at(n)
	if n == 0 || n > 4 || len(words[0]) < 3 || end.Kind != lex.End && end.Text != "," && end.Text != ";" && !stopWord(end.Text) {
		return a, false, nil
	}
	p.i += n
	return &Node{Kind: Quantity, Args: []*Node{a}, Unit: &unit.Unit{Name: singular(words)}}, true, nil
}

// singular drops the plural's s, so that 1 apple and 1 apples are the same thing.
func singular(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		if len(w) > 3 && strings.HasSuffix(w, "s") && !strings.HasSuffix(w, "ss") {
			w = w[:len(w)-1]
		}
		out[i] = w
	}
	return strings.Join(out, " ")
}

// compound adds parts of one quantity: 5 ft 3 in, 2 h 30 min.
func (p *parser) compound(q *Node) (*Node, bool, error) {
	t := p.peek()
	if t.Kind != lex.Number || !q.Unit.Known() || q.Unit.Offset != nil {
		return q, true, nil
	}
	mark := p.i
	a, err := p.numeral()
	if err != nil {
		return nil, false, err
	}
	rest, ok, err := p.quantity(a)
	if err != nil || !ok || rest.Kind != Quantity || !rest.Unit.SameDimension(q.Unit) || rest.Unit.Factor.Cmp(q.Unit.Factor) >= 0 {
		p.i = mark
		return q, true, nil
	}
	scale := Num(new(big.Rat).Quo(rest.Unit.Factor, q.Unit.Factor))
	q.Args[0] = Make(Add, q.Args[0], Make(Mul, rest.Args[0], scale))
	return q, true, nil
}
