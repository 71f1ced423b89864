package code

import (
	"context"
	"errors"

	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// Runner is the sandbox.
type Runner interface {
	Run(ctx context.Context, j sandbox.Job) (sandbox.Result, error)
	Open(ctx context.Context, j sandbox.Job) (Session, sandbox.Load, error)
	Judge(ctx context.Context, j sandbox.Job, s *sandbox.Suite) (sandbox.Judged, error)
}

// Session is a candidate that is loaded. One Close follows.
type Session interface {
	Call(name string, args plain.Tuple, kwargs plain.Dict) sandbox.Answer
	Close(why *sandbox.Raised, gone bool) (sandbox.Result, error)
}

// On runs jobs in a pool.
func On(p *sandbox.Pool) Runner { return pooled{p} }

type pooled struct{ pool *sandbox.Pool }

// hardened is a runner that also has a kernel of its own for jobs.
type hardened interface{ gVisor() (Runner, error) }

// kernelOfItsOwn is the runner of isolation=gvisor. Whether runsc is there is seen at the first job.
func kernelOfItsOwn(run Runner) (Runner, error) {
	h, ok := run.(hardened)
	if !ok {
		return run, errors.New("this sandbox has no kernel of its own for jobs; namespaces are")
	}
	return h.gVisor()
}

func (r pooled) gVisor() (Runner, error) {
	p, err := r.pool.GVisor()
	if err != nil {
		return nil, err
	}
	return On(p), nil
}

func (r pooled) Run(ctx context.Context, j sandbox.Job) (sandbox.Result, error) {
	return r.pool.Run(ctx, j)
}

func (r pooled) Open(ctx context.Context, j sandbox.Job) (Session, sandbox.Load, error) {
	s, l, err := r.pool.Open(ctx, j)
	if err != nil {
		return nil, l, err // a nil *sandbox.Session in an interface would not be nil
	}
	return s, l, nil
}

func (r pooled) Judge(ctx context.Context, j sandbox.Job, s *sandbox.Suite) (sandbox.Judged, error) {
	return r.pool.Judge(ctx, j, s)
}
