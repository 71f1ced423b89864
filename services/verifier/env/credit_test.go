package env

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestCredit(t *testing.T) {
	near := func(a, b []float64) bool {
		return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) < 1e-12 })
	}
	sum := 1 + .95 + .95*.95
	for _, c := range []struct {
		credit   Credit
		reward   float64
		progress []float64
		want     []float64
	}{
		{LastTurn, 1, []float64{0, 0, 0}, []float64{0, 0, 1}},
		{Uniform, 1, []float64{0, 0, 0, 0}, []float64{.25, .25, .25, .25}},
		{Discounted, 1, []float64{0, 0, 0}, []float64{.95 * .95 / sum, .95 / sum, 1 / sum}},
		{TurnVerifier, 1, []float64{.5, .5, .75}, []float64{.5, 0, .5}},
		{TurnVerifier, 0, []float64{.5, 1}, []float64{.5, -.5}},
		{Uniform, 0, []float64{0, 0}, []float64{0, 0}},
	} {
		if got := c.credit.Assign(c.reward, c.progress); !near(got, c.want) {
			t.Errorf("%s of %v: %v, want %v", c.credit, c.reward, got, c.want)
		}
	}
	for _, c := range []Credit{LastTurn, Uniform, Discounted, TurnVerifier} {
		if got := c.Assign(1, nil); got != nil {
			t.Errorf("%s without turns: %v", c, got)
		}
	}
	if _, err := ParseCredit("all"); err == nil {
		t.Error("an unknown credit was taken")
	}
	if c, err := ParseCredit(""); err != nil || c != LastTurn {
		t.Errorf("the default is %v, %v", c, err)
	}
}

func TestCreditSumsToTheReward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		credit := rapid.SampledFrom([]Credit{LastTurn, Uniform, Discounted, TurnVerifier}).Draw(t, "credit")
		reward := rapid.Float64Range(-1, 1).Draw(t, "reward")
		progress := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 200).Draw(t, "progress")
		sum := 0.0
		for _, x := range credit.Assign(reward, progress) {
			sum += x
		}
		if math.Abs(sum-reward) > 1e-12 {
			t.Fatalf("%s: %v, want %v", credit, sum, reward)
		}
	})
}
