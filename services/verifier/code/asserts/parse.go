package asserts

import (
	"strings"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// Parse reads a test. The error is ErrBeyond for whatever is not in the subset.
func Parse(src string) (*Suite, error) {
	tokens, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, suite: &Suite{}}
	for p.peek().kind != end {
		if err := p.statement(true); err != nil {
			return nil, err
		}
	}
	if len(p.suite.Checks) == 0 {
		return nil, beyond(1, "no asserts")
	}
	return p.suite, nil
}

// Literal reads one literal. The error is ErrBeyond.
func Literal(src string) (plain.Value, error) {
	tokens, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, suite: &Suite{}}
	v, err := p.literal()
	if err != nil {
		return nil, err
	}
	if t := p.take(); t.kind != newline || p.peek().kind != end {
		return nil, beyond(t.line, "%q behind a literal", t.text)
	}
	return v, nil
}

type parser struct {
	tokens []token
	at     int
	nest   int
	suite  *Suite
}

func (p *parser) peek() token { return p.tokens[p.at] }

func (p *parser) take() token {
	t := p.tokens[p.at]
	if t.kind != end {
		p.at++
	}
	return t
}

func (p *parser) is(o string) bool { return p.peek().kind == op && p.peek().text == o }

func (p *parser) word(w string) bool { return p.peek().kind == name && p.peek().text == w }

// statement reads one; top says that it is not in check.
func (p *parser) statement(top bool) error {
	t := p.peek()
	switch {
	case t.kind == text:
		if _, err := p.literal(); err != nil {
			return err
		}
	case t.kind == name:
		switch t.text {
		case "assert":
			if top && p.suite.Check {
				return beyond(t.line, "asserts beside check")
			}
			p.take()
			if err := p.assertion(t.line); err != nil {
				return err
			}
		case "pass":
			p.take()
		case "def":
			if !top {
				return beyond(t.line, "a function in check")
			}
			return p.check()
		case "import", "from":
			return p.imports()
		default:
			if err := p.other(t, top); err != nil {
				return err
			}
		}
	default:
		return beyond(t.line, "a statement that begins with %q", t.text)
	}
	return p.endLine()
}

func (p *parser) endLine() error {
	if p.is(";") {
		p.take()
		if p.peek().kind != newline {
			return nil
		}
	}
	if t := p.take(); t.kind != newline && t.kind != end {
		return beyond(t.line, "%q at the end of a statement", t.text)
	}
	return nil
}

// imports are passed over: no name of theirs can be used in the subset.
func (p *parser) imports() error {
	t := p.take()
	if t.text == "from" {
		for !p.word("import") {
			if k := p.take(); k.kind == newline || k.kind == end {
				return beyond(t.line, "an import")
			}
		}
	}
	for {
		k := p.take()
		switch {
		case k.kind == newline:
			return nil
		case k.kind == end, k.kind == op && k.text != "," && k.text != "*" && k.text != "." && k.text != "(" && k.text != ")", k.kind == name && k.text == "as":
			return beyond(t.line, "an import")
		case k.kind != name && k.kind != op:
			return beyond(t.line, "an import")
		}
	}
}

// other is METADATA = literal, or check(name) at the end.
func (p *parser) other(t token, top bool) error {
	p.take()
	switch {
	case top && p.is("=") && t.text == strings.ToUpper(t.text):
		p.take()
		_, err := p.literal()
		return err
	case top && t.text == "check" && p.suite.Check && p.suite.CallsWith == "" && p.is("("):
		p.take()
		arg, closing := p.take(), p.take()
		if arg.kind != name || closing.text != ")" {
			return beyond(t.line, "a call of check")
		}
		p.suite.CallsWith = arg.text
		return nil
	}
	return beyond(t.line, "the statement %s", t.text)
}

// check reads def check(candidate): with asserts in it.
func (p *parser) check() error {
	line := p.take().line
	if p.suite.Check || len(p.suite.Checks) > 0 || !p.word("check") {
		return beyond(line, "a function")
	}
	p.take()
	var head [4]token
	for i := range head {
		head[i] = p.take()
	}
	if head[0].text != "(" || head[1].kind != name || head[2].text != ")" || head[3].text != ":" {
		return beyond(line, "the head of check")
	}
	p.suite.Check, p.suite.Candidate = true, head[1].text
	if p.take().kind != newline || p.take().kind != indent {
		return beyond(line, "the body of check")
	}
	for p.peek().kind != dedent {
		if p.peek().kind == end {
			return beyond(line, "the body of check")
		}
		if err := p.statement(false); err != nil {
			return err
		}
	}
	p.take()
	return nil
}
