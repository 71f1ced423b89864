package env

import (
	"fmt"
	"slices"
)

// Credit says how a reward is shared among turns.
type Credit string

// The ways.
const (
	LastTurn     Credit = "last_turn"     // all to the last
	Uniform      Credit = "uniform"       // R/T each
	Discounted   Credit = "discounted"    // R·γ^(T−1−t)/Σ
	TurnVerifier Credit = "turn_verifier" // differences of progress, and the remainder to the last
)

// gamma of Discounted.
const gamma = 0.95

// ParseCredit reads a name; empty is LastTurn.
func ParseCredit(name string) (Credit, error) {
	if name == "" {
		return LastTurn, nil
	}
	all := []Credit{LastTurn, Uniform, Discounted, TurnVerifier}
	if c := Credit(name); slices.Contains(all, c) {
		return c, nil
	}
	return "", fmt.Errorf("no credit %q; allowed: %v", name, all)
}

// Assign shares a reward among turns, of which it has the progress after each. The shares sum to the reward within 1e-12:
// what rounding leaves goes to the last. No turns have no shares.
func (c Credit) Assign(reward float64, progress []float64) []float64 {
	n := len(progress)
	if n == 0 {
		return nil
	}
	out := make([]float64, n)
	switch c {
	case Uniform:
		for i := range out {
			out[i] = reward / float64(n)
		}
	case Discounted:
		weight, sum := 1.0, 0.0
		for i := n - 1; i >= 0; i-- {
			out[i] = weight
			sum += weight
			weight *= gamma
		}
		for i := range out {
			out[i] *= reward / sum
		}
	case TurnVerifier:
		before := 0.0
		for i, p := range progress {
			out[i], before = p-before, p
		}
	}
	sum := 0.0
	for _, x := range out {
		sum += x
	}
	out[n-1] += reward - sum
	return out
}
