package task

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
)

// calculator asks for the value of an expression that is computed with a tool, one operation a call. It is played in the
// environment of the same name: here is the problem, there are the tool and the rule that it must be used.
type calculator struct{}

func (calculator) Name() string      { return "calculator" }
func (calculator) Version() string   { return "1" }
func (calculator) Presets() []string { return nil }

// largestValue bounds what intermediate results may become: products of nine numbers would be about copying digits.
const largestValue = 1_000_000_000

func (c calculator) Instance(seed, index uint64, s Setting) (Instance, error) {
	d, err := plainDifficulty(c.Name(), s)
	if err != nil {
		return Instance{}, err
	}
	rng := stream(c.Name(), c.Version(), seed, index)
	e := c.draw(rng, rising(1, 8, d))
	var steps []string
	value := e.evaluate(&steps).String()
	results := make([]string, len(steps))
	for i, step := range steps {
		_, results[i], _ = strings.Cut(step, "=")
	}
	text := e.text()
	prompt := fmt.Sprintf("Compute %s with the tool calculate, which does one operation a call. Give the result behind ####, or with the tool answer.\nA:", text)
	return Instance{
		ID: contentID(c.Name(), c.Version(), prompt), Prompt: prompt, Reference: value, Completion: " #### " + value, Spec: "math:profile=final_answer",
		Row: jsonText(map[string]any{"results": results}), Split: splitOf(c.Name() + ":" + e.canonical()), Difficulty: d,
	}, nil
}

// draw joins random parts until one is left. A product that would grow too large becomes a difference.
func (calculator) draw(rng *rand.Rand, operations int) *expression {
	parts := make([]*expression, operations+1)
	for i := range parts {
		parts[i] = number(12 + rng.Int64N(988))
	}
	for len(parts) > 1 {
		i := rng.IntN(len(parts) - 1)
		e := &expression{op: "+-*"[rng.IntN(3)], left: parts[i], right: parts[i+1]}
		var steps []string
		if e.op == '*' && e.evaluate(&steps).CmpAbs(big.NewInt(largestValue)) > 0 {
			e.op = '-'
		}
		parts[i] = e
		parts = append(parts[:i+1], parts[i+2:]...)
	}
	return parts[0]
}

// calculatorGuess bounds the chance of a constant: the last operation adds or takes a number of 988, and products are
// spread wider. A test measures it.
const calculatorGuess = 0.001

// GuessRate is the chance of the commonest result.
func (c calculator) GuessRate(s Setting) (float64, error) {
	_, err := plainDifficulty(c.Name(), s)
	return calculatorGuess, err
}

// Degenerate answers are constants, hedges, the expression itself and what no number is.
func (calculator) Degenerate(i Instance) []string {
	_, rest, _ := strings.Cut(i.Prompt, "Compute ")
	text, _, _ := strings.Cut(rest, " with")
	constant := "1"
	if i.Reference == constant {
		constant = "2"
	}
	return []string{
		"", " ", i.Prompt, " #### ", " #### " + constant, " #### " + i.Reference + "1", " #### " + text + " or " + i.Reference, " #### inf", " #### nan",
		" #### " + constant + ", " + i.Reference, " #### " + i.Reference + " #### " + constant, " #### x",
	}
}
