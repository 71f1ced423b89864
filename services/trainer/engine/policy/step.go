package policy

import (
	"context"
	"errors"
	"math"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/ort"
	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// microRows is the largest micro-batch the engine chooses by itself, and microTokens bounds rows × padded length:
// activations grow with it, speed does not.
const (
	microRows   = 128
	microTokens = 8192
)

// Step makes one optimizer step over the whole batch. Micro-batches are taken in row order and their gradients added in
// that order, so that the result does not depend on timing.
func (p *Policy) Step(ctx context.Context, b engine.Batch, h engine.Hyper) (engine.StepResult, error) {
	onPolicy, longest, err := p.checkBatch(b, h)
	if err != nil {
		return engine.StepResult{}, err
	}
	if err := checkHyper(h); err != nil {
		return engine.StepResult{}, err
	}
	T := ort.Tokens(longest, p.cfg.Context)
	micro := h.MicroBatch
	if micro < 1 { // a power of two: anything else would be padded to one
		for micro = microRows; micro > 1 && micro*T > microTokens; {
			micro /= 2
		}
	}
	hv := hyper(h, onPolicy, trained(b.Rows), p.t+1)
	m := newMeasures()
	var norm float32
	if len(b.Rows) <= min(micro, ort.MaxRows) {
		norm, err = p.fused(ctx, b.Rows, T, h, hv, m)
	} else {
		norm, err = p.accumulated(ctx, b.Rows, min(micro, ort.MaxRows), T, h, hv, m)
	}
	if err != nil {
		return engine.StepResult{}, err
	}
	res := engine.StepResult{Applied: true, Metrics: m.metrics(h, onPolicy, b.Rows[0].Ref != nil)}
	res.Metrics["optim.grad_norm"] = float64(norm)
	if loss := m.sum[llama.MLoss]; !finite(loss) || !finite(float64(norm)) {
		res.Applied, res.Reason = false, "NON_FINITE"
		return res, nil
	}
	p.now, p.next = p.next, p.now
	p.t++
	return res, nil
}

// fused is a step in one run.
func (p *Policy) fused(ctx context.Context, rows []engine.TrainRow, T int, h engine.Hyper, hv []float32, m *measures) (norm float32, err error) {
	B, bonus := ort.TrainRows(len(rows)), h.EntropyCoef != 0
	s, err := p.cache.Get(trainKey("step", bonus, B, T), true, func() (*tg.Graph, error) { return llama.Step(p.cfg, B, T, bonus) })
	if err != nil {
		return 0, err
	}
	v, err := p.weights(false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	out, gn := make([]float32, llama.NumMeasures), make([]float32, 1)
	if err := errors.Join(fill(rows, B, T).bind(v, B, T, hv), p.bindState(v),
		v.F32("measures", out, len(out)), v.F32("grad_norm", gn, 1)); err != nil {
		return 0, err
	}
	if err := s.Run(ctx, v); err != nil {
		return 0, err
	}
	m.add(out)
	return gn[0], nil
}

// bindState gives the optimizer its inputs and the memory for its outputs.
func (p *Policy) bindState(v ort.Values) error {
	n := len(p.now.p)
	return errors.Join(v.F32("p", p.now.p, n), v.F32("m", p.now.m, n), v.F32("v", p.now.v, n),
		v.F32("p_out", p.next.p, n), v.F32("m_out", p.next.m, n), v.F32("v_out", p.next.v, n))
}

func trainKey(kind string, bonus bool, B, T int) ort.Key {
	if bonus {
		kind += "-entropy"
	}
	return ort.Key{Kind: kind, Rows: B, Tokens: T}
}

// bias is 1 − βᵗ.
func bias(beta float64, t int) float64 { return 1 - math.Pow(beta, float64(t)) }

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
