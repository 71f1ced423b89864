package env

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
)

func calculatorDefinition() Definition {
	return Definition{
		Name: "calculator", Version: "1." + packVersion("calculator"), Summary: "Compute an expression with a tool that does one operation a call.",
		Tools: []Tool{{"calculate", "Does one operation, written as <number> <operator> <number>; operators are + - * /.",
			json.RawMessage(`{"type":"object","properties":{"expression":{"type":"string","description":"such as 12 * 34"}},` +
				`"required":["expression"],"additionalProperties":false}`)}},
		RequireTools: true,
		Begin: func(s Setting) (World, error) {
			w := &sums{}
			var err error
			if w.task, err = draw("calculator", s, w); err != nil {
				return nil, err
			}
			return w, nil
		},
	}
}

// sums is the world of a calculator: it remembers which of the results on the way were computed.
type sums struct {
	Results []string `json:"results"`
	task    Task
	seen    []string // results that count, each as often as it is needed
}

func (c *sums) Task() Task { return c.task }

// operation is one operation on plain decimal numbers. There is no exponent, inf or nan: 1e999 and its kin are refused by
// their form.
var operation = regexp.MustCompile(`^\s*([-+]?[0-9]{1,40}(?:\.[0-9]{1,20})?)\s*([-+*/])\s*([-+]?[0-9]{1,40}(?:\.[0-9]{1,20})?)\s*$`)

var (
	errOperation = errors.New("want <number> <operator> <number>, as in 12 * 34: decimal numbers, one of + - * /")
	errZero      = errors.New("division by zero")
)

// Act computes exactly.
func (c *sums) Act(_ context.Context, _ string, args map[string]any) (string, error) {
	text, _ := args["expression"].(string)
	out, err := calculate(text)
	if err != nil {
		return "", err
	}
	if need := count(c.Results, out); need > count(c.seen, out) {
		c.seen = append(c.seen, out)
	}
	return out, nil
}

func count(all []string, s string) int {
	n := 0
	for _, x := range all {
		if x == s {
			n++
		}
	}
	return n
}

// Progress is the share of the results on the way that were computed.
func (c *sums) Progress() float64 { return float64(len(c.seen)) / float64(max(len(c.Results), 1)) }

// calculate does one operation. A quotient that does not end is given to 20 decimals, and says so.
func calculate(text string) (string, error) {
	m := operation.FindStringSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("%w; have %q", errOperation, shown(text, 80))
	}
	a, okA := new(big.Rat).SetString(strings.TrimPrefix(m[1], "+"))
	b, okB := new(big.Rat).SetString(strings.TrimPrefix(m[3], "+"))
	if !okA || !okB {
		return "", errOperation
	}
	out := new(big.Rat)
	switch m[2] {
	case "+":
		out.Add(a, b)
	case "-":
		out.Sub(a, b)
	case "*":
		out.Mul(a, b)
	default:
		if b.Sign() == 0 {
			return "", errZero
		}
		out.Quo(a, b)
	}
	if out.IsInt() {
		return out.Num().String(), nil
	}
	digits, exact := out.FloatPrec()
	if exact && digits <= 40 {
		return out.FloatString(digits), nil
	}
	return "about " + out.FloatString(20), nil
}
