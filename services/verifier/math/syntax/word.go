package syntax

import (
	"math/big"
	"strings"

	"github.com/provenir/provenir/services/verifier/math/lex"
)

// word reads a run of letters: a function, a constant, a number in words, or symbols side by side.
func (p *parser) word() (*Node, error) {
	t := p.peek()
	w := t.Text
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
	if (w[0] == 'f' || w[0] == 'g' || w[0] == 'F' || w[0] == 'G') && len(w) == 1 && p.is("(") && !p.peek().Space {
		args, err := p.arguments()
		if err != nil {
			return nil, err
		}
		return CallOf(w, args...), nil
	}
	if w[0] == 'C' && len(w) == 1 && p.is("(") && !p.peek().Space && p.choose() {
		args, err := p.arguments()
		if err != nil {
			return nil, err
		}
		return CallOf("binom", args...), nil
	}
	return p.name(p.t[p.i-1].Text)
}

// choose looks ahead for (n, k) with two plain numbers.
func (p *parser) choose() bool {
	return p.at(1).Kind == lex.Number && p.at(2).Text == "," && p.at(3).Kind == lex.Number && p.at(4).Text == ")"
}

// split cuts the word at hand in two tokens.
func (p *parser) split(n int) {
	head, rest := *p.peek(), *p.peek()
	head.Text, rest.Text = head.Text[:n], rest.Text[n:]
	rest.Space = false
	p.t = append(append(append(make([]lex.Token, 0, len(p.t)+1), p.t[:p.i]...), head, rest), p.t[p.i+1:]...)
}

// spelled reads number words from here on, as many as there are.
func (p *parser) spelled() (*big.Rat, int) {
	var words []string
	var best *big.Rat
	taken := 0
	for n := 0; n < 12; n++ {
		t := p.at(n)
		if t.Kind == lex.Sign && t.Text == "-" && n > 0 { // forty-two
			continue
		}
		if t.Kind != lex.Word {
			break
		}
		words = append(words, strings.ToLower(t.Text))
		if v, ok := numberWords(words); ok {
			best, taken = v, n+1
		}
	}
	return best, taken
}

// quoted reads \text{…}: a function, a letter, a number in words, or words.
func (p *parser) quoted() (*Node, error) {
	t := p.peek()
	w := strings.TrimSpace(t.Text)
	switch {
	case functions[w] != 0:
		p.i++
		return p.call(w)
	case len(w) == 1 && lex.IsLetter(w[0]):
		p.i++
		return p.name(w)
	case len(w) == 3 && w[0] == '(' && lex.IsLetter(w[1]) && w[2] == ')': // \text{(A)}
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
	if lex.Digits(w) == len(w) && w != "" {
		p.i++
		v, ok := lex.Value(w, "", "", "")
		if !ok || len(w) > lex.MaxDigits {
			return nil, &lex.Error{Fault: lex.TooLarge, At: t.At, Detail: "a number is too long"}
		}
		return Num(v), nil
	}
	return nil, p.unreadable("the text %q is not math", w)
}
