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

// project takes findings from the logs to the tables until ctx ends.
func (s *Service) project(ctx context.Context) error {
	for {
		s.mu.Lock()
		todo := s.dirty
		s.dirty = map[*live]bool{}
		s.mu.Unlock()
		failed := false
		for l := range todo {
			if err := s.take(ctx, l); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				s.d.Log.Error("findings wait in the log", "run", l.run.ID, "error", err.Error())
				s.mu.Lock()
				s.dirty[l] = true
				s.mu.Unlock()
				failed = true
			}
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

// takeAtOnce bounds a transaction.
const takeAtOnce = 256

// take brings one run's findings up to date.
func (s *Service) take(ctx context.Context, l *live) error {
	findings := l.log(ledger.Findings)
	if findings.Broken() == nil {
		if err := findings.Flush(ctx); err != nil {
			return err
		}
	}
	next, _, err := publish.Next(ctx, s.d.DB, l.tenant, l.run.ID)
	if err != nil {
		return err
	}
	c, note := findings.Checkpoint()
	end := min(findings.Durable(), c.Size)
	for next < end {
		to := min(next+takeAtOnce, end)
		found, err := readFindings(ctx, findings, next, to)
		if err != nil {
			return err
		}
		if err := publish.Take(ctx, s.d.DB, s.messenger, l.tenant, l.run.ID, found, to, note); err != nil {
			return err
		}
		next = to
		if len(found) > 0 {
			if s.relay != nil {
				s.relay.Wake()
			}
			s.taken.ring()
		}
	}
	if l.run.Sealed() {
		return publish.Complete(ctx, s.d.DB, l.tenant, l.run.ID)
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
