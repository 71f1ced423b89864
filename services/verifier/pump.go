package verifier

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/catalog"
	"github.com/provenir/provenir/services/verifier/holdout"
)

// pump is one stream of rollouts. One goroutine receives, one sends, one watches deadlines, and each job has its own,
// of which as many work as there are workers.
type pump struct {
	s      *Service
	stream verifierv1.VerifierService_VerifyRolloutsServer
	spec   *catalog.Compiled
	second *catalog.Compiled // the stricter one; nil without
	draw   holdout.Draw
	runID  string
	limit  time.Duration
	window window

	ctx    context.Context //nolint:containedctx // the pump is the call, and ends with it
	cancel context.CancelCauseFunc
	out    chan outgoing // closed by finish, after the last job and the watcher
	open   deadlines

	mu       sync.Mutex
	closed   bool // no job may begin
	jobs     sync.WaitGroup
	sender   sync.WaitGroup
	watchers sync.WaitGroup
}

// outgoing is a frame with the credit that its verdicts free.
type outgoing struct {
	frame *verifierv1.VerifyRolloutsResponse
	items int
	bytes int64
}

// What becomes of an item: it is pending until its worker, the deadline or the caller claims it, once.
const (
	pending int32 = iota
	claimed
)

// job is some items that came together.
type job struct {
	items []*verifierv1.VerifyItem
	state []atomic.Int32
	since time.Time
	due   time.Time
	done  atomic.Bool
}

func newPump(s *Service, stream verifierv1.VerifierService_VerifyRolloutsServer, c *catalog.Compiled, run string, limit time.Duration) *pump {
	p := &pump{s: s, stream: stream, spec: c, runID: run, limit: limit, out: make(chan outgoing, 64)}
	p.window.maxItems, p.window.maxBytes = s.cfg.WindowItems, s.cfg.WindowBytes
	p.ctx, p.cancel = context.WithCancelCause(stream.Context())
	p.open.wake = make(chan struct{}, 1)
	return p
}

func (p *pump) start() {
	p.sender.Go(p.send)
	p.watchers.Go(p.watch)
}

// run starts a goroutine that may push, unless the pump is ending: what pushes must have ended before out is closed.
func (p *pump) run(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.jobs.Go(f)
	}
}

// finish ends the stream: after the last verdict where the caller closed, at once where something failed.
func (p *pump) finish(err error) error {
	if err != nil {
		p.cancel(err)
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.jobs.Wait()
	p.open.close()
	p.watchers.Wait()
	close(p.out)
	p.sender.Wait()
	if cause := context.Cause(p.ctx); err == nil && cause != nil {
		err = cause
	}
	p.cancel(nil)
	return err
}

// send writes frames, and the credit that they free.
func (p *pump) send() {
	for o := range p.out {
		if p.ctx.Err() != nil {
			continue // nobody reads; let the jobs end
		}
		err := p.stream.Send(o.frame)
		if err == nil {
			p.window.earn(o.items, o.bytes)
			if c := p.window.grant(len(p.out) == 0); c != nil {
				err = p.stream.Send(&verifierv1.VerifyRolloutsResponse{Frame: &verifierv1.VerifyRolloutsResponse_Credit{Credit: c}})
			}
		}
		if err != nil {
			p.cancel(err)
		}
	}
}

func (p *pump) push(o outgoing) {
	select {
	case p.out <- o:
	case <-p.ctx.Done():
	}
}

// begin starts the work on some items.
func (p *pump) begin(items []*verifierv1.VerifyItem, now time.Time) {
	j := &job{items: items, state: make([]atomic.Int32, len(items)), since: now, due: now.Add(p.limit)}
	p.open.add(j)
	p.run(func() {
		defer p.open.finished(j)
		if !p.spec.Waits && p.s.gate.enter(p.ctx) != nil {
			return
		}
		verdicts, heldout := p.judge(j)
		if !p.spec.Waits {
			p.s.gate.leave() // not held across a send
		}
		p.answer(verdicts, heldout)
	})
}

// answer sends what a job found; held-out verdicts in a frame of their own.
func (p *pump) answer(verdicts []sized, heldout []*verifierv1.VerdictItem) {
	if len(verdicts) > 0 {
		o := outgoing{items: len(verdicts)}
		list := make([]*verifierv1.VerdictItem, len(verdicts))
		for i, v := range verdicts {
			list[i] = v.item
			o.bytes += v.bytes
		}
		o.frame = &verifierv1.VerifyRolloutsResponse{Frame: &verifierv1.VerifyRolloutsResponse_Verdicts{Verdicts: &verifierv1.VerdictItems{Items: list}}}
		p.push(o)
	}
	if len(heldout) > 0 {
		p.push(outgoing{frame: &verifierv1.VerifyRolloutsResponse{
			Frame: &verifierv1.VerifyRolloutsResponse_Heldout{Heldout: &verifierv1.VerdictItems{Items: heldout}}}})
	}
}
