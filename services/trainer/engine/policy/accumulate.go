package policy

import (
	"context"
	"errors"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/ort"
	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// accumulated adds the micro-batches' gradients and applies the sum. The weights of the loss were computed over the whole
// batch, so the sum is the gradient of the batch and nothing is divided here.
func (p *Policy) accumulated(ctx context.Context, rows []engine.TrainRow, micro, T int, h engine.Hyper, hv []float32, m *measures) (float32, error) {
	if err := p.gradient(ctx, rows, micro, T, h, hv, m); err != nil {
		return 0, err
	}
	s, err := p.cache.Get(ort.Key{Kind: "apply"}, true, func() (*tg.Graph, error) { return llama.Apply(p.cfg) })
	if err != nil {
		return 0, err
	}
	v, gn := ort.Values{}, make([]float32, 1)
	err = errors.Join(p.bindState(v), v.F32("grad", p.sum, len(p.sum)), v.F32("hyper", hv, len(hv)), v.F32("grad_norm", gn, 1))
	if err == nil {
		err = s.Run(ctx, v)
	}
	return gn[0], errors.Join(err, v.Close())
}

// gradient leaves the batch's gradient in p.sum.
func (p *Policy) gradient(ctx context.Context, rows []engine.TrainRow, micro, T int, h engine.Hyper, hv []float32, m *measures) (err error) {
	n, bonus := len(p.now.p), h.EntropyCoef != 0
	if p.sum == nil {
		p.sum, p.grads = make([]float32, n), make([]float32, n)
	}
	clear(p.sum)
	w, err := p.weights(false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	for at := 0; at < len(rows); at += micro {
		part := rows[at:min(at+micro, len(rows))]
		B := ort.TrainRows(len(part))
		s, err := p.cache.Get(trainKey("grad", bonus, B, T), true, func() (*tg.Graph, error) { return llama.Grad(p.cfg, B, T, bonus) })
		if err != nil {
			return err
		}
		own, out := ort.Values{}, make([]float32, llama.NumMeasures)
		err = errors.Join(fill(part, B, T).bind(own, B, T, hv), own.F32("measures", out, len(out)), own.F32("grad", p.grads, n))
		if err == nil {
			err = s.Run(ctx, merge(w, own))
		}
		if err := errors.Join(err, own.Close()); err != nil {
			return err
		}
		for i, g := range p.grads {
			p.sum[i] += g
		}
		m.add(out)
	}
	return nil
}

// Gradient is the flat gradient of a batch's loss, without an update: for checks.
func (p *Policy) Gradient(ctx context.Context, b engine.Batch, h engine.Hyper) (loss float64, grad []float32, err error) {
	onPolicy, longest, err := p.checkBatch(b, h)
	if err != nil {
		return 0, nil, err
	}
	micro := h.MicroBatch
	if micro < 1 {
		micro = len(b.Rows)
	}
	m := newMeasures()
	T := ort.Tokens(longest, p.cfg.Context)
	if err := p.gradient(ctx, b.Rows, min(micro, ort.MaxRows), T, h, hyper(h, onPolicy, trained(b.Rows), 1), m); err != nil {
		return 0, nil, err
	}
	return m.sum[llama.MLoss], append([]float32(nil), p.sum...), nil
}
