package objective

import (
	"math"
	"testing"
)

// Fixture F1: four ragged rows, six tokens at most. Numbers of this file were computed by public trainers' own loss
// functions and again from the formulas; they are printed to ten digits and tested to that precision.
var (
	f1Adv = []float64{1.25, -0.75, 0.40, -1.10}
	f1Old = [][]float64{{-.5, -1.2, -.05, -2.3, -.7, -.1}, {-1, -.3, -3, -.9}, {-.2, -.6}, {-.8, -1.5, -.4, -.02, -2}}
	f1Dlp = [][]float64{{.3, -.1, .02, .5, -.25, 0}, {-.4, .05, .9, -.15}, {.15, -.6}, {-.05, .35, -.3, .01, 1.4}}
	f1Ref = [][]float64{{-.1, .2, 0, -.4, .1, .05}, {.3, -.1, .5, 0}, {-.05, .25}, {.1, -.2, .15, .01, -.6}}
	f1Smp = [][]float64{{.02, -.01, 0, .3, -.05, .01}, {.1, -.02, -.8, .03}, {0, .01}, {-.03, .04, .02, 0, -1.5}}
	f1Ent = [][]float64{{1.2, .4, .1, 2, .8, .3}, {.9, .5, 1.7, .6}, {.2, .7}, {1.1, 1.3, .4, .05, 1.9}}
)

func plus(a, b [][]float64) [][]float64 {
	out := make([][]float64, len(a))
	for i := range a {
		for t := range a[i] {
			out[i] = append(out[i], a[i][t]+b[i][t])
		}
	}
	return out
}

func f1() Case {
	return Case{LogP: plus(f1Old, f1Dlp), Old: f1Old, Ref: plus(f1Old, f1Ref), Sampling: plus(f1Old, f1Smp),
		Entropy: f1Ent, Advantage: PerRow(f1Adv, f1Old)}
}

func row(t *testing.T, name string, change func(p *Params)) Row {
	t.Helper()
	r, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	r.Params.KL, r.Params.MaxLen = 0, 16
	if change != nil {
		change(&r.Params)
	}
	return r
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %.12g, want %.12g", what, got, want)
	}
}

func TestF1Loss(t *testing.T) {
	beta := func(p *Params) { p.KL = .04 }
	is := func(m ISMode) func(*Params) {
		return func(p *Params) { p.IS, p.ISCap, p.ClipHigh = m, 3, .2 }
	}
	for _, c := range []struct {
		name, row string
		change    func(p *Params)
		onPolicy  bool
		want      float64
		tol       float64
	}{
		{name: "grpo", row: "grpo", want: 0.2919324024},
		{name: "grpo beta", row: "grpo", change: beta, want: 0.2991045006},
		{name: "token mean", row: "grpo", change: func(p *Params) { p.Aggregation = TokenMean }, want: 0.2719841575},
		{name: "token mean beta", row: "grpo", change: func(p *Params) { p.Aggregation, p.KL = TokenMean, .04 }, want: 0.2785834750},
		{name: "dr_grpo", row: "dr_grpo", want: 0.0722457918},
		{name: "dr_grpo beta", row: "dr_grpo", change: beta, want: 0.0739987355},
		{name: "cispo", row: "cispo", want: -0.2648780127},
		{name: "cispo beta", row: "cispo", change: beta, want: -0.2582786952},
		{name: "sapo", row: "sapo", want: 0.1759063715},
		{name: "sapo beta", row: "sapo", change: beta, want: 0.1830784697},
		{name: "dual clip 3", row: "grpo", change: func(p *Params) { p.Aggregation, p.DualClip = TokenMean, 3 }, want: 0.2037065126},
		{name: "dual clip 1.5", row: "grpo", change: func(p *Params) { p.Aggregation, p.DualClip = TokenMean, 1.5 }, want: 0.0643122577},
		{name: "sequence mean dual clip 3", row: "grpo", change: func(p *Params) { p.DualClip = 3 }, want: 0.2338964038, tol: 5e-10}, // printed from a float32 mean
		{name: "dapo", row: "dapo", want: 0.2602194516},
		{name: "gspo wide", row: "gspo", change: func(p *Params) { p.ClipLow, p.ClipHigh = .2, .2 }, want: 0.1539936067},
		{name: "gspo", row: "gspo", want: 0.1793320733},
		{name: "delta", row: "grpo", change: func(p *Params) { p.Delta = 1.5 }, want: 0.1064150084},
		{name: "on-policy", row: "grpo", onPolicy: true, want: 0.05},
		{name: "kl by ratio", row: "grpo", change: func(p *Params) { p.KL, p.KLByRatio = .04, true }, want: 0.3053306711},
		{name: "entropy", row: "grpo", change: func(p *Params) { p.EntropyCoef = .01 }, want: 0.2836088730},
		{name: "40 items", row: "grpo", change: func(p *Params) { p.Aggregation, p.NumItems = TokenMean, 40 }, want: 0.1155932669},
		{name: "is token truncate", row: "dapo", change: is(TokenTruncate), want: 0.9453371815},
		{name: "is token mask", row: "dapo", change: is(TokenMask), want: 0.1581513056},
		{name: "is sequence truncate", row: "dapo", change: is(SequenceTruncate), want: 1.6710835857},
		{name: "is sequence mask", row: "dapo", change: is(SequenceMask), want: 0.0724185590},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := f1()
			if c.onPolicy {
				in.Old = nil
			}
			r := row(t, c.row, c.change)
			if c.change != nil && r.Name == "dapo" {
				r.Name = "grpo" // equal clips are refused under the name dapo
			}
			out, err := Reference(r, in)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "loss", out.Loss, c.want, max(c.tol, 6e-11))
		})
	}
}

func TestF1Metrics(t *testing.T) {
	out, err := Reference(row(t, "grpo", func(p *Params) { p.DualClip = 3 }), f1())
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		"kl.ref": 0.1649829, "policy.entropy": 0.8323529, "clip.low": 2. / 17, "clip.high": 2. / 17, "clip.region": 4. / 17,
		"clip.dual": 1. / 17, "mismatch.logp_absdiff.mean": 0.1729411765, "mismatch.logp_absdiff.max": 1.5,
	} {
		got, ok := out.Metrics[name]
		if !ok {
			t.Errorf("%s is absent", name)
		}
		near(t, name, got, want, 5e-8)
	}
	in := f1()
	in.Ref, in.Entropy, in.Old = nil, nil, nil
	out, err = Reference(row(t, "grpo", nil), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"kl.ref", "policy.entropy", "clip.low", "kl.update", "ratio.max", "mismatch.logp_absdiff.mean"} {
		if v, ok := out.Metrics[name]; ok {
			t.Errorf("%s = %g without its inputs, want it absent", name, v)
		}
	}
}

func TestF1SequenceWeights(t *testing.T) {
	in := f1()
	for i, want := range []float64{0.7633794943, 1.9937155332, 0.9900498337, 4.3492351411} {
		raw, _ := importance(SequenceTruncate, 3, in.Old[i], in.Sampling[i], Lengths(len(in.Old[i]))[0])
		near(t, "sequence weight", raw[0], want, 6e-11)
	}
}

func TestF1Gradient(t *testing.T) {
	for _, c := range []struct {
		name, row string
		change    func(p *Params)
		want      [][]float64
	}{
		{"grpo", "grpo", nil, [][]float64{{0, -.047127, -.053135, 0, -.040563, -.052083}, {0, .049278, .115294, .040346},
			{-.058092, -.027441}, {.052318, .078049, 0, .055553, .223036}}},
		{"gspo", "gspo", func(p *Params) { p.ClipLow, p.ClipHigh = .2, .2 }, [][]float64{
			{-.056327, -.056327, -.056327, -.056327, -.056327, -.056327}, {.051805, .051805, .051805, .051805},
			{-.039926, -.039926}, {.072918, .072918, .072918, .072918, .072918}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := Reference(row(t, c.row, c.change), f1())
			if err != nil {
				t.Fatal(err)
			}
			for i := range c.want {
				for k := range c.want[i] {
					near(t, "grad", out.Grad[i][k], c.want[i][k], 6e-7)
				}
			}
		})
	}
}
