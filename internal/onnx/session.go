//go:build cgo

package onnx

import (
	"context"
	"fmt"

	ort "github.com/yalue/onnxruntime_go"
)

// Session is one compiled model.
type Session struct {
	name     string
	s        *ort.DynamicAdvancedSession
	gate     *Gate
	threads  int
	training bool
}

// Session compiles a model.
func (r *Runtime) Session(model []byte, cfg SessionConfig) (*Session, error) {
	o, threads, err := r.options(cfg)
	if err != nil {
		return nil, err
	}
	defer o.Destroy() // the session has its own copy
	s, err := ort.NewDynamicAdvancedSessionWithONNXData(model, cfg.Inputs, cfg.Outputs, o)
	if err != nil {
		return nil, fmt.Errorf("compile graph %s: %w", cfg.Name, err)
	}
	return &Session{name: cfg.Name, s: s, gate: r.Gate, threads: threads, training: cfg.Training}, nil
}

// Run computes out from in, in the order of the names. Every output has its memory already; an output may be an input
// where the graph allows it (a cache that is written in place). A run that has begun is not broken off.
func (s *Session) Run(ctx context.Context, in, out []*Tensor) error {
	n, err := s.gate.Acquire(ctx, s.threads, s.training)
	if err != nil {
		return fmt.Errorf("run graph %s: %w", s.name, err)
	}
	defer s.gate.Release(n)
	iv, ov := make([]ort.Value, len(in)), make([]ort.Value, len(out))
	for i, t := range in {
		iv[i] = t.v
	}
	for i, t := range out {
		ov[i] = t.v
	}
	if err := s.s.Run(iv, ov); err != nil {
		return fmt.Errorf("run graph %s: %w", s.name, err)
	}
	return nil
}

// Close frees the session.
func (s *Session) Close() error { return s.s.Destroy() }

// Tensor is a view of a Go slice: nothing is copied, and the library reads and writes the slice during Run. The slice
// stays reachable through the tensor, and Go's heap does not move, which is what makes the view sound.
type Tensor struct{ v ort.Value }

// Float32 views data in a shape of at least one axis.
func Float32(data []float32, shape ...int) (*Tensor, error) { return view(data, shape) }

// Int64 views data in a shape of at least one axis.
func Int64(data []int64, shape ...int) (*Tensor, error) { return view(data, shape) }

func view[E ort.TensorData](data []E, shape []int) (*Tensor, error) {
	sh := make(ort.Shape, len(shape))
	for i, d := range shape {
		sh[i] = int64(d)
	}
	v, err := ort.NewTensor(sh, data)
	if err != nil {
		return nil, fmt.Errorf("tensor of shape %v on %d values: %w", shape, len(data), err)
	}
	return &Tensor{v: v}, nil
}

// Close frees the view; the slice stays.
func (t *Tensor) Close() error { return t.v.Destroy() }
