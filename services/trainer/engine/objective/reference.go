package objective

import (
	"fmt"
	"math"
)

// Case is a batch of ragged rows: one number a completion token.
type Case struct {
	LogP      [][]float64
	Old       [][]float64 // nil: on-policy
	Ref       [][]float64 // nil: no reference
	Sampling  [][]float64 // the sampler's own log probs; nil: none
	Entropy   [][]float64 // nil: unknown
	Advantage [][]float64 // one a token; PerRow spreads one a row
	Mask      [][]bool    // nil: every token counts
}

// PerRow gives each token of a row the row's advantage.
func PerRow(adv []float64, like [][]float64) [][]float64 {
	out := make([][]float64, len(like))
	for i := range like {
		out[i] = make([]float64, len(like[i]))
		for t := range out[i] {
			out[i][t] = adv[i]
		}
	}
	return out
}

// Outcome is the loss, dloss/dlogp, and the metrics that could be computed, under the recorder's names.
type Outcome struct {
	Loss    float64
	Grad    [][]float64
	Metrics map[string]float64
}

// Reference computes a row's loss in float64 with its exact gradient. It is the judge of the engine's graph and of
// losses that other engines report.
func Reference(r Row, c Case) (Outcome, error) {
	if err := r.Check(); err != nil {
		return Outcome{}, err
	}
	if c.Mask == nil {
		n := make([]int, len(c.LogP))
		for i := range n {
			n[i] = len(c.LogP[i])
		}
		c.Mask = Lengths(n...)
	}
	if r.OnPolicy {
		c.Old = nil
	}
	if err := c.check(r); err != nil {
		return Outcome{}, err
	}
	w, err := weights(r.Params, c.Mask)
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Grad: make([][]float64, len(c.LogP))}
	var st stats
	policy, kl := 0.0, 0.0
	for i := range c.LogP {
		out.Grad[i] = make([]float64, len(c.LogP[i]))
		ratio := c.ratios(r, i)
		is := c.weights(r, i)
		seqGrad, n := 0.0, 0.0
		for t := range c.LogP[i] {
			if !c.Mask[i][t] {
				continue
			}
			n++
			tm := r.term(ratio[t], c.Advantage[i][t], c.LogP[i][t])
			policy += w[i][t] * is[t] * tm.value
			if g := w[i][t] * is[t] * tm.grad; r.SequenceRatio {
				seqGrad += g // ρ is the row's, its log the mean of the row's tokens
			} else {
				out.Grad[i][t] += g
			}
			if r.Params.KL != 0 {
				v, g := r.klTerm(c.LogP[i][t], c.Ref[i][t], ratio[t], c.Old != nil)
				kl += w[i][t] * r.Params.KL * v
				out.Grad[i][t] += w[i][t] * r.Params.KL * g
			}
			st.token(tm, ratio[t])
		}
		if r.SequenceRatio && n > 0 {
			for t, on := range c.Mask[i] {
				if on {
					out.Grad[i][t] += seqGrad / n
				}
			}
		}
		st.row(c, i)
	}
	out.Loss = policy + kl
	if r.Params.EntropyCoef != 0 {
		out.Loss -= r.Params.EntropyCoef * st.entropy / st.tokens
	}
	out.Metrics = st.metrics(r, c)
	out.Metrics["loss.policy"], out.Metrics["loss.total"] = policy, out.Loss
	return out, nil
}

func (c Case) check(r Row) error {
	need := func(name string, v [][]float64, wanted bool) error {
		if v == nil && !wanted {
			return nil
		}
		if len(v) != len(c.LogP) {
			return fmt.Errorf("objective %s: %s has %d rows, logp has %d", r.Name, name, len(v), len(c.LogP))
		}
		for i := range v {
			if len(v[i]) != len(c.LogP[i]) {
				return fmt.Errorf("objective %s: row %d of %s has %d tokens, logp has %d", r.Name, i, name, len(v[i]), len(c.LogP[i]))
			}
		}
		return nil
	}
	if len(c.Mask) != len(c.LogP) {
		return fmt.Errorf("objective %s: mask has %d rows, logp has %d", r.Name, len(c.Mask), len(c.LogP))
	}
	for i := range c.Mask {
		if len(c.Mask[i]) != len(c.LogP[i]) {
			return fmt.Errorf("objective %s: row %d of mask has %d tokens, logp has %d", r.Name, i, len(c.Mask[i]), len(c.LogP[i]))
		}
	}
	for _, f := range []struct {
		name   string
		v      [][]float64
		wanted bool
	}{
		{"adv", c.Advantage, true}, {"old", c.Old, false}, {"ref", c.Ref, r.Params.KL != 0},
		{"sampling", c.Sampling, r.Params.IS != ""}, {"entropy", c.Entropy, r.Params.EntropyCoef != 0},
	} {
		if err := need(f.name, f.v, f.wanted); err != nil {
			return err
		}
	}
	return nil
}

// ratios are ρ of one row's tokens; for a sequence ratio the same number for all.
func (c Case) ratios(r Row, i int) []float64 {
	out := make([]float64, len(c.LogP[i]))
	sum, n := 0.0, 0.0
	for t := range out {
		d := 0.0
		if c.Old != nil {
			d = c.LogP[i][t] - c.Old[i][t]
		}
		out[t] = math.Exp(d)
		if c.Mask[i][t] {
			sum, n = sum+d, n+1
		}
	}
	if r.SequenceRatio && n > 0 {
		for t := range out {
			out[t] = math.Exp(sum / n)
		}
	}
	return out
}

func (c Case) weights(r Row, i int) []float64 {
	if r.Params.IS != "" {
		old := c.Old
		if old == nil {
			old = c.LogP
		}
		_, w := importance(r.Params.IS, r.Params.ISCap, old[i], c.Sampling[i], c.Mask[i])
		return w
	}
	ones := make([]float64, len(c.LogP[i]))
	for t := range ones {
		ones[t] = 1
	}
	return ones
}
