package toolcall

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// pythonic is [f(a=1, b="x"), g()], as Llama 3.2 and OLMo 3 write calls.
func pythonic(text string, _ Tools) Parsed {
	const format = "pythonic"
	s := strings.TrimSpace(text)
	if !strings.HasPrefix(s, "[") || !startsCall(s[1:]) {
		return Parsed{Outcome: None, Format: format, Prose: s != ""}
	}
	calls, err := pythonCalls(s, true)
	return found(format, calls, false, err)
}

// pythonCalls reads a bracketed list of calls, or one call without brackets. Only literals are read: nothing in a response
// is evaluated.
func pythonCalls(s string, bracketed bool) ([]Call, error) {
	p := &python{s: s}
	if !bracketed {
		c, err := p.call()
		if err == nil {
			err = p.end()
		}
		return []Call{c}, err
	}
	if !p.accept('[') {
		return nil, p.fail("want [")
	}
	var calls []Call
	for !p.accept(']') {
		if len(calls) > 0 {
			if !p.accept(',') {
				return nil, p.fail("want a comma")
			}
			if p.accept(']') {
				break
			}
		}
		c, err := p.call()
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	if len(calls) == 0 {
		return nil, errors.New("an empty list of calls")
	}
	return calls, p.end()
}

const pythonDepth = 128

type python struct {
	s     string
	i     int
	depth int
}

func (p *python) fail(format string, args ...any) error {
	if p.i >= len(p.s) {
		return errTruncated
	}
	return fmt.Errorf("%s at byte %d", fmt.Sprintf(format, args...), p.i)
}

func (p *python) blank() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
}

func (p *python) accept(c byte) bool {
	p.blank()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *python) end() error {
	if p.blank(); p.i < len(p.s) {
		return p.fail("text behind the calls")
	}
	return nil
}

// word reads a name; dotted ones have points.
func (p *python) word(dotted bool) string {
	p.blank()
	from := p.i
	for p.i < len(p.s) {
		c := p.s[p.i]
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
		if !letter && !(p.i > from && c >= '0' && c <= '9') && !(dotted && p.i > from && (c == '.' || c == '-')) {
			break
		}
		p.i++
	}
	return p.s[from:p.i]
}

func (p *python) call() (Call, error) {
	c := Call{Name: p.word(true), Arguments: map[string]any{}}
	if c.Name == "" || !p.accept('(') {
		return c, p.fail("want a call")
	}
	for first := true; !p.accept(')'); first = false {
		if !first {
			if !p.accept(',') {
				return c, p.fail("want a comma")
			}
			if p.accept(')') {
				break
			}
		}
		key := p.word(false)
		if key == "" || !p.accept('=') {
			return c, p.fail("want name=value; arguments by position have no name")
		}
		if _, twice := c.Arguments[key]; twice {
			return c, fmt.Errorf("the argument %q is there twice", key)
		}
		v, err := p.literal()
		if err != nil {
			return c, err
		}
		c.Arguments[key] = v
	}
	return c, nil
}

func (p *python) literal() (any, error) {
	if p.depth++; p.depth > pythonDepth {
		return nil, fmt.Errorf("nested deeper than %d", pythonDepth)
	}
	defer func() { p.depth-- }()
	p.blank()
	if p.i >= len(p.s) {
		return nil, errTruncated
	}
	switch c := p.s[p.i]; {
	case c == '[':
		return p.items('[', ']')
	case c == '(':
		return p.items('(', ')')
	case c == '{':
		return p.dict()
	case c == '"' || c == '\'':
		return p.text()
	case c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9':
		return p.number()
	}
	at := p.i
	switch p.word(false) {
	case "True", "true":
		return true, nil
	case "False", "false":
		return false, nil
	case "None", "null":
		return nil, nil //nolint:nilnil // None is a value
	}
	p.i = at
	return nil, p.fail("only literals are read")
}

// items reads a list or a tuple; both are lists to JSON. (x) without a comma is x.
func (p *python) items(open, closing byte) (any, error) {
	p.accept(open)
	out := []any{}
	comma := false
	for !p.accept(closing) {
		if len(out) > 0 {
			if !p.accept(',') {
				return nil, p.fail("want a comma")
			}
			comma = true
			if p.accept(closing) {
				break
			}
		}
		v, err := p.literal()
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if open == '(' && len(out) == 1 && !comma {
		return out[0], nil
	}
	return out, nil
}

func (p *python) dict() (any, error) {
	p.accept('{')
	out := map[string]any{}
	for n := 0; !p.accept('}'); n++ {
		if n > 0 {
			if !p.accept(',') {
				return nil, p.fail("want a comma")
			}
			if p.accept('}') {
				break
			}
		}
		if p.blank(); p.i >= len(p.s) || p.s[p.i] != '"' && p.s[p.i] != '\'' {
			return nil, p.fail("want a key in quotes")
		}
		key, err := p.text()
		if err != nil {
			return nil, err
		}
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("the key %q is there twice", key)
		}
		if !p.accept(':') {
			return nil, p.fail("want a colon")
		}
		if out[key], err = p.literal(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// number reads a Python number and writes it as JSON has it: 1. and .5 get their zeros, +1 loses its sign.
func (p *python) number() (any, error) {
	from := p.i
	for p.i < len(p.s) && strings.IndexByte("+-.0123456789eE_", p.s[p.i]) >= 0 {
		p.i++
	}
	digits := strings.TrimPrefix(p.s[from:p.i], "+")
	sign := ""
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits = "-", rest
	}
	mantissa, exponent := digits, ""
	if i := strings.IndexAny(digits, "eE"); i >= 0 {
		mantissa, exponent = digits[:i], digits[i:]
	}
	if strings.HasPrefix(mantissa, ".") {
		mantissa = "0" + mantissa
	}
	if strings.HasSuffix(mantissa, ".") {
		mantissa += "0"
	}
	n := sign + mantissa + exponent
	if len(n) > 4096 || !json.Valid([]byte(n)) {
		p.i = from
		return nil, p.fail("not a number")
	}
	return json.Number(n), nil
}
