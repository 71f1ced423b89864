package objective

import (
	"math"
	"math/rand/v2"
	"testing"
)

// random is a ragged batch with holes in its masks.
func random(seed uint64, rows int) Case {
	rng := rand.New(rand.NewPCG(seed, 1))
	var c Case
	for range rows {
		n := 1 + rng.IntN(9)
		field := func(base []float64, scale float64) []float64 {
			out := make([]float64, n)
			for t := range out {
				if base != nil {
					out[t] = base[t]
				}
				out[t] += scale * rng.NormFloat64()
			}
			return out
		}
		old := field(nil, 1)
		c.Old = append(c.Old, old)
		c.LogP = append(c.LogP, field(old, .3))
		c.Ref = append(c.Ref, field(old, .3))
		c.Sampling = append(c.Sampling, field(old, .5))
		c.Entropy = append(c.Entropy, field(nil, 1))
		c.Advantage = append(c.Advantage, field(nil, 1))
		m := make([]bool, n)
		for t := range m {
			m[t] = t == 0 || rng.IntN(4) > 0
		}
		c.Mask = append(c.Mask, m)
	}
	return c
}

// Every row's gradient agrees with central differences, whatever is switched on. Clipping has corners; the seeds hit none.
func TestGradientFiniteDifferences(t *testing.T) {
	on := map[string]func(p *Params){
		"plain": func(*Params) {},
		"kl":    func(p *Params) { p.KL = .3 },
		"dual":  func(p *Params) { p.DualClip, p.KL = 1.2, .1 },
		"delta": func(p *Params) { p.Delta = 1.5 + p.ClipHigh },
		"is":    func(p *Params) { p.IS, p.ISCap = TokenTruncate, 1.5 },
	}
	for _, name := range Names() {
		if name == "cispo" {
			continue
		}
		for kind, change := range on {
			t.Run(name+" "+kind, func(t *testing.T) {
				r := row(t, name, change)
				r.OnPolicy = false // flat under finite differences by construction
				c := random(7, 5)
				out, err := Reference(r, c)
				if err != nil {
					t.Fatal(err)
				}
				const h = 1e-6
				for i := range c.LogP {
					for k := range c.LogP[i] {
						at := func(d float64) float64 {
							x := c.LogP[i][k]
							c.LogP[i][k] = x + d
							defer func() { c.LogP[i][k] = x }()
							o, err := Reference(r, c)
							if err != nil {
								t.Fatal(err)
							}
							return o.Loss
						}
						near(t, "dloss/dlogp", out.Grad[i][k], (at(h)-at(-h))/(2*h), 2e-8)
					}
				}
			})
		}
	}
}

// CISPO's ratio is behind a stop-gradient, so that its gradient is that of a weighted log-likelihood.
func TestGradientCISPO(t *testing.T) {
	r := row(t, "cispo", func(p *Params) { p.ClipHigh = 1.2 })
	c := random(7, 5)
	out, err := Reference(r, c)
	if err != nil {
		t.Fatal(err)
	}
	w, err := weights(r.Params, c.Mask)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.LogP {
		for k := range c.LogP[i] {
			ratio := math.Min(math.Exp(c.LogP[i][k]-c.Old[i][k]), 1.2)
			near(t, "dloss/dlogp", out.Grad[i][k], -w[i][k]*ratio*c.Advantage[i][k], 1e-15)
		}
	}
}

func TestReferenceRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		row    string
		change func(p *Params)
		spoil  func(c *Case)
	}{
		{name: "no reference for KL", row: "grpo", change: func(p *Params) { p.KL = .1 }, spoil: func(c *Case) { c.Ref = nil }},
		{name: "ragged old", row: "grpo", spoil: func(c *Case) { c.Old = [][]float64{{1}} }},
		{name: "short mask", row: "grpo", spoil: func(c *Case) { c.Mask = Lengths(6, 4, 2, 4) }},
		{name: "no mask row", row: "grpo", spoil: func(c *Case) { c.Mask = Lengths(6) }},
		{name: "no entropy", row: "grpo", change: func(p *Params) { p.EntropyCoef = 1 }, spoil: func(c *Case) { c.Entropy = nil }},
		{name: "no sampling", row: "grpo", change: func(p *Params) { p.IS, p.ISCap = TokenMask, 2 }, spoil: func(c *Case) { c.Sampling = nil }},
		{name: "row longer than L_max", row: "dr_grpo", change: func(p *Params) { p.MaxLen = 3 }},
		{name: "clip_high below clip_low", row: "dapo", change: func(p *Params) { p.ClipHigh = .1 }},
		{name: "negative clip", row: "grpo", change: func(p *Params) { p.ClipLow = -1 }},
		{name: "dual clip of 1", row: "grpo", change: func(p *Params) { p.DualClip = 1 }},
		{name: "delta inside the clip", row: "grpo", change: func(p *Params) { p.Delta = 1.1 }},
		{name: "unknown aggregation", row: "grpo", change: func(p *Params) { p.Aggregation = "mean" }},
		{name: "unknown IS mode", row: "grpo", change: func(p *Params) { p.IS = "both" }},
		{name: "IS without cap", row: "grpo", change: func(p *Params) { p.IS = TokenMask }},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := f1()
			if c.spoil != nil {
				c.spoil(&in)
			}
			if _, err := Reference(row(t, c.row, c.change), in); err == nil {
				t.Error("was accepted")
			}
		})
	}
}

func TestSurrogateTerms(t *testing.T) {
	r := row(t, "grpo", nil)
	sum := 0.0
	for _, c := range []struct{ a, rho, want float64 }{{1, .5, -.5}, {-1, 1, 1}, {2, 1.5, -2.4}} {
		got := r.term(c.rho, c.a, 0)
		near(t, "term", got.value, c.want, 1e-12)
		sum += got.value
	}
	near(t, "mean", sum/3, -.6333333333333, 1e-12)
}
