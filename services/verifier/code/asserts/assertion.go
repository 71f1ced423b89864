package asserts

import (
	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

var comparisons = map[string]bool{"==": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true}

// assertion reads what follows assert.
func (p *parser) assertion(line int) error {
	c, err := p.enclosed(line)
	if err != nil {
		return err
	}
	if p.is(",") { // the message is evaluated only where the test has failed already
		for p.peek().kind != newline && p.peek().kind != end && !p.is(";") {
			p.take()
		}
	}
	if c.Left.Call == nil && c.Op == "" {
		return always(c)
	}
	if err := c.sensible(); err != nil {
		return err
	}
	p.suite.Checks = append(p.suite.Checks, *c)
	return nil
}

// always passes over an assert of a constant that holds, which many suites begin with.
func always(c *Check) error {
	if holds, ok := c.Left.Literal.(bool); ok && holds != c.Not {
		return nil
	}
	return beyond(c.Line, "an assert without a call")
}

// enclosed reads a comparison that may stand in brackets as a whole.
func (p *parser) enclosed(line int) (*Check, error) {
	start, nest := p.at, p.nest
	if p.is("(") {
		p.take()
		c, err := p.comparison(line)
		if err == nil && p.is(")") && c.Left.Call != nil {
			p.take()
			if k := p.peek(); k.kind == newline || k.kind == end || p.is(",") || p.is(";") {
				return c, nil
			}
		}
		p.at, p.nest = start, nest
	}
	return p.comparison(line)
}

func (p *parser) comparison(line int) (*Check, error) {
	c := &Check{Line: line}
	if p.word("not") {
		p.take()
		c.Not = true
	}
	var err error
	if c.Left, err = p.operand(); err != nil {
		return nil, err
	}
	switch {
	case p.peek().kind == op && comparisons[p.peek().text]:
		c.Op = p.take().text
	case p.word("in"):
		p.take()
		c.Op = "in"
	case p.word("not"):
		p.take()
		if t := p.take(); t.text != "in" {
			return nil, beyond(line, "not %s", t.text)
		}
		c.Op = "not in"
	case p.word("is"):
		p.take()
		c.Op = "is"
		if p.word("not") {
			p.take()
			c.Op = "is not"
		}
	default:
		return c, nil
	}
	c.Right, err = p.operand()
	return c, err
}

// sensible refuses what means something else in Python than it seems to.
func (c *Check) sensible() error {
	if c.Left.Call == nil && (c.Op == "" || c.Right.Call == nil) {
		return beyond(c.Line, "an assert without a call")
	}
	if c.Op == "is" || c.Op == "is not" {
		switch v := c.Right.Literal.(type) {
		case nil:
			if c.Right.Call != nil {
				return beyond(c.Line, "the identity of two results")
			}
		case bool:
		default:
			return beyond(c.Line, "identity with a %T", v)
		}
	}
	return nil
}

// operand reads a call, a literal, or abs of a difference of both.
func (p *parser) operand() (Operand, error) {
	if p.word("abs") && p.tokens[p.at+1].text == "(" {
		p.take()
		p.take()
		a, err := p.simple(false)
		if err != nil {
			return Operand{}, err
		}
		if t := p.take(); t.text != "-" || t.kind != op {
			return Operand{}, beyond(t.line, "abs of something else than a difference")
		}
		b, err := p.simple(true)
		if err != nil {
			return Operand{}, err
		}
		if t := p.take(); t.text != ")" {
			return Operand{}, beyond(t.line, "abs of something else than a difference")
		}
		a.Difference = &b
		return a, nil
	}
	return p.simple(true)
}

// simple reads a call or a literal; sums says that the literal may go on after its first term.
func (p *parser) simple(sums bool) (Operand, error) {
	t := p.peek()
	if t.kind == name && p.tokens[p.at+1].kind == op && p.tokens[p.at+1].text == "(" && !builtinCalls[t.text] {
		c, err := p.call()
		return Operand{Call: c}, err
	}
	var v plain.Value
	var err error
	if sums {
		v, err = p.literal()
	} else {
		v, err = p.term()
	}
	return Operand{Literal: v}, err
}

func (p *parser) call() (*Call, error) {
	c := &Call{Function: p.take().text, Args: plain.Tuple{}}
	p.take()
	for !p.is(")") {
		t := p.peek()
		if t.kind == name && p.tokens[p.at+1].kind == op && p.tokens[p.at+1].text == "=" {
			p.take()
			p.take()
			v, err := p.literal()
			if err != nil {
				return nil, err
			}
			for _, k := range c.Kwargs {
				if k.Key == plain.Str(t.text) {
					return nil, beyond(t.line, "the argument %s twice", t.text)
				}
			}
			c.Kwargs = append(c.Kwargs, plain.Pair{Key: plain.Str(t.text), Value: v})
		} else {
			if len(c.Kwargs) > 0 {
				return nil, beyond(t.line, "an argument after a named one")
			}
			v, err := p.literal()
			if err != nil {
				return nil, err
			}
			c.Args = append(c.Args, v)
		}
		if !p.is(",") {
			break
		}
		p.take()
	}
	if t := p.take(); t.text != ")" || t.kind != op {
		return nil, beyond(t.line, "the arguments of %s", c.Function)
	}
	return c, nil
}
