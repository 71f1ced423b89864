// Package ort keeps compiled graphs: one session for each (kind, rows, tokens), the least recently used dropped first.
//
// Shapes are static, so every size is a graph of its own; sizes are rounded up to a few (see Rows and Tokens), so that
// compiling, at 10–100 ms each, stays rare.
package ort

import (
	"context"
	"errors"
	"fmt"

	"github.com/provenir/provenir/internal/onnx"
	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// limit is how many sessions are kept: sample, score and train at two sizes, and room for a change.
const limit = 8

// Key names a graph of one model.
type Key struct {
	Kind         string
	Rows, Tokens int
}

// Cache belongs to one policy; its calls do not overlap.
type Cache struct {
	rt   *onnx.Runtime
	cfg  onnx.SessionConfig
	open []entry // most recent last
}

type entry struct {
	key Key
	s   *Session
}

// New keeps sessions on rt. cfg gives threads, spinning and device of all of them.
func New(rt *onnx.Runtime, cfg onnx.SessionConfig) *Cache { return &Cache{rt: rt, cfg: cfg} }

// Session is a compiled graph whose values are bound by name.
type Session struct {
	s       *onnx.Session
	In, Out []*tg.T
}

// Get gives the session of a key, compiling build's graph if it is not there.
func (c *Cache) Get(k Key, training bool, build func() (*tg.Graph, error)) (*Session, error) {
	for i, e := range c.open {
		if e.key == k {
			c.open = append(append(c.open[:i:i], c.open[i+1:]...), e)
			return e.s, nil
		}
	}
	g, err := build()
	if err != nil {
		return nil, err
	}
	cfg := c.cfg
	cfg.Training, cfg.Name = training, fmt.Sprintf("%s[%d,%d]", k.Kind, k.Rows, k.Tokens)
	for _, t := range g.Inputs() {
		cfg.Inputs = append(cfg.Inputs, t.Name())
	}
	for _, t := range g.Outputs() {
		cfg.Outputs = append(cfg.Outputs, t.Name())
	}
	for len(c.open) >= limit {
		if err := c.open[0].s.s.Close(); err != nil {
			return nil, fmt.Errorf("close session %v: %w", c.open[0].key, err)
		}
		c.open = c.open[1:]
	}
	s, err := c.rt.Session(g.Marshal(), cfg)
	if err != nil {
		return nil, err
	}
	e := entry{k, &Session{s: s, In: g.Inputs(), Out: g.Outputs()}}
	c.open = append(c.open, e)
	return e.s, nil
}

// Close frees every session.
func (c *Cache) Close() error {
	var errs []error
	for _, e := range c.open {
		errs = append(errs, e.s.s.Close())
	}
	c.open = nil
	return errors.Join(errs...)
}

// Run computes the graph. Every input and output must be in v; what the graph does not have is ignored.
func (s *Session) Run(ctx context.Context, v Values) error {
	call, err := s.Bind(v)
	if err != nil {
		return err
	}
	return call.Run(ctx)
}

// Call is a session with its values bound, for loops that change the values' contents only.
type Call struct {
	s       *onnx.Session
	in, out []*onnx.Tensor
}

// Bind orders the values as the session wants them.
func (s *Session) Bind(v Values) (Call, error) {
	c := Call{s: s.s}
	for _, t := range s.In {
		x, ok := v[t.Name()]
		if !ok {
			return c, fmt.Errorf("no value for input %s", t.Name())
		}
		c.in = append(c.in, x)
	}
	for _, t := range s.Out {
		x, ok := v[t.Name()]
		if !ok {
			return c, fmt.Errorf("no memory for output %s", t.Name())
		}
		c.out = append(c.out, x)
	}
	return c, nil
}

// Run computes once.
func (c Call) Run(ctx context.Context) error { return c.s.Run(ctx, c.in, c.out) }
