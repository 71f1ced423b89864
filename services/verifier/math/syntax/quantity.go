package syntax

import (
	"math/big"
	"strings"
)

// quantity reads the unit behind a value, if there is one. One letter is a unit only where it stands apart or in \text:
// 5m may be five times m, and 5 m is five metres.
func (p *parser) quantity(a *Node) (*Node, bool, error) {
	t := p.peek()
	if a.Kind == Quantity || t.kind != tWord && t.kind != tText && t.text != `\frac` && t.text != "$" && t.text != "€" && t.text != "£" && t.text != "¥" && t.text != "₹" {
		return a, false, nil
	}
	if !unitless(a) {
		return a, false, nil
	}
	if t.text == `\frac` {
		return p.fractionUnit(a)
	}
	if a.Kind == Number && t.kind == tWord && scales[strings.ToLower(t.text)] != 0 && len(t.text) > 4 {
		return p.scaled(a), false, nil
	}
	if t.kind == tText {
		return p.textUnit(a, t)
	}
	if t.kind == tSign { // 5€
		p.i++
		return &Node{Kind: Quantity, Args: []*Node{a}, Unit: unitTable[t.text]}, true, nil
	}
	text, n := p.unitText()
	if n == 0 {
		return p.noun(a)
	}
	u, ok := parseUnit(text)
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
	if t.kind != tWord && t.kind != tText {
		return a
	}
	s := scales[strings.ToLower(strings.TrimSpace(t.text))]
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
func (p *parser) textUnit(a *Node, t *token) (*Node, bool, error) {
	low := strings.ToLower(strings.TrimSpace(t.text))
	switch {
	case low == "" || low == "and" || low == "or" || low == ",":
		return a, false, nil
	case low == "percent" || low == "%":
		p.i++
		return &Node{Kind: Mul, Percent: true, Args: []*Node{a, Num(big.NewRat(1, 100))}}, true, nil
	case scales[low] != 0:
		return p.scaled(a), false, nil
	case functions[t.text] != 0:
		return a, false, nil
	}
	text := t.text
	n := 1
	if e, size := p.raised(1); size > 0 {
		text += "^" + e
		n += size
	}
	for p.at(n).text == "/" && p.at(n+1).kind == tText || p.at(n).text == `\cdot` && p.at(n+1).kind == tText || p.at(n).kind == tText && unitTable[p.at(n).text] != nil {
		if p.at(n).kind != tText {
			if p.at(n).text == "/" {
				text += " /"
			}
			n++
		}
		text += " " + p.at(n).text
		n++
		if e, size := p.raised(n); size > 0 {
			text += "^" + e
			n += size
		}
	}
	if u, ok := parseUnit(text); ok {
		p.i += n
		return p.compound(&Node{Kind: Quantity, Args: []*Node{a}, Unit: u})
	}
	words, ok := splitWords(t.text)
	if !ok || len(words) > 5 {
		return a, false, nil
	}
	for _, w := range words {
		if operators[w] {
			return a, false, p.unreadable("the text %q changes the value", t.text)
		}
	}
	p.i++
	return &Node{Kind: Quantity, Args: []*Node{a}, Unit: &Unit{Name: singular(words)}}, true, nil
}

// fractionUnit reads \frac{\text{m}}{\text{s}^2} behind a value.
func (p *parser) fractionUnit(a *Node) (*Node, bool, error) {
	if p.at(1).text != "{" || p.at(2).kind != tText || p.at(3).text != "}" || p.at(4).text != "{" || p.at(5).kind != tText {
		return a, false, nil
	}
	text := p.at(2).text + " / " + p.at(5).text
	e, size := p.raised(6)
	if size > 0 {
		text += "^" + e
	}
	u, ok := parseUnit(text)
	if !ok || p.at(6+size).text != "}" {
		return a, false, nil
	}
	p.i += 7 + size
	return &Node{Kind: Quantity, Args: []*Node{a}, Unit: u}, true, nil
}

// raised reads ^2 or ^{-2} at a distance.
func (p *parser) raised(n int) (text string, size int) {
	if p.at(n).text != "^" {
		return "", 0
	}
	i := n + 1
	braced := p.at(i).text == "{"
	if braced {
		i++
	}
	if p.at(i).text == "-" {
		text = "-"
		i++
	}
	if p.at(i).kind != tNumber {
		return "", 0
	}
	text += p.at(i).text
	i++
	if braced {
		if p.at(i).text != "}" {
			return "", 0
		}
		i++
	}
	return text, i - n
}

// unitText collects the words of a unit from here on: "km / h", "square meters", "m / s ^ 2".
func (p *parser) unitText() (text string, n int) {
	for p.at(n).kind == tWord {
		w := p.at(n).text
		low := strings.ToLower(w)
		isUnit := unitTable[w] != nil || lookupUnit(w) != nil
		joins := low == "per" || low == "square" || low == "sq" || low == "cubic" || low == "cu" || low == "squared" || low == "cubed"
		if !isUnit && !joins {
			break
		}
		if isUnit && n == 0 && len(w) == 1 && !p.at(n).space {
			return "", 0
		}
		if isUnit && n == 0 && p.at(1).text == "(" { // min(…)
			return "", 0
		}
		text += " " + w
		n++
		if e, size := p.raised(n); size > 0 && isUnit {
			text += "^" + e
			n += size
		}
		if p.at(n).text == "/" && p.at(n+1).kind == tWord && lookupUnit(p.at(n+1).text) != nil {
			text += " /"
			n++
		}
	}
	// A unit ends the value: 5 m n is a product.
	if t := p.at(n); n > 0 && (t.kind == tWord && !stopWord(t.text) || t.text == "(" || t.text == "^" || t.text == "_") {
		return "", 0
	}
	return strings.TrimSpace(text), n
}

// noun reads what was counted: 5 apples, 12 large boxes. Only behind a plain number and up to the end of the item, and
// no word that changes the value.
func (p *parser) noun(a *Node) (*Node, bool, error) {
	t := p.peek()
	if t.kind != tWord || !t.space || a.Kind != Number && a.Kind != Div {
		return a, false, nil
	}
	var words []string
	n := 0
	for ; p.at(n).kind == tWord && !stopWord(p.at(n).text); n++ {
		low := strings.ToLower(p.at(n).text)
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
	if n == 0 || n > 4 || len(words[0]) < 3 || end.kind != tEnd && end.text != "," && end.text != ";" && !stopWord(end.text) {
		return a, false, nil
	}
	p.i += n
	return &Node{Kind: Quantity, Args: []*Node{a}, Unit: &Unit{Name: singular(words)}}, true, nil
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
	if t.kind != tNumber || !q.Unit.Known() || q.Unit.Offset != nil {
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
