package task

import (
	"fmt"
	"math/rand/v2"
)

// demoGuess is the chance of the constant answer 1: differences of 1 are the commonest, 178 of 8,100 pairs, and half of
// the instances are differences.
const demoGuess = 178.0 / 8100 / 2

// demo draws 10…99 + 10…99, or a difference that is not negative. Half of the demonstrations show the working digit by
// digit, as in " 7+5=12, 4+2=7 #### 72": the share decides from how high reinforcement starts, and the working is what
// it then learns to write.
func demo(rng *rand.Rand) (*expression, string) {
	a, b := 10+rng.Int64N(90), 10+rng.Int64N(90)
	op := byte('+')
	if rng.IntN(2) == 0 {
		op = '-'
		a, b = max(a, b), min(a, b)
	}
	e := &expression{op: op, left: number(a), right: number(b)}
	if rng.IntN(2) == 0 {
		return e, ""
	}
	return e, digitWorking(op, a, b)
}

// digitWorking writes ones, then tens; the second result already contains the carry or the borrow.
func digitWorking(op byte, a, b int64) string {
	ones, tens := a%10+b%10, a/10+b/10
	if op == '-' {
		ones, tens = a%10-b%10, a/10-b/10
	}
	switch {
	case op == '+':
		tens += ones / 10
	case ones < 0:
		ones, tens = ones+10, tens-1
	}
	return fmt.Sprintf(" %d%c%d=%d, %d%c%d=%d", a%10, op, b%10, ones, a/10, op, b/10, tens)
}
