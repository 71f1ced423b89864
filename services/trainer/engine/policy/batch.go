package policy

import (
	"errors"
	"fmt"
	"math"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/ort"
)

// arrays are a micro-batch as the training graphs take it: B rows of T tokens, padded with rows and tokens of weight 0.
type arrays struct {
	ids                    []int64
	mask, weight, old, ref []float32
	adv                    []float32
}

// checkBatch refuses what would train something else than was meant.
func (p *Policy) checkBatch(b engine.Batch, h engine.Hyper) (onPolicy bool, longest int, err error) {
	if len(b.Rows) == 0 {
		return false, 0, errors.New("a step on no rows")
	}
	if trained(b.Rows) == 0 { // Adam would still move the weights along its momentum
		return false, 0, errors.New("a step on rows of which no token carries a weight")
	}
	onPolicy = b.Rows[0].Old == nil
	for i, r := range b.Rows {
		if err := p.checkSequence(r.Tokens, r.Start); err != nil {
			return false, 0, fmt.Errorf("row %d: %w", i, err)
		}
		n := len(r.Tokens) - r.Start
		switch {
		case len(r.Weight) != n:
			return false, 0, fmt.Errorf("row %d: %d weights for %d trained tokens", i, len(r.Weight), n)
		case (r.Old == nil) != onPolicy:
			return false, 0, fmt.Errorf("row %d: some rows have old log probs and some have none", i)
		case !onPolicy && len(r.Old) != n:
			return false, 0, fmt.Errorf("row %d: %d old log probs for %d trained tokens", i, len(r.Old), n)
		case r.Ref == nil && h.KL != 0:
			return false, 0, fmt.Errorf("row %d: a KL coefficient of %g needs reference log probs", i, h.KL)
		case r.Ref != nil && len(r.Ref) != n:
			return false, 0, fmt.Errorf("row %d: %d reference log probs for %d trained tokens", i, len(r.Ref), n)
		}
		longest = max(longest, len(r.Tokens))
	}
	return onPolicy, longest, nil
}

func fill(rows []engine.TrainRow, B, T int) arrays {
	n := B * (T - 1)
	a := arrays{ids: make([]int64, B*T), mask: make([]float32, n), weight: make([]float32, n), old: make([]float32, n),
		ref: make([]float32, n), adv: make([]float32, B)}
	for i, r := range rows {
		for t, id := range r.Tokens {
			a.ids[i*T+t] = int64(id)
		}
		a.adv[i] = r.Advantage
		at := i*(T-1) + r.Start - 1
		for t, w := range r.Weight {
			if w == 0 {
				continue
			}
			a.mask[at+t], a.weight[at+t] = 1, w
			if r.Old != nil {
				a.old[at+t] = r.Old[t]
			}
			if r.Ref != nil {
				a.ref[at+t] = r.Ref[t]
			}
		}
	}
	return a
}

func (a arrays) bind(v ort.Values, B, T int, hyper []float32) error {
	return errors.Join(v.I64("ids", a.ids, B, T), v.F32("mask", a.mask, B, T-1), v.F32("weight", a.weight, B, T-1),
		v.F32("old", a.old, B, T-1), v.F32("ref", a.ref, B, T-1), v.F32("adv", a.adv, B, 1), v.F32("hyper", hyper, len(hyper)))
}

// checkHyper refuses numbers with which a step would spoil the weights without a sign of it in the loss.
func checkHyper(h engine.Hyper) error {
	for _, f := range []struct {
		name     string
		v        float64
		from, to float64
	}{
		{"learning rate", h.LR, 0, 1e3}, {"beta1", h.Beta1, 0, 1 - 1e-9}, {"beta2", h.Beta2, 0, 1 - 1e-9},
		{"Adam epsilon", h.Eps, 1e-30, 1}, {"weight decay", h.WeightDecay, 0, 1e3}, {"max_norm", h.MaxNorm, 0, math.MaxFloat32},
		{"clip_low", h.ClipLow, 0, 1}, {"clip_high", h.ClipHigh, 0, math.MaxFloat32}, {"dual_clip", h.DualClip, 0, math.MaxFloat32},
		{"delta", h.Delta, 0, math.MaxFloat32}, {"KL coefficient", h.KL, 0, math.MaxFloat32},
		{"entropy coefficient", h.EntropyCoef, -math.MaxFloat32, math.MaxFloat32}, {"temperature", h.Temperature, 0, math.MaxFloat32},
	} {
		if !(f.v >= f.from && f.v <= f.to) {
			return fmt.Errorf("%s is %g, want %g to %g", f.name, f.v, f.from, f.to)
		}
	}
	return nil
}

// trained counts the tokens that carry a weight.
func trained(rows []engine.TrainRow) (n int) {
	for _, r := range rows {
		for _, w := range r.Weight {
			if w != 0 {
				n++
			}
		}
	}
	return n
}

// hyper turns the step's settings into the graph's. tokens are those of the whole batch, t is Adam's step count from 1.
func hyper(h engine.Hyper, onPolicy bool, tokens int, t int) []float32 {
	off := func(x float64) float64 {
		if x == 0 {
			return llama.Off
		}
		return x
	}
	temperature := h.Temperature
	if temperature == 0 {
		temperature = 1
	}
	return llama.Hyper{LR: h.LR, Beta1: h.Beta1, Beta2: h.Beta2, Eps: h.Eps, Decay: h.WeightDecay, MaxNorm: off(h.MaxNorm),
		Bias1: bias(h.Beta1, t), Bias2: bias(h.Beta2, t), ClipLow: h.ClipLow, ClipHigh: h.ClipHigh, DualClip: off(h.DualClip),
		Delta: off(h.Delta), KL: h.KL, Entropy: h.EntropyCoef / float64(max(tokens, 1)), OnPolicy: onPolicy,
		Sequence: h.SequenceRatio, InvTemp: 1 / temperature}.Vector()
}
