package recorder

import (
	"context"
	"errors"
	"path"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/recorder/roster"
)

const trackedPage = 100

// ListTrackedRuns lists the runs of trackers, newest first.
func (s *Service) ListTrackedRuns(ctx context.Context, req *recorderv1.ListTrackedRunsRequest) (*recorderv1.ListTrackedRunsResponse, error) {
	if err := s.recovered(ctx); err != nil {
		return nil, err
	}
	f, err := rosterFilter(tenant(ctx), req)
	if err != nil {
		return nil, err
	}
	out := &recorderv1.ListTrackedRunsResponse{}
	for {
		rows, err := roster.List(ctx, s.d.DB, f)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			f.Behind = roster.PlaceOf(r)
			s.enliven(f.Tenant, r)
			// The table does not know who writes, so a filter on that leaves rows out here, and more are read.
			if len(req.GetStates()) > 0 && !slices.Contains(req.GetStates(), r.GetState()) {
				continue
			}
			if out.Runs = append(out.Runs, r); len(out.GetRuns()) == pageOf(req) {
				return out, nil
			}
		}
		if len(rows) < f.Limit {
			return out, nil
		}
	}
}

func pageOf(req *recorderv1.ListTrackedRunsRequest) int {
	if n := int(req.GetPageSize()); n > 0 {
		return n
	}
	return trackedPage
}

func rosterFilter(tenant string, req *recorderv1.ListTrackedRunsRequest) (roster.Filter, error) {
	f := roster.Filter{Tenant: tenant, Methods: req.GetMethods(), Limit: pageOf(req), Behind: roster.Place{CreatedMS: req.GetBehindTime(), Run: req.GetBehindRun()}}
	for _, x := range req.GetStates() {
		if x == recorderv1.TrackedState_TRACKED_STATE_WRITING {
			x = roster.Open
		}
		f.States = append(f.States, x)
	}
	for _, t := range []struct {
		name string
		at   *timestamppb.Timestamp
		to   **int64
	}{{"created_after", req.GetCreatedAfter(), &f.FromMS}, {"created_before", req.GetCreatedBefore(), &f.UntilMS}} {
		if t.at == nil {
			continue
		}
		if err := t.at.CheckValid(); err != nil {
			return f, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%s: %w", t.name, err).Field(t.name, err.Error())
		}
		ms := t.at.AsTime().UnixMilli()
		*t.to = &ms
	}
	return f, nil
}

// GetTrackedRun reads one, with what its caller said of it.
func (s *Service) GetTrackedRun(ctx context.Context, req *recorderv1.GetTrackedRunRequest) (*recorderv1.GetTrackedRunResponse, error) {
	if err := s.recovered(ctx); err != nil {
		return nil, err
	}
	r, err := roster.Find(ctx, s.d.DB, tenant(ctx), req.GetRun())
	var several *roster.AmbiguousError
	switch {
	case errors.As(err, &several):
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_RUN_AMBIGUOUS, "%w", err)
	case errors.Is(err, roster.ErrNone):
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND, "no run %s; 'provenir run list' shows them", req.GetRun())
	case err != nil:
		return nil, err
	}
	l, err := s.get(ctx, tenant(ctx), r.GetRun(), false)
	if err != nil {
		return nil, problem(err)
	}
	s.enliven(tenant(ctx), r)
	if r.Config, err = l.declared(ctx); err != nil {
		return nil, problem(err)
	}
	return &recorderv1.GetTrackedRunResponse{Run: r}, nil
}

// enliven adds what is known of a run that has no end: who writes it, and how far it has come.
func (s *Service) enliven(tenant string, r *recorderv1.TrackedRun) {
	if r.GetState() != roster.Open {
		return
	}
	key := path.Join(tenant, r.GetRun())
	if s.leases.held(key, s.d.Clock.Now()) {
		r.State = recorderv1.TrackedState_TRACKED_STATE_WRITING
	}
	s.mu.Lock()
	l := s.live[key]
	s.mu.Unlock()
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mon != nil {
		st := l.mon.Stats()
		r.Steps, r.Rollouts = st.Steps, st.Rollouts
	}
}

// held tells whether somebody has a lease.
func (l *leases) held(run string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	x, ok := l.by[run]
	return ok && now.Sub(x.seen) < leaseFor
}
