package syntax

import (
	"errors"
	"fmt"
	"strings"

	"github.com/provenir/provenir/services/verifier/math/lex"
)

// Parse reads an answer. The error is an *lex.Error.
func Parse(text string) (*Node, error) {
	if strings.TrimSpace(text) == "" {
		return nil, &lex.Error{Fault: lex.Nothing}
	}
	if len(text) > lex.MaxText {
		return parseLong(text)
	}
	s := lex.Clean(text)
	if s == "" {
		return nil, &lex.Error{Fault: lex.Nothing}
	}
	if lex.IsCode(s) {
		return nil, &lex.Error{Fault: lex.CodeShaped, Detail: "the answer looks like a program"}
	}
	if n := wholeText(s); n != nil {
		return n, nil
	}
	tokens, err := lex.Tokens(s)
	if err != nil {
		return opaqueOr(s, err)
	}
	p := &parser{t: tokens, names: map[string]bool{}}
	n, err := p.answer()
	if err != nil {
		return opaqueOr(s, err)
	}
	return n, nil
}

// opaqueOr gives math that is compared as text only, where it is that, else the error.
func opaqueOr(s string, err error) (*Node, error) {
	var e *lex.Error
	if errors.As(err, &e) && e.Fault == lex.Unreadable && lex.HasOpaque(s) {
		return &Node{Kind: Opaque, Text: s}, nil
	}
	return nil, err
}

// parseLong takes one kind of text above the limit: an integer of many digits.
func parseLong(text string) (*Node, error) {
	s := strings.TrimSpace(text)
	neg := strings.HasPrefix(s, "-")
	digits := strings.TrimPrefix(s, "-")
	if n := lex.Digits(digits); n != len(digits) || n > lex.MaxInteger {
		return nil, &lex.Error{Fault: lex.TooLarge, Detail: fmt.Sprintf("the answer has more than %d bytes", lex.MaxText)}
	}
	v, ok := lex.Value(digits, "", "", "")
	if !ok {
		return nil, &lex.Error{Fault: lex.Unreadable, Detail: "the digits cannot be read"}
	}
	if neg {
		v.Neg(v)
	}
	return Num(v), nil
}

// wholeText reads a text that is words from end to end: a number in words, or words.
func wholeText(s string) *Node {
	inner := s
	for strings.HasPrefix(inner, `\text`) || strings.HasPrefix(inner, `\mathrm`) || strings.HasPrefix(inner, `\mbox`) {
		open := strings.IndexByte(inner, '{')
		if open < 0 || !strings.HasSuffix(inner, "}") || strings.Count(inner, "{") != 1 || strings.Count(inner, "}") != 1 {
			break
		}
		if inner = strings.TrimSpace(inner[open+1 : len(inner)-1]); strings.HasPrefix(inner, "(") && strings.HasSuffix(inner, ")") {
			inner = strings.TrimSpace(inner[1 : len(inner)-1])
		}
	}
	words, ok := splitWords(inner)
	if !ok {
		return nil
	}
	if v, ok := numberWords(words); ok {
		return Num(v)
	}
	if len(words) == 1 && (len(inner) < 3 && inner == s && !prose[words[0]] || known(inner)) {
		return nil // x, ab, pi, infinity
	}
	if len(inner) == 1 {
		return nil
	}
	if len(words) > 8 {
		return nil // a sentence is no answer; whoever looks for one should look further
	}
	return &Node{Kind: Words, Text: strings.Join(words, " ")}
}

// known says whether a word is a function, constant or Greek letter.
func known(w string) bool {
	for _, f := range glued {
		if rest := strings.TrimPrefix(w, f); rest != w && (len(rest) == 1 || greekWords[rest] || rest == "pi") {
			return true
		}
	}
	_, isFunction := functions[w]
	_, isConstant := constantWords[w]
	return isFunction || isConstant || greekWords[w] || emptySet[strings.ToLower(w)]
}

type parser struct {
	t     []lex.Token
	i     int
	depth int
	nodes int
	bars  int // open absolute values: the next bar closes
	names map[string]bool
}

func (p *parser) peek() *lex.Token {
	if p.i < len(p.t) {
		return &p.t[p.i]
	}
	return &lex.Token{Kind: lex.End}
}

func (p *parser) at(n int) *lex.Token {
	if p.i+n < len(p.t) && p.i+n >= 0 {
		return &p.t[p.i+n]
	}
	return &lex.Token{Kind: lex.End}
}

func (p *parser) is(text string) bool {
	t := p.peek()
	return (t.Kind == lex.Sign || t.Kind == lex.Command) && t.Text == text
}

func (p *parser) eat(text string) bool {
	if p.is(text) {
		p.i++
		return true
	}
	return false
}

func (p *parser) unreadable(format string, args ...any) error {
	return &lex.Error{Fault: lex.Unreadable, At: p.peek().At, Detail: fmt.Sprintf(format, args...)}
}

// enter counts nesting and nodes; every function that calls itself goes through it.
func (p *parser) enter() error {
	p.depth++
	p.nodes++
	if p.depth > lex.MaxNesting*6 || p.nodes > lex.MaxNodes*8 {
		return &lex.Error{Fault: lex.TooLarge, At: p.peek().At, Detail: "the answer nests too deep or is too long"}
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// answer reads the whole text: items with separators.
func (p *parser) answer() (*Node, error) {
	n, err := p.items(func() bool { return p.peek().Kind == lex.End })
	if err != nil {
		return nil, err
	}
	if p.peek().Kind != lex.End {
		return nil, p.unreadable("did not expect %q", p.peek().Text)
	}
	if count(n) > lex.MaxNodes {
		return nil, &lex.Error{Fault: lex.TooLarge, Detail: fmt.Sprintf("the answer has more than %d parts", lex.MaxNodes)}
	}
	return n, nil
}

func count(n *Node) int {
	c := 0
	n.Walk(func(*Node) bool { c++; return c <= lex.MaxNodes })
	return c
}

// items reads relations with separators between them, until done.
func (p *parser) items(done func() bool) (*Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	var list []*Node
	join := ""
	tight := true
	for !done() {
		n, err := p.relation()
		if err != nil {
			return nil, err
		}
		list = append(list, n)
		if done() {
			break
		}
		sep, ok := p.separator()
		if !ok {
			return nil, p.unreadable("did not expect %q", p.peek().Text)
		}
		if sep != "," || p.peek().Space {
			tight = false
		}
		if sep == "and" || sep == "or" {
			join = sep
		}
	}
	switch len(list) {
	case 0:
		return nil, p.unreadable("nothing between the brackets")
	case 1:
		return list[0], nil
	}
	n := &Node{Kind: List, Args: list, Text: join}
	n.Comma = tight && len(list) == 2 && list[0].Kind == Number && list[1].Kind == Number
	return n, nil
}

// separator reads commas, semicolons and conjunctions, several at once.
func (p *parser) separator() (string, bool) {
	found := ""
	for {
		t := p.peek()
		word := ""
		switch {
		case t.Kind == lex.Sign && (t.Text == "," || t.Text == ";"):
			word = ","
		case t.Kind == lex.Command && t.Text == `\\`:
			word = ","
		case t.Kind == lex.Command && (t.Text == `\lor` || t.Text == `\vee`):
			word = "or"
		case t.Kind == lex.Word || t.Kind == lex.Text:
			switch strings.Trim(strings.ToLower(t.Text), " ,") {
			case "and", "&":
				word = "and"
			case "or":
				word = "or"
			case "":
				word = ","
			}
		}
		if word == "" {
			return found, found != ""
		}
		if found == "" || word != "," {
			found = word
		}
		p.i++
	}
}
