package recorder

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
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
		var t taking
		failed := false
		wait := func(l *live, err error) {
			if ctx.Err() != nil {
				return
			}
			s.d.Log.Error("findings wait in the log", "run", l.run.ID, "error", err.Error())
			s.mu.Lock()
			s.dirty[l] = true
			s.mu.Unlock()
			failed = true
		}
		store := func() {
			if err := s.takeIn(ctx, &t); err != nil {
				for l := range t.ends {
					wait(l, err)
				}
			}
			t = taking{}
		}
		for l := range todo {
			if err := s.gather(ctx, l, &t, store); err != nil {
				wait(l, err)
			}
		}
		store()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.pause(ctx, failed); err != nil {
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

// taking is a transaction that is made up.
type taking struct {
	parts []publish.Part
	ends  map[*live]uint64 // where each run of it will be
	n     uint64           // records
	found bool
}

// gather adds what a run's findings have to take; full stores what was gathered and begins anew.
func (s *Service) gather(ctx context.Context, l *live, t *taking, full func()) error {
	findings := l.log(ledger.Findings)
	if findings.Broken() == nil {
		if err := findings.Flush(ctx); err != nil {
			return err
		}
	}
	if !l.placed {
		next, _, err := publish.Next(ctx, s.d.DB, l.tenant, l.run.ID)
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
		found, err := readFindings(ctx, findings, next, to)
		if err != nil {
			return err
		}
		t.add(l, publish.Part{Tenant: l.tenant, Run: l.run.ID, Found: found, Next: to, Checkpoint: note, Complete: sealed && to >= end}, to-next)
		next = to
		if t.n >= takeAtOnce {
			if full(); l.place != next {
				return nil // it waits
			}
		}
		if next >= end {
			return nil
		}
	}
}

func (t *taking) add(l *live, p publish.Part, records uint64) {
	if t.ends == nil {
		t.ends = map[*live]uint64{}
	}
	t.parts, t.ends[l] = append(t.parts, p), p.Next
	t.n += 1 + records
	t.found = t.found || len(p.Found) > 0
}

// takeIn stores what was gathered.
func (s *Service) takeIn(ctx context.Context, t *taking) error {
	if len(t.parts) == 0 {
		return nil
	}
	if err := publish.Take(ctx, s.d.DB, s.messenger, t.parts...); err != nil {
		return err
	}
	for l, end := range t.ends {
		l.place = end
	}
	if t.found {
		if s.relay != nil {
			s.relay.Wake()
		}
		s.taken.ring()
	}
	return nil
}

func readFindings(ctx context.Context, findings *store.Log, from, to uint64) ([]publish.Found, error) {
	var found []publish.Found
	for f, err := range findings.Events(ctx, store.Query{From: from, To: to, Types: []ledger.RecordType{ledger.Anomaly}}) {
		if err != nil {
			return nil, err
		}
		a := &recorderv1.Anomaly{}
		if err := proto.Unmarshal(f.Stored, a); err != nil {
			return nil, fmt.Errorf("finding %d: %w", f.Seq, err)
		}
		found = append(found, publish.Found{Seq: f.Seq, Anomaly: a})
	}
	return found, nil
}
