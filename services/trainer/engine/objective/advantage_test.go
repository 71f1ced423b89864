package objective

import (
	"math"
	"math/rand/v2"
	"testing"
)

var none = math.NaN() // an unscored row in the tables below

func rewards(size int, vs ...float64) []Reward {
	out := make([]Reward, len(vs))
	for i, v := range vs {
		out[i] = Reward{Value: v, Scored: !math.IsNaN(v), Group: i / size}
	}
	return out
}

func TestAdvantages(t *testing.T) {
	zero, tiny := 0.0, 1e-6
	two := []float64{1, 0, 0, 1, .5, 0, 1, 1}
	for _, c := range []struct {
		name         string
		est          Estimator
		p            AdvantageParams
		size         int
		in           []float64
		want         []float64
		tol          float64
		zeroStd      float64
		noSignal     float64
		reward, std  float64
		rewardAbsent bool
	}{
		{name: "group_std", est: GroupStd, size: 4, in: two, tol: 6e-7, reward: .5625, std: .495516,
			want: []float64{.865875, -.865875, -.865875, .865875, -.261062, -1.305310, .783186, .783186}},
		{name: "group_mean", est: GroupMean, size: 4, in: two, tol: 1e-12, reward: .5625, std: .495516,
			want: []float64{.5, -.5, -.5, .5, -.125, -.625, .375, .375}},
		{name: "batch_std", est: BatchStd, size: 4, in: two, tol: 6e-7, reward: .5625, std: .495516,
			want: []float64{1.008846, -1.008846, -1.008846, 1.008846, -.252212, -1.261058, .756635, .756635}},
		{name: "rloo", est: RLOO, size: 4, in: two, tol: 6e-7, reward: .5625, std: .495516,
			want: []float64{.666667, -.666667, -.666667, .666667, -.166667, -.833333, .5, .5}},
		{name: "eps of verl", est: GroupStd, p: AdvantageParams{Eps: &tiny}, size: 4, in: two, tol: 6e-10, reward: .5625, std: .495516,
			want: []float64{.866023904, -.866023904, -.866023904, .866023904, -.261115938, -1.305579692, .783347815, .783347815}},
		{name: "flat group", est: GroupStd, size: 4, in: []float64{1, 1, 1, 1, 0, 1, 0, 0}, tol: 6e-5, zeroStd: .5, noSignal: .5, reward: .625, std: .517549,
			want: []float64{0, 0, 0, 0, -.4999, 1.4997, -.4999, -.4999}},
		{name: "unscored row", est: GroupStd, size: 4, in: []float64{1, none, 0, 1, .5, 0, 1, 1}, tol: 6e-7, reward: .642857, std: .475595,
			want: []float64{.577250, 0, -1.154501, .577250, -.261062, -1.305310, .783186, .783186}},
		{name: "unscored group", est: GroupStd, size: 4, in: []float64{none, none, none, none, .5, 0, 1, 1}, tol: 6e-7, noSignal: .5, reward: .625, std: .478714,
			want: []float64{0, 0, 0, 0, -.261062, -1.305310, .783186, .783186}},
		{name: "one scored row", est: GroupStd, size: 4, in: []float64{none, none, none, 1, .5, 0, 1, 1}, tol: 6e-7, noSignal: .5, reward: .7, std: .447214,
			want: []float64{0, 0, 0, 0, -.261062, -1.305310, .783186, .783186}},
		{name: "one of eight", est: GroupStd, size: 8, in: []float64{1, 0, 0, 0, 0, 0, 0, 0}, tol: 6e-7, reward: .125, std: .353553,
			want: []float64{2.474174, -.353453, -.353453, -.353453, -.353453, -.353453, -.353453, -.353453}},
		{name: "maxrl", est: MaxRL, size: 4, in: []float64{1, 0, 0, 0}, tol: 1e-12, reward: .25, std: .5, want: []float64{3, -1, -1, -1}},
		{name: "population without eps", est: GroupStd, p: AdvantageParams{Population: true, Eps: &zero}, size: 2, in: []float64{0, 1},
			tol: 1e-12, reward: .5, std: math.Sqrt(.5), want: []float64{-1, 1}},
		{name: "nothing scored", est: GroupStd, size: 2, in: []float64{none, none}, noSignal: 1, rewardAbsent: true, want: []float64{0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Advantages(c.est, rewards(c.size, c.in...), c.p)
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.want {
				near(t, "advantage", got.Advantages[i], c.want[i], c.tol)
			}
			near(t, "frac_zero_std", got.FracZeroStd(), c.zeroStd, 0)
			near(t, "frac_no_signal", got.FracNoSignal(), c.noSignal, 0)
			m := got.Metrics()
			if _, ok := m["reward.mean"]; ok == c.rewardAbsent {
				t.Errorf("reward.mean present: %v", ok)
			}
			if !c.rewardAbsent {
				near(t, "reward", m["reward.mean"], c.reward, 6e-7)
				near(t, "reward_std", m["reward.std_batch"], c.std, 6e-7)
			}
		})
	}
}

// What is not a number is not a reward of 0 and not a reward of 1: it is out, and counted.
func TestNonFiniteRewardIsUnscored(t *testing.T) {
	in := rewards(4, 1, 0, 0, 1)
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		spoiled := append([]Reward{}, in...)
		spoiled[1] = Reward{Value: bad, Scored: true}
		missing := append([]Reward{}, in...)
		missing[1] = Reward{}
		a, errA := Advantages(GroupStd, spoiled, AdvantageParams{})
		b, errB := Advantages(GroupStd, missing, AdvantageParams{})
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if a.NonFinite != 1 || b.NonFinite != 0 {
			t.Errorf("NonFinite = %d and %d, want 1 and 0", a.NonFinite, b.NonFinite)
		}
		for i := range in {
			near(t, "advantage", a.Advantages[i], b.Advantages[i], 0)
		}
	}
}

func TestAdvantagesRefuse(t *testing.T) {
	if _, err := Advantages(GroupStd, rewards(1, 1, 0), AdvantageParams{}); err == nil {
		t.Error("groups of one row were accepted")
	}
	if _, err := Advantages("mean", rewards(2, 1, 0), AdvantageParams{}); err == nil {
		t.Error("an unknown estimator was accepted")
	}
}

// Permuting rows permutes advantages; an unscored row more changes no other row.
func TestAdvantagesProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, e := range Estimators() {
		in := make([]Reward, 24)
		for i := range in {
			in[i] = Reward{Value: rng.Float64(), Scored: rng.IntN(5) > 0, Group: i % 4}
		}
		base, err := Advantages(e, in, AdvantageParams{})
		if err != nil {
			t.Fatal(err)
		}
		perm := rng.Perm(len(in))
		shuffled := make([]Reward, len(in))
		for i, j := range perm {
			shuffled[i] = in[j]
		}
		got, err := Advantages(e, shuffled, AdvantageParams{})
		if err != nil {
			t.Fatal(err)
		}
		for i, j := range perm {
			near(t, string(e)+" permuted", got.Advantages[i], base.Advantages[j], 1e-12)
		}
		more, err := Advantages(e, append(in, Reward{Group: 2}), AdvantageParams{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range in {
			near(t, string(e)+" with an unscored row", more.Advantages[i], base.Advantages[i], 0)
		}
	}
}
