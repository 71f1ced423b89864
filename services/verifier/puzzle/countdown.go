package puzzle

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/text"
	"github.com/provenir/provenir/services/verifier/text/extract"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// CountdownName is the verifier's.
const CountdownName = "countdown"

// CountdownDescriptor describes countdown.
func CountdownDescriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: CountdownName, Summary: "an expression that uses each of the row's numbers once and makes its target",
		Options: []spec.Option{text.FieldsOption()},
	}
}

type countdown struct{ fields verdict.Fields }

// NewCountdown makes a countdown verifier.
func NewCountdown(_ string, v spec.Values) (verdict.Judge, error) {
	return &countdown{text.FieldsOf(v)}, nil
}

// Judge reads the expression behind the anchor, or in a box. An answer with an equals sign, or with anything that is no
// expression, is not read: it would say what it makes instead of making it.
func (p *countdown) Judge(c *verdict.Candidate) verdict.Verdict {
	response, err := p.fields.Read(c)
	if err != nil {
		return verdict.Unscore(CountdownName, verdict.BadRow, err.Error())
	}
	var numbers []int64
	var target int64
	for _, column := range []struct {
		key string
		to  any
	}{{"numbers", &numbers}, {"target", &target}} {
		raw, ok := c.Row.Get(column.key)
		if !ok || json.Unmarshal(raw, column.to) != nil {
			return verdict.Unscore(CountdownName, verdict.BadRow, "the row needs numbers, a list of integers, and target, an integer")
		}
	}
	if len(numbers) == 0 || len(numbers) > 16 {
		return verdict.Unscore(CountdownName, verdict.BadRow, fmt.Sprintf("%d numbers; want 1 to 16", len(numbers)))
	}
	answer := anchored(response)
	if answer == "" {
		return verdict.Fail(CountdownName, "no_answer")
	}
	value, used, err := evaluate(answer)
	v := verdict.Pass(CountdownName, "equal")
	switch {
	case err != nil:
		v = verdict.Fail(CountdownName, "unparsable_answer")
		v.Note("not_read", verdict.Info, err.Error())
	case !sameNumbers(used, numbers):
		v = verdict.Fail(CountdownName, "wrong_numbers")
	case value.Cmp(new(big.Rat).SetInt64(target)) != 0:
		v = verdict.Fail(CountdownName, "different")
	}
	v.Extracted = verdict.Printable(answer)
	return v
}

// anchored is what stands behind #### or in the last box; nothing else is an answer.
func anchored(response string) string {
	found := extract.In(response, extract.FinalAnswer)
	answer := ""
	found.Each(func(p extract.Piece) bool {
		answer = p.Text
		return false
	})
	return answer
}

func sameNumbers(used, given []int64) bool {
	given = slices.Clone(given)
	slices.Sort(given)
	slices.Sort(used)
	return slices.Equal(used, given)
}

const (
	maxExpression = 512
	maxParens     = 32
)

var errExpression = errors.New("not an expression of integers, + - * / and parentheses")

// evaluate reads an expression and the integers that it uses. Division is exact; by zero it is an error.
func evaluate(s string) (*big.Rat, []int64, error) {
	if len(s) > maxExpression {
		return nil, nil, fmt.Errorf("%d characters, at most %d", len(s), maxExpression)
	}
	p := &parser{s: s}
	v, err := p.sum()
	if err == nil {
		if p.blank(); p.i < len(p.s) {
			err = errExpression
		}
	}
	return v, p.used, err
}

type parser struct {
	s     string
	i     int
	depth int
	used  []int64
}

func (p *parser) blank() {
	for p.i < len(p.s) && p.s[p.i] == ' ' {
		p.i++
	}
}

func (p *parser) operator(of string) byte {
	p.blank()
	if p.i < len(p.s) {
		for j := range len(of) {
			if p.s[p.i] == of[j] {
				p.i++
				return of[j]
			}
		}
	}
	return 0
}

func (p *parser) sum() (*big.Rat, error) {
	v, err := p.product()
	for err == nil {
		op := p.operator("+-")
		if op == 0 {
			return v, nil
		}
		var w *big.Rat
		if w, err = p.product(); err == nil {
			if op == '-' {
				w.Neg(w)
			}
			v.Add(v, w)
		}
	}
	return nil, err
}

func (p *parser) product() (*big.Rat, error) {
	v, err := p.atom()
	for err == nil {
		op := p.operator("*/")
		if op == 0 {
			return v, nil
		}
		var w *big.Rat
		if w, err = p.atom(); err == nil {
			if op == '/' {
				if w.Sign() == 0 {
					return nil, errors.New("a division by zero")
				}
				w.Inv(w)
			}
			v.Mul(v, w)
		}
	}
	return nil, err
}

func (p *parser) atom() (*big.Rat, error) {
	if p.operator("(") != 0 {
		if p.depth++; p.depth > maxParens {
			return nil, fmt.Errorf("more than %d parentheses", maxParens)
		}
		v, err := p.sum()
		if err == nil && p.operator(")") == 0 {
			err = errExpression
		}
		p.depth--
		return v, err
	}
	p.blank()
	n, from := int64(0), p.i
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' {
		if n = n*10 + int64(p.s[p.i]-'0'); n > 1<<40 {
			return nil, errors.New("a number that is too large")
		}
		p.i++
	}
	if p.i == from || p.s[from] == '0' && p.i > from+1 {
		return nil, errExpression
	}
	p.used = append(p.used, n)
	return new(big.Rat).SetInt64(n), nil
}
