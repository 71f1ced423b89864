package orchestrator

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/orchestrator/board"
	"github.com/provenir/provenir/services/orchestrator/loop"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// CreateRun checks what can be checked at once, writes the run down and returns; its owner begins it.
func (s *Service) CreateRun(ctx context.Context, req *orchestratorv1.CreateRunRequest) (*orchestratorv1.CreateRunResponse, error) {
	caller, _ := identity.FromContext(ctx)
	spec := req.GetSpec()
	var wrong run.Problem
	if err := run.Check(spec); errors.As(err, &wrong) {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%w", err).Field("spec."+wrong.Field, wrong.Why)
	}
	for _, st := range run.Stages(spec) { // the trainer refuses now what it would refuse at the start
		plan := proto.CloneOf(st.Spec)
		if plan.Model == nil {
			plan.Model = spec.GetModel()
		}
		if _, err := s.d.Peers.Trainer.PlanTraining(ctx, &trainerv1.PlanTrainingRequest{Spec: plan}); err != nil {
			return nil, fmt.Errorf("%s stage: %w", st.Name, err)
		}
	}
	if req.GetValidateOnly() {
		return &orchestratorv1.CreateRunResponse{Run: &orchestratorv1.Run{Spec: spec}}, nil
	}
	uid, err := s.d.IDs.New()
	if err != nil {
		return nil, err
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(spec)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(b)
	now := timestamppb.New(s.d.Clock.Now())
	r := &orchestratorv1.Run{Name: "tenants/" + caller.Tenant + "/runs/" + uid, Uid: uid, Spec: spec, State: run.Pending,
		Progress: &orchestratorv1.Progress{}, CreateTime: now, UpdateTime: now, Etag: "1"}
	message, err := created(caller.Tenant, r)
	if err != nil {
		return nil, err
	}
	r, err = s.board.Create(ctx, caller.Tenant, req.GetRequestId(), digest[:], r, func(tx store.Tx) error { return outbox.Add(ctx, tx, message) })
	if errors.Is(err, board.ErrReused) {
		return nil, rpc.Errorf(codes.AlreadyExists, corev1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED, "%w", err).Field("request_id", "was used with another spec")
	}
	if err != nil {
		return nil, err
	}
	s.relay.Wake()
	select {
	case s.fresh <- struct{}{}:
	default:
	}
	return &orchestratorv1.CreateRunResponse{Run: r}, nil
}

// created is the message that a run is there.
func created(tenant string, r *orchestratorv1.Run) (outbox.Message, error) {
	body, err := proto.Marshal(r)
	if err != nil {
		return outbox.Message{}, err
	}
	id := r.GetUid() + ".created"
	return outbox.Message{ID: id, Subject: loop.Topic(tenant, r.GetUid(), "created"), Body: body, Headers: map[string]string{
		"Provenir-Schema": "provenir.orchestrator.v1.Run", "ce-specversion": "1.0", "ce-id": id, "ce-type": "dev.provenir.run.created",
		"ce-source": "/runs/" + r.GetUid(), "content-type": "application/protobuf"}}, nil
}

// GetRun reads one.
func (s *Service) GetRun(ctx context.Context, req *orchestratorv1.GetRunRequest) (*orchestratorv1.GetRunResponse, error) {
	r, err := s.find(ctx, req.GetRun())
	if err != nil {
		return nil, err
	}
	if r.GetTracked() != nil {
		return &orchestratorv1.GetRunResponse{Run: r}, s.complete(ctx, r)
	}
	n, err := outbox.Pending(ctx, s.d.DB)
	if err != nil {
		return nil, err
	}
	if r.Progress != nil {
		r.Progress.Outbox = uint64(n)
	}
	return &orchestratorv1.GetRunResponse{Run: r}, nil
}

func (s *Service) get(ctx context.Context, name string) (*orchestratorv1.Run, error) {
	caller, _ := identity.FromContext(ctx)
	r, err := s.board.Get(ctx, caller.Tenant, name)
	var several board.Ambiguous
	switch {
	case errors.Is(err, board.ErrNotFound):
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND, "no run %s; 'provenir run list' shows them", name)
	case errors.As(err, &several):
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_RUN_AMBIGUOUS, "%w", err)
	}
	return r, err
}

// ListRuns lists runs, newest first. The page token is signed: a token of another list is refused.
func (s *Service) ListRuns(ctx context.Context, req *orchestratorv1.ListRunsRequest) (*orchestratorv1.ListRunsResponse, error) {
	caller, _ := identity.FromContext(ctx)
	size := int(req.GetPageSize())
	if size == 0 {
		size = 50
	}
	f, err := filterOf(req)
	if err != nil {
		return nil, err
	}
	list := fmt.Sprintf("runs/%s/%v/%v/%d/%d", caller.Tenant, f.States, f.Algorithms, f.From.UnixMilli(), f.Before.UnixMilli())
	after, err := s.place(list, req.GetPageToken())
	if err != nil {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN, "page_token: %w", err)
	}
	runs, err := s.board.List(ctx, caller.Tenant, f, after, size+1)
	if err != nil {
		return nil, err
	}
	others, err := s.listTracked(ctx, req, after, size+1)
	if err != nil {
		return nil, fmt.Errorf("list tracked runs: %w", err)
	}
	runs = merge(runs, others)
	out := &orchestratorv1.ListRunsResponse{Runs: runs}
	if len(runs) > size {
		out.Runs = runs[:size]
		last := board.PlaceOf(runs[size-1])
		out.NextPageToken = last.UID + "." + s.tokens.Token(list+"/"+last.UID, uint64(last.CreatedMS))
	}
	return out, nil
}

func filterOf(req *orchestratorv1.ListRunsRequest) (board.Filter, error) {
	f := board.Filter{States: req.GetStates(), Algorithms: req.GetAlgorithms()}
	for _, t := range []struct {
		name string
		at   *timestamppb.Timestamp
		to   *time.Time
	}{{"created_after", req.GetCreatedAfter(), &f.From}, {"created_before", req.GetCreatedBefore(), &f.Before}} {
		if t.at == nil {
			continue
		}
		if err := t.at.CheckValid(); err != nil {
			return f, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%s: %w", t.name, err).Field(t.name, err.Error())
		}
		*t.to = t.at.AsTime()
	}
	return f, nil
}

// place reads a page token: the uid of the page's last run, and the signed time at which it was made.
func (s *Service) place(list, token string) (board.Place, error) {
	if token == "" {
		return board.Place{}, nil
	}
	uid, signed, _ := strings.Cut(token, ".")
	at, err := s.tokens.Position(list+"/"+uid, signed)
	return board.Place{CreatedMS: int64(at), UID: uid}, err
}

// PauseRun holds a run after its present step.
func (s *Service) PauseRun(ctx context.Context, req *orchestratorv1.PauseRunRequest) (*orchestratorv1.PauseRunResponse, error) {
	r, err := s.ask(ctx, req.GetRun(), "pause")
	return &orchestratorv1.PauseRunResponse{Run: r}, err
}

// ResumeRun goes on.
func (s *Service) ResumeRun(ctx context.Context, req *orchestratorv1.ResumeRunRequest) (*orchestratorv1.ResumeRunResponse, error) {
	r, err := s.ask(ctx, req.GetRun(), "")
	return &orchestratorv1.ResumeRunResponse{Run: r}, err
}

// CancelRun finishes the present step, saves, seals and ends.
func (s *Service) CancelRun(ctx context.Context, req *orchestratorv1.CancelRunRequest) (*orchestratorv1.CancelRunResponse, error) {
	r, err := s.ask(ctx, req.GetRun(), "cancel")
	return &orchestratorv1.CancelRunResponse{Run: r}, err
}

func (s *Service) ask(ctx context.Context, name, what string) (*orchestratorv1.Run, error) {
	r, err := s.mine(ctx, name)
	if err != nil {
		return nil, err
	}
	if run.Ended(r.GetState()) {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_SEALED, "run %s has ended (%s)", r.GetUid(), r.GetState())
	}
	return r, s.board.Ask(ctx, r.GetUid(), what)
}

// DeleteRun forgets an ended run; its ledger stays where it is.
func (s *Service) DeleteRun(ctx context.Context, req *orchestratorv1.DeleteRunRequest) (*orchestratorv1.DeleteRunResponse, error) {
	r, err := s.mine(ctx, req.GetRun())
	if err != nil {
		return nil, err
	}
	if !run.Ended(r.GetState()) {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_STATE_INVALID, "run %s is %s; cancel it first", r.GetUid(), r.GetState())
	}
	return &orchestratorv1.DeleteRunResponse{}, s.board.Delete(ctx, r.GetUid())
}

// ListBackends asks the trainer.
func (s *Service) ListBackends(ctx context.Context, req *orchestratorv1.ListBackendsRequest) (*orchestratorv1.ListBackendsResponse, error) {
	resp, err := s.d.Peers.Trainer.ListEngines(ctx, &trainerv1.ListEnginesRequest{Probe: req.GetProbe()})
	return &orchestratorv1.ListBackendsResponse{Engines: resp.GetEngines()}, err
}
