package recorder

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"

	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/recorder/deeds"
	"github.com/provenir/provenir/services/recorder/publish"
)

// Auditor keeps the audit log: governance.
type Auditor interface {
	AppendAudit(ctx context.Context, in *governancev1.AppendAuditRequest, opts ...grpc.CallOption) (*governancev1.AppendAuditResponse, error)
}

const (
	auditFirst = time.Second     // wait after a failure, doubled up to
	auditMost  = 5 * time.Minute // which is also how often what was refused is tried again
	auditCall  = 10 * time.Second
	auditAwait = 3 * time.Second // how long an answer waits for its entry
	auditPage  = 100
)

// auditAll brings deeds to the audit log until ctx ends. Nobody waits for it longer than a moment: while governance is away
// the deeds wait in their table, and say so.
func (s *Service) auditAll(ctx context.Context) error {
	wait := auditFirst
	for {
		rang := s.taken.wait()
		err := s.auditPass(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		pause := auditMost
		if err != nil {
			pause, wait, rang = wait, min(2*wait, auditMost), nil
			s.d.Log.Warn("what was done to a log waits to be audited", "again_in", pause.String(), "error", err.Error())
		} else {
			wait = auditFirst
		}
		t := s.d.Clock.NewTimer(pause)
		select {
		case <-t.C():
		case <-rang:
			t.Stop()
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

// auditPass sends what waits, oldest first. A deed that governance refuses keeps no other; one that cannot reach it ends the
// pass.
func (s *Service) auditPass(ctx context.Context) error {
	var errs []error
	for after := uint64(0); ; {
		waiting, last, err := deeds.Waiting(ctx, s.d.DB, after, auditPage)
		if err != nil || len(waiting) == 0 {
			return errors.Join(append(errs, err)...)
		}
		after = last
		for _, d := range waiting {
			err := s.auditOne(ctx, d)
			if err == nil {
				continue
			}
			errs = append(errs, err)
			e := deeds.Failed(ctx, s.d.DB, d, rpc.Message(err))
			s.audited.ring()
			if e != nil {
				return errors.Join(append(errs, e)...)
			}
			if away(err) {
				return errors.Join(errs...)
			}
		}
	}
}

func (s *Service) auditOne(ctx context.Context, d deeds.Deed) error {
	within, cancel := context.WithTimeout(ctx, auditCall)
	defer cancel()
	resp, err := s.d.Auditor.AppendAudit(within, &governancev1.AppendAuditRequest{Event: d.Event, RequestId: d.Request()})
	if err != nil {
		return fmt.Errorf("audit %s: %w", d.Request(), err)
	}
	defer s.audited.ring()
	return deeds.Audited(ctx, s.d.DB, d, resp.GetIndex())
}

// deed says that findings are about to tell of something that was done to the log: should the process end between the record
// and the tables, the next one looks, also at a run that is sealed and done with.
func (l *live) deed(ctx context.Context) error {
	return publish.Reopen(ctx, l.s.d.DB, l.tenant, l.run.ID)
}

// place is a deed's record in a run's findings.
type place struct {
	l   *live
	seq uint64
}

// awaitAudit waits a moment for the audit entries of deeds, so that a verb's own mesh does not end before them. It gives the
// last one's; nil where it has none yet.
func (s *Service) awaitAudit(ctx context.Context, places ...place) (index *uint64) {
	if s.d.Auditor == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, auditAwait)
	defer cancel()
	for _, p := range places {
		index = s.awaitOne(ctx, p)
	}
	return index
}

func (s *Service) awaitOne(ctx context.Context, p place) *uint64 {
	for {
		rang, taken := s.audited.wait(), s.taken.wait()
		d, err := deeds.Get(ctx, s.d.DB, p.l.tenant, p.l.run.ID, p.seq)
		if err == nil && (d.Audited != nil || d.LastError != "") || err != nil && !errors.Is(err, sql.ErrNoRows) {
			return d.Audited
		}
		select {
		case <-rang:
		case <-taken:
		case <-ctx.Done():
			return nil
		}
	}
}

// ListDeeds lists what was done to logs.
func (s *Service) ListDeeds(ctx context.Context, req *recorderv1.ListDeedsRequest) (*recorderv1.ListDeedsResponse, error) {
	size := int(req.GetPageSize())
	if size == 0 {
		size = defaultPage
	}
	list, err := deeds.List(ctx, s.d.DB, tenant(ctx), req.GetRun(), req.GetUnaudited(), size)
	if err != nil {
		return nil, err
	}
	resp := &recorderv1.ListDeedsResponse{}
	if resp.Waiting, err = deeds.Count(ctx, s.d.DB, tenant(ctx)); err != nil {
		return nil, err
	}
	for _, d := range list {
		action := strings.Replace(strings.ToLower(strings.TrimPrefix(d.Event.GetAction().String(), "AUDIT_ACTION_")), "_", ".", 1)
		resp.Deeds = append(resp.Deeds, &recorderv1.Deed{Run: d.Run, FindingSeq: d.Seq, Action: action, By: d.Event.GetBy(), Happened: d.Event.GetHappened(),
			AuditIndex: d.Audited, Attempts: d.Attempts, LastError: d.LastError})
	}
	return resp, nil
}
