package builtin

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// problem is a task of the demo: 'Q: 27+48=?\nA:' and ' 7+8=15, 2+4+1=7 #### 75\n'.
type problem struct{ prompt, chain, answer string }

func (p problem) completion() string { return p.chain + " #### " + p.answer + "\n" }

// reward is an exact match of what follows ####.
func (p problem) reward(text []byte) float64 {
	_, a, ok := strings.Cut(string(text), "#### ")
	if ok && strings.TrimSuffix(a, "\n") == p.answer {
		return 1
	}
	return 0
}

// generate draws a sum or a difference of two-digit numbers; working is the share that shows it. One problem in eight is
// held out from training.
func generate(rng *rand.Rand, working float64, held bool) problem {
	for {
		a, b := 10+rng.IntN(90), 10+rng.IntN(90)
		plus := rng.IntN(2) == 0
		if !plus && a < b {
			a, b = b, a
		}
		if ((a*131+b*17+a*b)%8 == 0) == held {
			return newProblem(a, b, plus, rng.Float64() < working)
		}
	}
}

func newProblem(a, b int, plus, working bool) problem {
	op, result, low, high := "+", a+b, a%10+b%10, a/10+b/10
	if plus {
		high += low / 10
	} else {
		op, result, low, high = "-", a-b, a%10-b%10, a/10-b/10
		if low < 0 {
			low, high = low+10, high-1
		}
	}
	p := problem{prompt: fmt.Sprintf("Q: %d%s%d=?\nA:", a, op, b), answer: fmt.Sprint(result)}
	if working {
		p.chain = fmt.Sprintf(" %d%s%d=%d, %d%s%d=%d", a%10, op, b%10, low, a/10, op, b/10, high)
	}
	return p
}
