package syntax

import (
	"errors"
	"fmt"
	"strings"
)

// Parse reads an answer. The error is an *Error.
func Parse(text string) (*Node, error) {
	if strings.TrimSpace(text) == "" {
		return nil, &Error{Fault: Nothing}
	}
	if len(text) > MaxText {
		return parseLong(text)
	}
	s := clean(text)
	if s == "" {
		return nil, &Error{Fault: Nothing}
	}
	if codeShaped(s) {
		return nil, &Error{Fault: CodeShaped, Detail: "the answer looks like a program"}
	}
	if n := wholeText(s); n != nil {
		return n, nil
	}
	l := lexer{s: s}
	tokens, err := l.run()
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
	var e *Error
	if errors.As(err, &e) && e.Fault == Unreadable && hasOpaque(s) {
		return &Node{Kind: Opaque, Text: s}, nil
	}
	return nil, err
}

// parseLong takes one kind of text above the limit: an integer of many digits.
func parseLong(text string) (*Node, error) {
	s := strings.TrimSpace(text)
	neg := strings.HasPrefix(s, "-")
	digits := strings.TrimPrefix(s, "-")
	if n := run(digits); n != len(digits) || n > MaxInteger {
		return nil, &Error{Fault: TooLarge, Detail: fmt.Sprintf("the answer has more than %d bytes", MaxText)}
	}
	v, ok := value(digits, "", "", "")
	if !ok {
		return nil, &Error{Fault: Unreadable, Detail: "the digits cannot be read"}
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
	t     []token
	i     int
	depth int
	nodes int
	bars  int // open absolute values: the next bar closes
	names map[string]bool
}

func (p *parser) peek() *token {
	if p.i < len(p.t) {
		return &p.t[p.i]
	}
	return &token{kind: tEnd}
}

func (p *parser) at(n int) *token {
	if p.i+n < len(p.t) && p.i+n >= 0 {
		return &p.t[p.i+n]
	}
	return &token{kind: tEnd}
}

func (p *parser) is(text string) bool {
	t := p.peek()
	return (t.kind == tSign || t.kind == tCommand) && t.text == text
}

func (p *parser) eat(text string) bool {
	if p.is(text) {
		p.i++
		return true
	}
	return false
}

func (p *parser) unreadable(format string, args ...any) error {
	return &Error{Fault: Unreadable, At: p.peek().at, Detail: fmt.Sprintf(format, args...)}
}

// enter counts nesting and nodes; every function that calls itself goes through it.
func (p *parser) enter() error {
	p.depth++
	p.nodes++
	if p.depth > MaxNesting*6 || p.nodes > MaxNodes*8 {
		return &Error{Fault: TooLarge, At: p.peek().at, Detail: "the answer nests too deep or is too long"}
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

// answer reads the whole text: items with separators.
func (p *parser) answer() (*Node, error) {
	n, err := p.items(func() bool { return p.peek().kind == tEnd })
	if err != nil {
		return nil, err
	}
	if p.peek().kind != tEnd {
		return nil, p.unreadable("did not expect %q", p.peek().text)
	}
	if count(n) > MaxNodes {
		return nil, &Error{Fault: TooLarge, Detail: fmt.Sprintf("the answer has more than %d parts", MaxNodes)}
	}
	return n, nil
}

func count(n *Node) int {
	c := 0
	n.Walk(func(*Node) bool { c++; return c <= MaxNodes })
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
			return nil, p.unreadable("did not expect %q", p.peek().text)
		}
		if sep != "," || p.peek().space {
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
		case t.kind == tSign && (t.text == "," || t.text == ";"):
			word = ","
		case t.kind == tCommand && t.text == `\\`:
			word = ","
		case t.kind == tCommand && (t.text == `\lor` || t.text == `\vee`):
			word = "or"
		case t.kind == tWord || t.kind == tText:
			switch strings.Trim(strings.ToLower(t.text), " ,") {
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

var relationSigns = map[string]Op{
	"=": Equal, "==": Equal, "<": Less, ">": Greater, "<=": LessEqual, ">=": GreaterEqual, "!=": NotEqual,
	`\le`: LessEqual, `\leq`: LessEqual, `\leqslant`: LessEqual, `\leqq`: LessEqual, `\ge`: GreaterEqual, `\geq`: GreaterEqual,
	`\geqslant`: GreaterEqual, `\geqq`: GreaterEqual, `\lt`: Less, `\gt`: Greater, `\ne`: NotEqual, `\neq`: NotEqual, `\in`: In, `\eq`: Equal,
}

func (p *parser) relationSign() (op Op, approx, ok bool) {
	t := p.peek()
	if t.kind != tSign && t.kind != tCommand {
		return 0, false, false
	}
	switch t.text {
	case `\approx`, `\simeq`, `\doteq`:
		return Equal, true, true
	case `\not`:
		if n := p.at(1); n.text == "=" {
			p.i++
			return NotEqual, false, true
		}
	case `\colon`, ":":
		if n := p.at(1); n.text == "=" { // :=
			p.i++
			return Equal, false, true
		}
	}
	op, ok = relationSigns[t.text]
	return op, false, ok
}

// relation reads a op b op c. What stands behind ≈ is a rounded form of what stands before it and is dropped, except
// behind a name, whose value it is.
func (p *parser) relation() (*Node, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	if op, _, ok := p.relationSign(); ok && op == Equal { // "= 5" is what is left of a line
		p.i++
	}
	first, err := p.setExpression()
	if err != nil {
		return nil, err
	}
	n := &Node{Kind: Relation, Args: []*Node{first}}
	dropping := false
	for {
		op, approx, ok := p.relationSign()
		if !ok {
			break
		}
		p.i++
		side, err := p.setExpression()
		if err != nil {
			return nil, err
		}
		dropping = dropping || approx && !NameLike(n.Args[len(n.Args)-1])
		if dropping {
			continue
		}
		n.Args = append(n.Args, side)
		n.Ops = append(n.Ops, op)
	}
	if len(n.Args) == 1 {
		return first, nil
	}
	return n, nil
}

// NameLike says whether a node names something that can have a value: x, x_1, f(x), AB, |v|, \angle ABC, P(A), 2:1 no.
func NameLike(n *Node) bool {
	switch n.Kind {
	case Name, Words:
		return true
	case Constant:
		return n.Text == "e" || n.Text == "i" || n.Text == "phi"
	case Mul: // AB, and f(x) read as a product
		for _, a := range n.Args {
			if !NameLike(a) {
				return false
			}
		}
		return true
	case Call:
		if n.Text == "abs" || n.Text == "norm" || !knownFunction(n.Text) {
			for _, a := range n.Args {
				if a.Kind != Number && !NameLike(a) && a.Kind != Tuple {
					return false
				}
			}
			return true
		}
		return false
	case Tuple, List: // (x, y) = (1, 2)
		for _, a := range n.Args {
			if a.Kind != Name {
				return false
			}
		}
		return len(n.Args) > 0
	default:
		return false
	}
}
