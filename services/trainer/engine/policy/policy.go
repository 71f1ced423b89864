// Package policy holds a network's weights and optimizer state, and samples, scores and steps with them on ONNX Runtime.
//
// It deals in token ids and numbers; folders, tokenizers and configuration files are package builtin's. Its calls do not
// overlap. Weights are one flat vector in the order of llama.Config; the graphs see stretches of it, nothing is copied.
package policy

import (
	"errors"

	"github.com/provenir/provenir/internal/onnx"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/ort"
)

// Policy is a model that learns.
type Policy struct {
	cfg    llama.Config
	frozen []float32 // base weights under adapters; nil when everything is trained
	now    state     // weights and moments
	next   state     // where a step writes; swapped in when the step is good
	t      int       // Adam's step count
	ref    []float32 // trained weights of the frozen reference; nil before BeginStage
	cache  *ort.Cache
	kv     kvCache
	grads  []float32 // one micro-batch's gradient, and their sum
	sum    []float32
}

// state is one half of the ping-pong.
type state struct{ p, m, v []float32 }

func newState(n int) state {
	return state{make([]float32, n), make([]float32, n), make([]float32, n)}
}

// New makes a policy with zero weights, to be filled by Init or through Base and Trained.
func New(rt *onnx.Runtime, cfg llama.Config, s onnx.SessionConfig) (*Policy, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	n := llama.Count(cfg.Trained())
	return &Policy{cfg: cfg, frozen: make([]float32, llama.Count(cfg.Frozen())), now: newState(n), next: newState(n),
		cache: ort.New(rt, s)}, nil
}

// Config of the network.
func (p *Policy) Config() llama.Config { return p.cfg }

// Trained is the flat vector that the optimizer updates. It may be written only between steps, and is another slice
// after each.
func (p *Policy) Trained() []float32 { return p.now.p }

// Frozen is the flat vector of the base under adapters, empty otherwise.
func (p *Policy) Frozen() []float32 { return p.frozen }

// Close frees the sessions.
func (p *Policy) Close() error { return p.cache.Close() }

// BeginStage freezes the present weights as the reference and resets the optimizer.
func (p *Policy) BeginStage() {
	p.ref = append(p.ref[:0], p.now.p...)
	p.ResetOptimizer()
}

// SetReference replaces the reference.
func (p *Policy) SetReference(trained []float32) { p.ref = append(p.ref[:0], trained...) }

// ResetOptimizer forgets the moments: those of one objective mislead the next.
func (p *Policy) ResetOptimizer() {
	clear(p.now.m)
	clear(p.now.v)
	p.t = 0
}

// Moments are Adam's first and second moments and its step count.
func (p *Policy) Moments() (m, v []float32, t int) { return p.now.m, p.now.v, p.t }

// SetStep restores Adam's step count after the moments were written.
func (p *Policy) SetStep(t int) { p.t = t }

// weights binds every weight by name. The reference under adapters is the base by itself: scale 0.
func (p *Policy) weights(reference bool) (ort.Values, error) {
	v := ort.Values{}
	trained, scale := p.now.p, float32(0)
	if p.cfg.LoRA != nil {
		scale = float32(p.cfg.LoRA.Scale())
	}
	if reference {
		trained = p.ref
	}
	errs := []error{bind(v, p.frozen, p.cfg.Frozen()), bind(v, trained, p.cfg.Trained())}
	if p.cfg.LoRA != nil {
		errs = append(errs, v.F32("lora_scale", []float32{scale}, 1))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

func bind(v ort.Values, flat []float32, ps []llama.Param) error {
	at := 0
	for _, p := range ps {
		n := p.Size()
		if err := v.F32(p.Name, flat[at:at+n], p.Shape...); err != nil {
			return err
		}
		at += n
	}
	return nil
}
