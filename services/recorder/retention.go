package recorder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/services/recorder/store"
)

// byRule is who takes payloads away when nobody asked.
const byRule = "recorder"

// PlanRetention says what the rule would take now.
func (s *Service) PlanRetention(ctx context.Context, req *recorderv1.PlanRetentionRequest) (*recorderv1.PlanRetentionResponse, error) {
	resp := &recorderv1.PlanRetentionResponse{Rule: s.cfg.Retain.String()}
	err := s.eachRun(ctx, tenant(ctx), req.GetRun(), func(run string) error {
		r, err := s.retention(ctx, tenant(ctx), run)
		if err != nil {
			return err
		}
		switch {
		case req.GetRun() != "", noteworthy(r):
			resp.Runs = append(resp.Runs, r)
		case r.GetState() == recorderv1.RetentionState_RETENTION_STATE_YOUNG:
			resp.Young++
		case r.GetState() == recorderv1.RetentionState_RETENTION_STATE_RETIRED:
			resp.Retired++
		case r.GetState() == recorderv1.RetentionState_RETENTION_STATE_NOT_SEALED:
			resp.NotSealed++
		}
		return nil
	})
	return resp, problem(err)
}

// ApplyRetention takes away what is due.
func (s *Service) ApplyRetention(ctx context.Context, req *recorderv1.ApplyRetentionRequest) (*recorderv1.ApplyRetentionResponse, error) {
	c, _ := identity.FromContext(ctx)
	runs, err := s.retain(ctx, tenant(ctx), req.GetRun(), c.Name)
	if err != nil {
		return nil, problem(err)
	}
	var told []place
	for _, r := range runs {
		if l, err := s.openRun(ctx, tenant(ctx), r.GetRun(), false); err == nil && r.FindingSeq != nil {
			told = append(told, place{l, r.GetFindingSeq()})
		}
	}
	s.awaitAudit(ctx, told...)
	return &recorderv1.ApplyRetentionResponse{Rule: s.cfg.Retain.String(), Runs: runs}, nil
}

// retain takes away what is due of a tenant's runs, or of one, and tells of those that were due, held or blocked. What is
// wrong with one run keeps no other.
func (s *Service) retain(ctx context.Context, tenant, only, by string) (out []*recorderv1.RunRetention, err error) {
	err = s.eachRun(ctx, tenant, only, func(run string) error {
		r, err := s.retention(ctx, tenant, run)
		if err != nil {
			return err
		}
		if r.GetState() == recorderv1.RetentionState_RETENTION_STATE_DUE {
			if r, err = s.retire(ctx, tenant, run, by); err != nil {
				return err
			}
		} else if !noteworthy(r) && only == "" {
			return nil
		}
		out = append(out, r)
		return nil
	})
	return out, err
}

// noteworthy are runs whose payloads go, or stay although their time is over.
func noteworthy(r *recorderv1.RunRetention) bool {
	switch r.GetState() {
	case recorderv1.RetentionState_RETENTION_STATE_DUE, recorderv1.RetentionState_RETENTION_STATE_HELD, recorderv1.RetentionState_RETENTION_STATE_BLOCKED:
		return true
	}
	return false
}

// eachRun goes over the runs of a tenant that are on disk, or over the one that is asked for.
func (s *Service) eachRun(ctx context.Context, tenant, only string, visit func(run string) error) error {
	if err := s.recovered(ctx); err != nil {
		return err
	}
	runs, err := s.store.Runs()
	if err != nil {
		return err
	}
	found := false
	for _, r := range runs {
		if r[0] != tenant || only != "" && r[1] != only {
			continue
		}
		found = true
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := visit(r[1]); err != nil {
			return fmt.Errorf("run %s: %w", r[1], err)
		}
	}
	if only != "" && !found {
		return &store.Fault{Kind: store.NotFound, Run: only}
	}
	return nil
}

// retention looks at one run. It opens only those whose time may be over: a run cannot have ended before its id was made.
func (s *Service) retention(ctx context.Context, tenant, run string) (*recorderv1.RunRetention, error) {
	out := &recorderv1.RunRetention{Run: run}
	g, err := s.store.Glance(tenant, run)
	if err != nil {
		return nil, err
	}
	out.Segments = uint32(g.Payloads)
	now := s.d.Clock.Now()
	switch {
	case !g.Sealed:
		out.State = recorderv1.RetentionState_RETENTION_STATE_NOT_SEALED
		return out, nil
	case g.Payloads == 0:
		out.State = recorderv1.RetentionState_RETENTION_STATE_RETIRED
		return out, nil
	}
	if ms, ok := idgen.Time(run); ok {
		if due, ever := s.cfg.Retain.Due(time.UnixMilli(int64(ms))); !ever || now.Before(due) {
			out.State = recorderv1.RetentionState_RETENTION_STATE_YOUNG
			return out, nil
		}
	}
	l, err := s.openRun(ctx, tenant, run, false)
	if err != nil {
		return blocked(out, err), ctx.Err()
	}
	l.upkeep.RLock()
	defer l.upkeep.RUnlock()
	return l.retention(ctx, now)
}

// retention says what the rule makes of an open run. The caller holds upkeep.
func (l *live) retention(ctx context.Context, now time.Time) (*recorderv1.RunRetention, error) {
	out := &recorderv1.RunRetention{Run: l.run.ID}
	segments, err := l.run.Retirable()
	if err != nil {
		return nil, err
	}
	for _, s := range segments {
		out.Segments++
		out.Bytes += uint64(s.Bytes)
	}
	ended, err := l.run.Ended(ctx)
	if err != nil {
		return blocked(out, err), ctx.Err()
	}
	out.Ended = timestamppb.New(ended)
	due, ever := l.s.cfg.Retain.Due(ended)
	if ever {
		out.Due = timestamppb.New(due)
	}
	switch {
	case len(segments) == 0:
		out.State = recorderv1.RetentionState_RETENTION_STATE_RETIRED
		return out, nil
	case !ever || now.Before(due):
		out.State = recorderv1.RetentionState_RETENTION_STATE_YOUNG
		return out, nil
	}
	holds, err := l.standing(ctx)
	switch {
	case err != nil:
		return blocked(out, err), ctx.Err()
	case len(holds) > 0:
		out.State, out.Holds, out.Why = recorderv1.RetentionState_RETENTION_STATE_HELD, ids(holds), "a legal hold keeps it: "+holds[0].Reason
	default:
		out.State = recorderv1.RetentionState_RETENTION_STATE_DUE
	}
	return out, nil
}

// blocked is a run that stays as it is because of an error.
func blocked(r *recorderv1.RunRetention, err error) *recorderv1.RunRetention {
	r.State, r.Why = recorderv1.RetentionState_RETENTION_STATE_BLOCKED, err.Error()
	if errors.Is(err, store.ErrEndUnknown) {
		r.Why += "; nothing is taken of a run whose age is not known"
	}
	return r
}
