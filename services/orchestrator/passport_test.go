package orchestrator

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/spool"
	"github.com/provenir/provenir/services/orchestrator/run"
	"github.com/provenir/provenir/services/orchestrator/tracked"
)

// SealRun seals a run whose last record says how it ended.
func (f *trackers) SealRun(_ context.Context, req *recorderv1.SealRunRequest) (*recorderv1.SealRunResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r, err := f.get(req.GetRun())
	if err != nil {
		return nil, err
	}
	if n := len(r.events); n == 0 || r.events[n-1].GetType() != recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED, "it has no end")
	}
	return &recorderv1.SealRunResponse{Vkey: "vkey", Checkpoints: []*recorderv1.LogCheckpoint{{Log: recorderv1.Log_LOG_EVENTS, Note: "note", Size: 3, Root: []byte("root")}}}, nil
}

// AppendBatch takes the row that ends a run.
func (f *trackers) AppendBatch(_ context.Context, req *recorderv1.AppendBatchRequest) (*recorderv1.AppendBatchResponse, error) {
	f.mu.Lock()
	r, err := f.get(req.GetRun())
	f.mu.Unlock()
	if err != nil || len(req.GetRows()) == 0 {
		return &recorderv1.AppendBatchResponse{NextSeq: uint64(len(r.events))}, err
	}
	row, err := spool.Parse([]byte(req.GetRows()[0]))
	if err != nil || row.Type != spool.Close || row.Seq != uint64(len(r.events)) || row.Outcome != "partial" || req.GetEpoch() == 0 {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%v: %v", req.GetRows(), err)
	}
	f.close(req.GetRun(), &orchestratorv1.RunClose{Outcome: trainerv1.Outcome_OUTCOME_CRASHED, State: run.Failed, Partial: true, Error: row.Error})
	return &recorderv1.AppendBatchResponse{}, nil
}

// close ends a run as its tracker says.
func (f *trackers) close(uid string, c *orchestratorv1.RunClose) {
	f.change(func() {
		r := f.runs[uid]
		r.events = append(r.events, &recorderv1.Event{Seq: uint64(len(r.events)), Type: recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE, Payload: must(c)})
		r.run.State, r.run.Partial, r.run.Error = brokenRun, c.GetPartial(), c.GetError()
		if c.GetOutcome() == trainerv1.Outcome_OUTCOME_COMPLETED {
			r.run.State = completeRun
		}
	})
}

// SealBom signs what it is given, once.
func (p *passes) SealBom(_ context.Context, req *governancev1.SealBomRequest, _ ...grpc.CallOption) (*governancev1.SealBomResponse, error) {
	p.asked = append(p.asked, req)
	p.of[req.GetRunId()] = &governancev1.Passport{Digest: fmt.Sprintf("sha256:%d", len(p.asked)), Folder: "/f"}
	return &governancev1.SealBomResponse{}, nil
}

func (r *rig) issue(name string, end bool) (*orchestratorv1.IssuePassportResponse, error) {
	return r.client.IssuePassport(r.Context(), &orchestratorv1.IssuePassportRequest{Run: name, EndSilent: end})
}

// A run that has ended gets one passport, over what is recorded of it; asking again gives the same.
func TestAPassportIsIssuedOnce(t *testing.T) {
	r, now := newMixed(t)
	uid := trackedID(t, now.Now())
	r.tracker.begin(uid, "loop")
	r.tracker.step(uid, 0, "")
	r.tracker.eval(uid, 0.5)
	if _, err := r.issue(uid, true); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED) || len(r.passes.asked) > 0 {
		t.Errorf("while it is written: %v", err)
	}
	r.tracker.close(uid, &orchestratorv1.RunClose{Outcome: trainerv1.Outcome_OUTCOME_COMPLETED, State: run.Succeeded, Partial: true, Invalid: 2})
	for i, name := range []string{uid, "@last", uid[:6]} {
		got, err := r.issue(name, false)
		if err != nil || got.GetIssued() != (i == 0) || got.GetRun().GetPassport() != "sha256:1" || got.GetRun().GetPassportFolder() != "/f" || got.GetRun().GetUid() != uid {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if len(r.passes.asked) != 1 {
		t.Fatalf("it was signed %d times", len(r.passes.asked))
	}
	req := r.passes.asked[0]
	var doc tracked.Document
	if err := json.Unmarshal(req.GetDocument(), &doc); err != nil {
		t.Fatal(err)
	}
	if len(req.GetCheckpoint()) > 0 || req.GetAllowPartial() || doc.Run.RecordedBy != "tracker" || !doc.Run.Partial || doc.Run.Invalid != 2 || doc.Run.State != "RUN_STATE_SUCCEEDED" ||
		doc.Run.Steps != 1 || len(doc.Evaluations) != 1 || doc.Ledger.VKey != "vkey" || doc.Ledger.Checkpoints[0].Root != "sha256:726f6f74" {
		t.Errorf("%s", req.GetDocument())
	}
}

// A run that a kill left is signed only when somebody ends it, and then says that nobody brought it to its end.
func TestAPassportOfARunWithoutAnEnd(t *testing.T) {
	r, now := newMixed(t)
	uid := trackedID(t, now.Now())
	r.tracker.begin(uid, "loop")
	r.tracker.step(uid, 0, "")
	r.tracker.end(uid, silentRun)
	_, err := r.issue(uid, false)
	if !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED) || !strings.Contains(err.Error(), "--end-silent") {
		t.Errorf("without the wish: %v", err)
	}
	got, err := r.issue(uid, true)
	if err != nil || got.GetRun().GetState() != run.Failed || got.GetRun().GetPassport() == "" || strings.Join(got.GetRun().GetWarnings(), "") != "the run had no end and was ended in its tracker's place" {
		t.Fatalf("%v, %v", got, err)
	}
	if req := r.passes.asked[0]; !req.GetAllowPartial() || !strings.Contains(string(req.GetDocument()), `"error":"Abandoned"`) || !strings.Contains(string(req.GetDocument()), `"partial":true`) {
		t.Errorf("%s", r.passes.asked[0].GetDocument())
	}
}

// A run of the mesh gets its passport at its end and in no other way.
func TestAPassportOfTheMeshIsNotIssued(t *testing.T) {
	r, now := newMixed(t)
	uid := r.create("").GetUid()
	_, err := r.issue(uid, true)
	r.refused(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED)
	if err := r.board.Update(t.Context(), uid, func(x *orchestratorv1.Run) { x.State, x.Passport = run.Succeeded, "sha256:own" }); err != nil {
		t.Fatal(err)
	}
	if got, err := r.issue(uid, false); err != nil || got.GetIssued() || got.GetRun().GetPassport() != "sha256:own" {
		t.Errorf("%v, %v", got, err)
	}
	_, err = r.issue("zzz", false)
	r.refused(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND)
	now.Advance(time.Second)
	erased := trackedID(t, now.Now())
	r.tracker.begin(erased, "loop")
	r.tracker.close(erased, &orchestratorv1.RunClose{Outcome: trainerv1.Outcome_OUTCOME_COMPLETED, State: run.Succeeded})
	r.tracker.change(func() {
		e := r.tracker.runs[erased].events[0]
		e.Payload, e.PayloadAbsent = nil, corev1.ErrorReason_ERROR_REASON_PAYLOAD_ERASED
	})
	_, err = r.issue(erased, false)
	r.refused(err, corev1.ErrorReason_ERROR_REASON_PAYLOAD_ERASED)
	if len(r.passes.asked) != 0 {
		t.Error("something was signed")
	}
}
