package recorder

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/deeds"
	"github.com/provenir/provenir/services/recorder/publish"
	"github.com/provenir/provenir/services/recorder/store"
)

// mark says that a run has findings to take over.
func (s *Service) mark(l *live) {
	s.mu.Lock()
	s.dirty[l] = true
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// projectRetry is the wait after the database failed.
const projectRetry = time.Second

// project takes findings from the logs to the tables until ctx ends. What several runs found meanwhile is one transaction:
// a commit costs as much as some hundred rows.
func (s *Service) project(ctx context.Context) error {
	for {
		s.mu.Lock()
		todo := s.dirty
		s.dirty = map[*live]bool{}
		s.mu.Unlock()
		p := projection{s: s}
		for l := range todo {
			if err := p.gather(ctx, l); err != nil {
				p.wait(ctx, l, err)
			}
		}
		p.store(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.pause(ctx, p.failed); err != nil {
			return err
		}
	}
}

func (s *Service) pause(ctx context.Context, failed bool) error {
	wake := s.wake
	var again <-chan time.Time
	if failed {
		t := s.d.Clock.NewTimer(projectRetry)
		defer t.Stop()
		wake, again = nil, t.C()
	}
	select {
	case <-wake:
	case <-again:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// takeAtOnce bounds the records of a transaction.
const takeAtOnce = 256

// projection is one pass over the runs that have something to take.
type projection struct {
	s      *Service
	parts  []part // of the transaction that is made up
	n      uint64 // records of it
	failed bool   // a run waits for the next pass
}

// part is what a transaction takes of a run.
type part struct {
	l *live
	publish.Part
}

// wait puts a run off to the next pass.
func (p *projection) wait(ctx context.Context, l *live, err error) {
	if ctx.Err() != nil {
		return
	}
	p.s.d.Log.Error("findings wait in the log", "run", l.run.ID, "error", err.Error())
	p.s.mu.Lock()
	p.s.dirty[l] = true
	p.s.mu.Unlock()
	p.failed = true
}

// gather adds what a run's findings have to take, and stores when that is enough for a transaction.
func (p *projection) gather(ctx context.Context, l *live) error {
	findings := l.log(ledger.Findings)
	if findings.Broken() == nil {
		if err := findings.Flush(ctx); err != nil {
			return err
		}
	}
	if !l.placed {
		next, _, err := publish.Next(ctx, p.s.d.DB, l.tenant, l.run.ID)
		if err != nil {
			return err
		}
		l.place, l.placed = next, true
	}
	sealed := l.run.Sealed() // before the end is read: what comes after a seal comes after it
	c, note := findings.Checkpoint()
	end := min(findings.Durable(), c.Size)
	for next := l.place; ; {
		to := max(next, min(next+takeAtOnce, end))
		if to == next && !sealed {
			return nil
		}
		found, err := readFindings(ctx, l.run.ID, findings, store.Query{From: next, To: to, Types: taken})
		if err != nil {
			return err
		}
		p.parts = append(p.parts, part{l, publish.Part{Tenant: l.tenant, Run: l.run.ID, Found: found, Next: to, Checkpoint: note, Complete: sealed && to >= end}})
		p.n += 1 + to - next
		next = to
		if p.n >= takeAtOnce {
			if p.store(ctx); l.place != next {
				return nil // it waits
			}
		}
		if next >= end {
			return nil
		}
	}
}

// store takes what was gathered. Where that fails each run is tried by itself: one that cannot be taken holds back no other.
func (p *projection) store(ctx context.Context) {
	parts := p.parts
	p.parts, p.n = nil, 0
	if len(parts) == 0 {
		return
	}
	if p.s.takeIn(ctx, parts) == nil {
		return
	}
	for len(parts) > 0 {
		n := 1 // a run's parts follow each other
		for n < len(parts) && parts[n].l == parts[0].l {
			n++
		}
		if err := p.s.takeIn(ctx, parts[:n]); err != nil {
			p.wait(ctx, parts[0].l, err)
		}
		parts = parts[n:]
	}
}

// takeIn is one transaction.
func (s *Service) takeIn(ctx context.Context, parts []part) error {
	take := make([]publish.Part, len(parts))
	found := false
	for i, p := range parts {
		take[i], found = p.Part, found || len(p.Found) > 0
	}
	if err := publish.Take(ctx, s.d.DB, s.messenger, take...); err != nil {
		return err
	}
	for _, p := range parts {
		p.l.place = p.Next
	}
	if found {
		if s.relay != nil {
			s.relay.Wake()
		}
		s.taken.ring()
	}
	return nil
}

// taken is what the tables take of findings: anomalies, and what was done to the log.
var taken = append([]ledger.RecordType{ledger.Anomaly}, deeds.Types...)

// readFindings reads the records of some types from findings.
func readFindings(ctx context.Context, run string, findings *store.Log, q store.Query) ([]publish.Found, error) {
	var found []publish.Found
	for f, err := range findings.Events(ctx, q) {
		if err != nil {
			return nil, err
		}
		x := publish.Found{Seq: f.Seq}
		if f.Type == ledger.Anomaly {
			x.Anomaly, err = anomalyOf(f)
		} else {
			x.Deed, err = deeds.Of(run, f)
		}
		if err != nil {
			return nil, err
		}
		found = append(found, x)
	}
	return found, nil
}

func anomalyOf(f *ledger.Frame) (*recorderv1.Anomaly, error) {
	a := &recorderv1.Anomaly{}
	if err := proto.Unmarshal(f.Stored, a); err != nil {
		return nil, fmt.Errorf("finding %d: %w", f.Seq, err)
	}
	return a, nil
}
