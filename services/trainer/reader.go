package trainer

import (
	"bytes"
	"context"
	"sync"

	"google.golang.org/protobuf/proto"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/trainer/engine"
)

// reader keeps one engine open for Generate and Score, beside the training one: an evaluation asks the same checkpoint
// many times, and the next one has the same shape, so that only its weights are loaded.
type reader struct {
	open func(ctx context.Context, c *trainerv1.Checkpoint) (engine.Engine, error)

	mu     sync.Mutex // held over a call: an engine's calls never overlap
	engine engine.Engine
	shape  []byte // config.json of what is open
	digest []byte // of the weights that are loaded
}

// use calls f with an engine that holds the checkpoint.
func (r *reader) use(ctx context.Context, c *trainerv1.Checkpoint, load func() ([]byte, func(engine.Engine) error, error), f func(engine.Engine) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.engine != nil && bytes.Equal(r.digest, c.GetDigest()) {
		return f(r.engine)
	}
	shape, into, err := load()
	if err != nil {
		return err
	}
	if r.engine != nil && bytes.Equal(shape, r.shape) {
		r.digest = nil // while it loads it holds neither
		if err := into(r.engine); err != nil {
			return err
		}
		r.digest = bytes.Clone(c.GetDigest())
		return f(r.engine)
	}
	if r.engine != nil {
		if err := r.engine.Close(); err != nil {
			return err
		}
		r.engine, r.digest = nil, nil
	}
	e, err := r.open(ctx, proto.CloneOf(c))
	if err != nil {
		return err
	}
	r.engine, r.shape, r.digest = e, shape, bytes.Clone(c.GetDigest())
	return f(e)
}

func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.engine == nil {
		return nil
	}
	e := r.engine
	r.engine = nil
	return e.Close()
}
