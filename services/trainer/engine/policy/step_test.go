package policy

import (
	"math"
	"slices"
	"testing"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/objective"
)

// reference computes a batch's loss and metrics with package objective's float64 from the policy's own log probs.
func reference(t *testing.T, p *Policy, r objective.Row, b engine.Batch) objective.Outcome {
	t.Helper()
	seqs := make([]engine.Sequence, len(b.Rows))
	for i, x := range b.Rows {
		seqs[i] = engine.Sequence{Tokens: x.Tokens, Start: x.Start}
	}
	s, err := p.Score(t.Context(), engine.ScoreRequest{Sequences: seqs})
	if err != nil {
		t.Fatal(err)
	}
	wide := func(v []float32) (out []float64) {
		for _, x := range v {
			out = append(out, float64(x))
		}
		return out
	}
	c := objective.Case{Mask: masks(b)}
	for i, x := range b.Rows {
		c.LogP, c.Entropy = append(c.LogP, wide(s[i].LogProbs)), append(c.Entropy, wide(s[i].Entropy))
		if x.Old != nil {
			c.Old = append(c.Old, wide(x.Old))
		}
		if x.Ref != nil {
			c.Ref = append(c.Ref, wide(x.Ref))
		}
		adv := make([]float64, len(x.Weight))
		for k := range adv {
			adv[k] = float64(x.Advantage)
		}
		c.Advantage = append(c.Advantage, adv)
	}
	out, err := objective.Reference(r, c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The graph against the reference on ragged batches with holes: every row of the table, with everything switched on that
// the row can have. Loss and all metrics agree at 1e-5.
func TestGraphAgainstReference(t *testing.T) {
	p := open(t, small(), 2)
	for _, r := range objective.Table() {
		if !r.Trainable {
			continue
		}
		for name, change := range map[string]func(p *objective.Params){
			"plain":       func(*objective.Params) {},
			"kl":          func(p *objective.Params) { p.KL = .3 },
			"dual clip":   func(p *objective.Params) { p.DualClip = 1.1 },
			"delta":       func(p *objective.Params) { p.Delta = 1.3 },
			"entropy":     func(p *objective.Params) { p.EntropyCoef = .05 },
			"narrow clip": func(p *objective.Params) { p.ClipLow, p.ClipHigh = .02, .03 },
		} {
			t.Run(r.Name+" "+name, func(t *testing.T) {
				r := r
				r.Params.MaxLen = 64
				change(&r.Params)
				b := ragged(t, p, 13, 11)
				weigh(t, &b, r.Params.Aggregation, masks(b))
				if r.OnPolicy {
					for i := range b.Rows {
						b.Rows[i].Old = nil
					}
				}
				h := r.Hyper()
				want := reference(t, p, r, b)
				res, err := p.Step(t.Context(), b, h) // LR is 0: the weights stay
				if err != nil || !res.Applied {
					t.Fatalf("%+v, %v", res, err)
				}
				for k, w := range want.Metrics {
					got, ok := res.Metrics[k]
					if !ok || math.Abs(got-w) > 1e-5*(1+math.Abs(w)) {
						t.Errorf("%s is %.8g (present %v), the reference gives %.8g", k, got, ok, w)
					}
				}
			})
		}
	}
}

// The gradient of the batch is the sum over any split into micro-batches.
func TestMicroBatches(t *testing.T) {
	p := open(t, small(), 2)
	b := ragged(t, p, 50, 12)
	h := row(t, "grpo").Hyper()
	h.EntropyCoef = .02
	loss, want, err := p.Gradient(t.Context(), b, h)
	if err != nil {
		t.Fatal(err)
	}
	for _, micro := range []int{8, 13, 32, 49} {
		h.MicroBatch = micro
		l, g, err := p.Gradient(t.Context(), b, h)
		if err != nil {
			t.Fatal(err)
		}
		if d := relative(g, want); d > 1e-6 || math.Abs(l-loss) > 1e-6 {
			t.Errorf("micro-batches of %d: gradient off by %.1e, loss %g for %g", micro, d, l, loss)
		}
	}
}

// A fused step and an accumulated one end at the same weights, up to the order of sums.
func TestFusedAndAccumulatedAgree(t *testing.T) {
	var ends [][]float32
	var norms []float64
	for _, micro := range []int{0, 16} {
		p := open(t, small(), 2)
		b := ragged(t, p, 50, 12)
		h := row(t, "grpo").Hyper()
		h.LR, h.WeightDecay, h.MicroBatch = 1e-3, .1, micro
		res, err := p.Step(t.Context(), b, h)
		if err != nil || !res.Applied {
			t.Fatalf("%+v, %v", res, err)
		}
		ends, norms = append(ends, p.Trained()), append(norms, res.Metrics["optim.grad_norm"])
	}
	if d := relative(ends[0], ends[1]); d > 1e-5 {
		t.Errorf("the weights differ by %.1e", d)
	}
	if math.Abs(norms[0]-norms[1]) > 1e-5*norms[0] {
		t.Errorf("gradient norms %g and %g", norms[0], norms[1])
	}
}

// AdamW after one step from zero moments moves every weight by LR·sign(g), apart from decay; norms do not decay.
func TestFirstAdamStep(t *testing.T) {
	p := open(t, small(), 2)
	b := ragged(t, p, 20, 13)
	h := row(t, "grpo").Hyper()
	h.LR, h.WeightDecay = 1e-2, .5
	_, g, err := p.Gradient(t.Context(), b, h)
	if err != nil {
		t.Fatal(err)
	}
	before := slices.Clone(p.Trained())
	if _, err := p.Step(t.Context(), b, h); err != nil {
		t.Fatal(err)
	}
	for i, w := range p.Trained() {
		if math.Abs(float64(g[i])) < 1e-4 { // ε matters there
			continue
		}
		want := float64(before[i])
		if i < p.Config().Decayed() {
			want *= 1 - h.LR*h.WeightDecay
		}
		want -= h.LR * math.Copysign(1, float64(g[i]))
		if math.Abs(float64(w)-want) > 2e-5 {
			t.Fatalf("weight %d is %g, want %g", i, w, want)
		}
	}
}

// A row of weight zero changes nothing: not the gradient, not a metric.
func TestMaskedRowChangesNothing(t *testing.T) {
	p := open(t, small(), 2)
	b := ragged(t, p, 10, 14)
	h := row(t, "grpo").Hyper()
	_, want, err := p.Gradient(t.Context(), b, h)
	if err != nil {
		t.Fatal(err)
	}
	extra := b.Rows[0]
	extra.Weight, extra.Advantage = make([]float32, len(extra.Weight)), 9
	b.Rows = append(b.Rows, extra)
	_, got, err := p.Gradient(t.Context(), b, h)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the gradient moved by %.1e", relative(got, want))
	}
}

// What is not finite is not applied: weights, moments and the step count stay, bit for bit.
func TestNonFiniteIsNotApplied(t *testing.T) {
	for name, spoil := range map[string]func(b *engine.Batch){
		"advantage": func(b *engine.Batch) { b.Rows[3].Advantage = float32(math.NaN()) },
		"weight":    func(b *engine.Batch) { b.Rows[3].Weight[0] = float32(math.Inf(1)) },
		"old":       func(b *engine.Batch) { b.Rows[3].Old[0] = float32(math.Inf(-1)) },
	} {
		for _, micro := range []int{0, 8} {
			p := open(t, small(), 2)
			b := ragged(t, p, 20, 15)
			h := row(t, "grpo").Hyper()
			h.LR, h.MicroBatch = 1e-3, micro
			if _, err := p.Step(t.Context(), b, h); err != nil {
				t.Fatal(err)
			}
			m0, _, t0 := p.Moments()
			before, m0 := Digest(p.Trained()), slices.Clone(m0)
			spoil(&b)
			res, err := p.Step(t.Context(), b, h)
			if err != nil {
				t.Fatal(err)
			}
			m1, _, t1 := p.Moments()
			if res.Applied || res.Reason != "NON_FINITE" || Digest(p.Trained()) != before || !slices.Equal(m0, m1) || t0 != t1 {
				t.Errorf("%s with micro-batch %d: applied %v, reason %q", name, micro, res.Applied, res.Reason)
			}
		}
	}
}

func TestStepRefuses(t *testing.T) {
	p := open(t, small(), 1)
	for name, spoil := range map[string]func(b *engine.Batch, h *engine.Hyper){
		"no rows":          func(b *engine.Batch, _ *engine.Hyper) { b.Rows = nil },
		"unknown id":       func(b *engine.Batch, _ *engine.Hyper) { b.Rows[1].Tokens[0] = 40 },
		"negative id":      func(b *engine.Batch, _ *engine.Hyper) { b.Rows[1].Tokens[0] = -1 },
		"start 0":          func(b *engine.Batch, _ *engine.Hyper) { b.Rows[1].Start = 0 },
		"start at the end": func(b *engine.Batch, _ *engine.Hyper) { b.Rows[1].Start = len(b.Rows[1].Tokens) },
		"short weights":    func(b *engine.Batch, _ *engine.Hyper) { b.Rows[1].Weight = nil },
		"some old":         func(b *engine.Batch, _ *engine.Hyper) { b.Rows[1].Old = nil },
		"short old":        func(b *engine.Batch, _ *engine.Hyper) { b.Rows[1].Old = b.Rows[1].Old[:0] },
		"no reference":     func(b *engine.Batch, _ *engine.Hyper) { b.Rows[1].Ref = nil },
		"over the context": func(b *engine.Batch, _ *engine.Hyper) { b.Rows[1].Tokens = make([]int32, 65) },
		"empty row":        func(b *engine.Batch, _ *engine.Hyper) { b.Rows[1].Tokens = nil },
		"no weight at all": func(b *engine.Batch, _ *engine.Hyper) {
			for _, r := range b.Rows {
				clear(r.Weight)
			}
		},
		"LR not a number":  func(_ *engine.Batch, h *engine.Hyper) { h.LR = math.NaN() },
		"no epsilon":       func(_ *engine.Batch, h *engine.Hyper) { h.Eps = 0 },
		"beta of 1":        func(_ *engine.Batch, h *engine.Hyper) { h.Beta2 = 1 },
		"short references": func(b *engine.Batch, _ *engine.Hyper) { b.Rows[1].Ref = b.Rows[1].Ref[:0] },
	} {
		b := ragged(t, p, 3, 16)
		h := row(t, "grpo").Hyper()
		spoil(&b, &h)
		if _, err := p.Step(t.Context(), b, h); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
