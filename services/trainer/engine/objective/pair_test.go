package objective

import (
	"math"
	"testing"
)

func TestDPO(t *testing.T) {
	for _, c := range []struct {
		name            string
		x               Sums
		beta, smoothing float64
		h, loss, d      float64
	}{
		{"prefers", Sums{-10, -12, -11, -11.5}, .1, 0, .15, .6209570478, -.0462570155},
		{"smoothed", Sums{-10, -12, -11, -11.5}, .1, .1, .15, .6359570478, math.NaN()},
		{"far off", Sums{-20, -8, -12, -9}, .5, 0, -4.5, 4.5110477448, math.NaN()},
		{"equal to the reference", Sums{-3, -4, -3, -4}, .1, 0, 0, math.Ln2, -.05},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := DPO(c.x, c.beta, c.smoothing)
			near(t, "h", p.H, c.h, 1e-12)
			near(t, "loss", p.Loss, c.loss, 6e-11)
			if !math.IsNaN(c.d) {
				near(t, "dloss/dchosen", p.DChosen, c.d, 6e-11)
			}
			near(t, "symmetry", p.DRejected, -p.DChosen, 0)
		})
	}
}

func TestRewardPair(t *testing.T) {
	for _, c := range []struct{ chosen, rejected, margin, want float64 }{
		{1.2, .3, 0, .3411538747}, {.1, .4, 0, .8543552445}, {1.2, .3, .5, .5130152524},
	} {
		near(t, "loss", RewardPair(c.chosen, c.rejected, c.margin, 0).Loss, c.want, 6e-11)
	}
}

func TestPairGradients(t *testing.T) {
	const h = 1e-6
	losses := map[string]func(c, r float64) Pair{
		"dpo":          func(c, r float64) Pair { return DPO(Sums{c, r, -1, -2}, .3, .1) },
		"ipo":          func(c, r float64) Pair { return IPO(Sums{c, r, -1, -2}, .3) },
		"reward model": func(c, r float64) Pair { return RewardPair(c, r, .2, .01) },
	}
	for name, f := range losses {
		for _, x := range [][2]float64{{-1, -2}, {.5, 3}, {2, -3}} {
			p := f(x[0], x[1])
			near(t, name+" chosen", p.DChosen, (f(x[0]+h, x[1]).Loss-f(x[0]-h, x[1]).Loss)/(2*h), 1e-8)
			near(t, name+" rejected", p.DRejected, (f(x[0], x[1]+h).Loss-f(x[0], x[1]-h).Loss)/(2*h), 1e-8)
		}
	}
	if v := DPO(Sums{-2000, 0, 0, 0}, 10, 0); math.IsInf(v.Loss, 0) || v.Loss != 20000 {
		t.Errorf("a far margin gives %g, want 20000", v.Loss)
	}
}

func TestKL(t *testing.T) {
	logp, ref := []float64{-1, -1, -.2, -3}, []float64{-1, -.5, -1.2, -2}
	want := map[string][]float64{"k1": {0, -.5, 1, -1}, "k2": {0, .125, .5, .5}, "k3": {0, .1487212707, .3678794412, .7182818285}}
	for name, f := range map[string]func(l, r float64) KL{"k1": K1, "k2": K2, "k3": K3} {
		for i := range logp {
			near(t, name, f(logp[i], ref[i]).Value, want[name][i], 6e-11)
		}
	}
	grads := map[string][]float64{"k1": {1, 1, 1}, "k2": {.3, .4, -1}, "k3": {.2591818, .3296800, -1.7182818}}
	for name, f := range map[string]func(l, r float64) KL{"k1": K1, "k2": K2, "k3": K3} {
		for i, x := range [][2]float64{{-1, -1.3}, {-.5, -.9}, {-2, -1}} {
			near(t, name+" gradient", f(x[0], x[1]).Grad, grads[name][i], 6e-8)
		}
	}
	if k := K3(-50, -1); !k.Clamped || math.IsInf(k.Value, 0) || k.Grad != 0 {
		t.Errorf("beyond the clamp: %+v", k)
	}
}

func TestGAE(t *testing.T) {
	for _, c := range []struct {
		gamma, lambda float64
		want          []float64
	}{{1, 1, []float64{6, 5, 3}}, {.5, 1, []float64{2.75, 3.5, 3}}, {1, .5, []float64{3.625, 4.25, 3}}} {
		v := []float64{.5, 1, 1.5}
		adv, ret, err := GAE([]float64{1, 2, 3}, v, c.gamma, c.lambda)
		if err != nil {
			t.Fatal(err)
		}
		for i := range ret {
			near(t, "return", ret[i], c.want[i], 1e-12)
			near(t, "advantage", adv[i], c.want[i]-v[i], 1e-12)
		}
	}
	if _, _, err := GAE([]float64{1}, nil, 1, 1); err == nil {
		t.Error("rewards without values were accepted")
	}
}

func TestOverlong(t *testing.T) {
	for _, c := range []struct {
		n    int
		want float64
	}{{50, 0}, {80, 0}, {90, -.5}, {100, -1}, {110, -1}, {100000, -1}} {
		got, err := Overlong(c.n, 100, 20, 1)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "shaped", got, c.want, 0)
	}
	for _, c := range [][2]int{{100, 0}, {20, 20}} {
		if _, err := Overlong(1, c[0], c[1], 1); err == nil {
			t.Errorf("limit %d with cache %d was accepted", c[0], c[1])
		}
	}
}
