package orchestrator

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/board"
	"github.com/provenir/provenir/services/orchestrator/tracked"
)

// find reads a run of either kind. Only the recorder knows tracked runs. It is not asked about a name that can be none, so
// that the mesh's own runs are shown while it is away.
func (s *Service) find(ctx context.Context, name string) (*orchestratorv1.Run, error) {
	if name != "@last" && !tracked.Named(name) {
		return s.get(ctx, name)
	}
	got, err := s.d.Peers.Recorder.GetTrackedRun(ctx, &recorderv1.GetTrackedRunRequest{Run: name})
	if name != "@last" {
		return s.shown(ctx, got.GetRun()), err
	}
	if err != nil && status.Code(err) != codes.NotFound {
		return nil, err
	}
	caller, _ := identity.FromContext(ctx)
	own, missing := s.board.Get(ctx, caller.Tenant, name)
	switch {
	case missing != nil && !errors.Is(missing, board.ErrNotFound):
		return nil, missing
	case missing != nil && err != nil:
		return s.get(ctx, name) // for its words
	case missing != nil:
		return s.shown(ctx, got.GetRun()), nil
	case err == nil && newer(tracked.Run(caller.Tenant, got.GetRun()), own):
		return s.shown(ctx, got.GetRun()), nil
	}
	return own, nil
}

func (s *Service) shown(ctx context.Context, r *recorderv1.TrackedRun) *orchestratorv1.Run {
	if r == nil {
		return nil
	}
	caller, _ := identity.FromContext(ctx)
	return tracked.Run(caller.Tenant, r)
}

// newer is the order of lists: by the time at which a run was made, then by uid.
func newer(a, b *orchestratorv1.Run) bool {
	x, y := board.PlaceOf(a), board.PlaceOf(b)
	if x.CreatedMS != y.CreatedMS {
		return x.CreatedMS > y.CreatedMS
	}
	return x.UID > y.UID
}

// complete adds to one tracked run what a list leaves out: evaluations, and what was signed at its end.
func (s *Service) complete(ctx context.Context, r *orchestratorv1.Run) error {
	var token string
	for {
		page, err := s.d.Peers.Recorder.ListEvents(ctx, &recorderv1.ListEventsRequest{Run: r.GetUid(), PageToken: token,
			Types: []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_EVAL}})
		if err != nil {
			return err
		}
		for _, e := range page.GetEvents() {
			if e.GetPayloadAbsent() != corev1.ErrorReason_ERROR_REASON_UNSPECIFIED {
				continue
			}
			x, err := tracked.Evaluation(e.GetPayload())
			if err != nil {
				return err
			}
			r.Evaluations = append(r.Evaluations, x)
		}
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if !tracked.Ended(r.GetTracked().GetState()) {
		return nil
	}
	sum, err := s.d.Peers.Recorder.GetRunSummary(ctx, &recorderv1.GetRunSummaryRequest{Run: r.GetUid()})
	if err != nil {
		return err
	}
	passports, err := s.d.Peers.Governance.ListPassports(ctx, &governancev1.ListPassportsRequest{RunId: r.GetUid(), PageSize: 1})
	if err != nil {
		return err
	}
	var p *governancev1.Passport
	if len(passports.GetPassports()) > 0 {
		p = passports.GetPassports()[0]
	}
	tracked.Sealed(r, sum.GetSummary().GetCheckpoints(), p)
	return nil
}

// listTracked gives the page of tracked runs that stands behind a place.
func (s *Service) listTracked(ctx context.Context, req *orchestratorv1.ListRunsRequest, after board.Place, limit int) ([]*orchestratorv1.Run, error) {
	states, methods, none := tracked.Wanted(req.GetStates(), req.GetAlgorithms())
	if none {
		return nil, nil
	}
	got, err := s.d.Peers.Recorder.ListTrackedRuns(ctx, &recorderv1.ListTrackedRunsRequest{States: states, Methods: methods, PageSize: int32(limit),
		CreatedAfter: req.GetCreatedAfter(), CreatedBefore: req.GetCreatedBefore(), BehindTime: after.CreatedMS, BehindRun: after.UID})
	var out []*orchestratorv1.Run
	for _, r := range got.GetRuns() {
		out = append(out, s.shown(ctx, r))
	}
	return out, err
}

// merge joins two lists of that order.
func merge(a, b []*orchestratorv1.Run) []*orchestratorv1.Run {
	out := make([]*orchestratorv1.Run, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if newer(a[0], b[0]) {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// mine reads a run that the mesh drives. Of a tracked run that was named it says who does.
func (s *Service) mine(ctx context.Context, name string) (*orchestratorv1.Run, error) {
	r, err := s.find(ctx, name)
	if err == nil && r.GetTracked() != nil {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_TRACKED,
			"run %s was recorded by a tracker: its loop drives it, and not the mesh", r.GetUid())
	}
	return r, err
}
