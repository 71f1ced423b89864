package task

import (
	"math/big"
	"slices"
	"strings"
)

// expression is a number (op 0) or an operation on two expressions.
type expression struct {
	op          byte // '+', '-', '*' or 0
	value       int64
	left, right *expression
}

func number(v int64) *expression { return &expression{value: v} }

// text writes it with the brackets it needs. Minus is not associative: a-(b-c) keeps its brackets.
func (e *expression) text() string {
	if e.op == 0 {
		return big.NewInt(e.value).String()
	}
	l, r := e.left.text(), e.right.text()
	if e.op == '*' {
		if e.left.op == '+' || e.left.op == '-' {
			l = "(" + l + ")"
		}
		if e.right.op != 0 {
			r = "(" + r + ")"
		}
	} else if e.right.op == '+' || e.right.op == '-' {
		r = "(" + r + ")"
	}
	return l + string(e.op) + r
}

// evaluate gives the exact value and appends each operation to steps in the order in which a person would do them.
func (e *expression) evaluate(steps *[]string) *big.Int {
	if e.op == 0 {
		return big.NewInt(e.value)
	}
	l, r := e.left.evaluate(steps), e.right.evaluate(steps)
	out := new(big.Int)
	switch e.op {
	case '+':
		out.Add(l, r)
	case '-':
		out.Sub(l, r)
	default:
		out.Mul(l, r)
	}
	right := r.String()
	if r.Sign() < 0 {
		right = "(" + right + ")"
	}
	*steps = append(*steps, l.String()+string(e.op)+right+"="+out.String())
	return out
}

// canonical is equal for expressions that differ in the order of their terms and factors only.
func (e *expression) canonical() string {
	switch e.op {
	case 0:
		return big.NewInt(e.value).String()
	case '*':
		factors := e.factors(nil)
		slices.Sort(factors)
		return "(" + strings.Join(factors, "*") + ")"
	default:
		terms := e.terms(nil, false)
		slices.Sort(terms)
		return "(" + strings.Join(terms, "") + ")"
	}
}

func (e *expression) factors(out []string) []string {
	if e.op == '*' {
		return e.right.factors(e.left.factors(out))
	}
	return append(out, e.canonical())
}

func (e *expression) terms(out []string, negative bool) []string {
	if e.op == '+' || e.op == '-' {
		out = e.left.terms(out, negative)
		return e.right.terms(out, negative != (e.op == '-'))
	}
	if negative {
		return append(out, "-"+e.canonical())
	}
	return append(out, "+"+e.canonical())
}
