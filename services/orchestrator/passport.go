package orchestrator

import (
	"context"
	"errors"
	"math"
	"time"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/tracked"
)

// IssuePassport has governance sign what was recorded of a tracked run.
func (s *Service) IssuePassport(ctx context.Context, req *orchestratorv1.IssuePassportRequest) (*orchestratorv1.IssuePassportResponse, error) {
	r, err := s.find(ctx, req.GetRun())
	if err != nil {
		return nil, err
	}
	if r.GetTracked() == nil {
		if r.GetPassport() == "" {
			return nil, unfinished("run %s gets its passport at its end, with its last checkpoint; it is %s and has none", r.GetUid(), r.GetState())
		}
		return &orchestratorv1.IssuePassportResponse{Run: r}, nil
	}
	if err := s.complete(ctx, r); err != nil || r.GetPassport() != "" {
		return &orchestratorv1.IssuePassportResponse{Run: r}, err
	}
	sealed, err := s.sealTracked(ctx, r, req.GetEndSilent())
	if err != nil {
		return nil, err
	}
	if r, err = s.find(ctx, r.GetUid()); err != nil { // it may have ended just now
		return nil, err
	}
	if err := s.signTracked(ctx, r, sealed); err != nil {
		return nil, err
	}
	return &orchestratorv1.IssuePassportResponse{Run: r, Issued: true}, s.complete(ctx, r)
}

func unfinished(format string, args ...any) error {
	return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED, format, args...)
}

// sealTracked gives the checkpoints of a run's seal. A run that nobody writes is ended first where the caller wants it.
func (s *Service) sealTracked(ctx context.Context, r *orchestratorv1.Run, end bool) (*recorderv1.SealRunResponse, error) {
	rec, uid := s.d.Peers.Recorder, r.GetUid()
	if r.GetTracked().GetState() == recorderv1.TrackedState_TRACKED_STATE_WRITING {
		return nil, unfinished("run %s is being written by its tracker; a passport is issued after its end", uid)
	}
	// A seal changes no fence, and the mesh has no epoch of its own in a tracked run.
	seal := &recorderv1.SealRunRequest{Run: uid, Epoch: math.MaxUint64}
	sealed, err := rec.SealRun(ctx, seal)
	if !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED) {
		return sealed, err
	}
	if !end {
		return nil, unfinished("run %s has no end, and nobody writes it: go on with it by provenir.track(name, run=%q), or end it as partial with end_silent (--end-silent); "+
			"then nothing can be added to it", uid, uid)
	}
	now := s.d.Clock.Now().UTC()
	batch := &recorderv1.AppendBatchRequest{Run: uid, Epoch: uint64(now.UnixMicro()), Log: recorderv1.Log_LOG_EVENTS}
	at, err := rec.AppendBatch(ctx, batch)
	if err != nil {
		return nil, err
	}
	batch.Rows = []string{tracked.CloseRow(at.GetNextSeq(), now.Format(time.RFC3339))}
	if _, err := rec.AppendBatch(ctx, batch); err != nil {
		return nil, err
	}
	return rec.SealRun(ctx, seal)
}

func (s *Service) signTracked(ctx context.Context, r *orchestratorv1.Run, sealed *recorderv1.SealRunResponse) error {
	d := tracked.NewDocument(r.GetTracked())
	req := &recorderv1.ListEventsRequest{Run: r.GetUid(), Types: tracked.Recorded, PageSize: 500}
	for {
		page, err := s.d.Peers.Recorder.ListEvents(ctx, req)
		if err != nil {
			return err
		}
		for _, e := range page.GetEvents() {
			if err := d.Add(e); err != nil {
				return err
			}
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	sum, err := s.d.Peers.Recorder.GetRunSummary(ctx, &recorderv1.GetRunSummaryRequest{Run: r.GetUid()})
	if err != nil {
		return err
	}
	doc, err := d.Seal(sealed, sum.GetSummary())
	if errors.Is(err, tracked.ErrNoEnd) {
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_PAYLOAD_ERASED, "run %s: %w", r.GetUid(), err)
	}
	if err != nil {
		return err
	}
	_, err = s.d.Peers.Governance.SealBom(ctx, &governancev1.SealBomRequest{RunId: r.GetUid(), Document: doc, AllowPartial: !d.Succeeded(), RequestId: "seal-" + r.GetUid()})
	return err
}
