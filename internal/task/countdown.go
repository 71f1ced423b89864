package task

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
)

// countdown asks to reach a target from given numbers, each used once, with + - * / and parentheses.
type countdown struct{}

func (countdown) Name() string      { return "countdown" }
func (countdown) Version() string   { return "1" }
func (countdown) Presets() []string { return nil }

func (c countdown) Instance(seed, index uint64, s Setting) (Instance, error) {
	d, err := plainDifficulty(c.Name(), s)
	if err != nil {
		return Instance{}, err
	}
	rng := stream(c.Name(), c.Version(), seed, index)
	numbers, target, solution := c.draw(rng, rising(3, 6, d), int64(rising(10, 50, d)))
	prompt := fmt.Sprintf("Use each of the numbers %s exactly once, with +, -, *, / and parentheses, to make %d. Give the expression behind ####.\nA:",
		joinNumbers(numbers), target)
	sorted := slices.Sorted(slices.Values(numbers))
	return Instance{
		ID: contentID(c.Name(), c.Version(), prompt), Prompt: prompt, Reference: solution, Completion: " #### " + solution, Spec: "countdown",
		Row: jsonText(map[string]any{"numbers": numbers, "target": target}), Difficulty: d,
		Split: splitOf(fmt.Sprintf("%s:%v=%d", c.Name(), sorted, target)), // the same numbers in another order are the same problem
	}, nil
}

// draw makes a random expression with a whole positive value, so that every instance can be solved.
func (countdown) draw(rng *rand.Rand, n int, largest int64) (numbers []int64, target int64, solution string) {
	type part struct {
		value *big.Rat
		text  string
		plain bool // needs no parentheses
	}
	for {
		numbers = numbers[:0]
		var parts []part
		for range n {
			x := 1 + rng.Int64N(largest)
			numbers = append(numbers, x)
			parts = append(parts, part{new(big.Rat).SetInt64(x), fmt.Sprint(x), true})
		}
		for len(parts) > 1 {
			i := rng.IntN(len(parts))
			a := parts[i]
			parts = slices.Delete(parts, i, i+1)
			j := rng.IntN(len(parts))
			b := parts[j]
			op := "+-*/"[rng.IntN(4)]
			v := new(big.Rat)
			switch {
			case op == '+':
				v.Add(a.value, b.value)
			case op == '-':
				v.Sub(a.value, b.value)
			case op == '*':
				v.Mul(a.value, b.value)
			case b.value.Sign() == 0:
				op = '+'
				v.Add(a.value, b.value)
			default:
				v.Quo(a.value, b.value)
			}
			wrap := func(p part) string {
				if p.plain {
					return p.text
				}
				return "(" + p.text + ")"
			}
			parts[j] = part{v, wrap(a) + string(op) + wrap(b), false}
		}
		v := parts[0].value
		if v.IsInt() && v.Sign() > 0 && v.Num().IsInt64() && v.Num().Int64() <= 1000 && !slices.Contains(numbers, v.Num().Int64()) {
			return numbers, v.Num().Int64(), parts[0].text
		}
	}
}

func joinNumbers(numbers []int64) string {
	texts := make([]string, len(numbers))
	for i, n := range numbers {
		texts[i] = fmt.Sprint(n)
	}
	return strings.Join(texts, ", ")
}

// GuessRate is 0: an answer that does not look at the numbers does not use them.
func (c countdown) GuessRate(s Setting) (float64, error) {
	_, err := plainDifficulty(c.Name(), s)
	return 0, err
}

// Degenerate answers name the target, use numbers that are not there, or leave some out.
func (countdown) Degenerate(i Instance) []string {
	_, rest, _ := strings.Cut(i.Prompt, "to make ")
	target, _, _ := strings.Cut(rest, ".")
	return []string{
		"", " ", i.Prompt, " #### ", " #### " + target, " #### " + target + "+0", " #### " + i.Reference + "+0", " #### (" + i.Reference + ")*1",
		" #### " + i.Reference + " or 0", " #### " + i.Reference + "=" + target, " #### 0*(" + i.Reference + ")+" + target, " #### x",
	}
}
