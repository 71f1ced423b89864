package evaluator

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/cache"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var checkpoint = bytes.Repeat([]byte{7}, 32)

// trainer answers a prompt with what stands behind its last "=", and knows one checkpoint, which is also run@last.
type trainer struct {
	trainerv1.UnimplementedTrainerServiceServer
	mu     sync.Mutex
	calls  int
	mangle func([]*trainerv1.GenerateResponse) []*trainerv1.GenerateResponse
}

func (f *trainer) GetCheckpoint(_ context.Context, req *trainerv1.GetCheckpointRequest) (*trainerv1.GetCheckpointResponse, error) {
	if c := req.GetCheckpoint(); c != "run@last" && c != hex.EncodeToString(checkpoint) {
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_NOT_FOUND, "no checkpoint %s", c)
	}
	return &trainerv1.GetCheckpointResponse{Checkpoint: &trainerv1.Checkpoint{Digest: checkpoint}}, nil
}

func (f *trainer) Generate(req *trainerv1.GenerateRequest, stream trainerv1.TrainerService_GenerateServer) error {
	f.mu.Lock()
	f.calls++
	f.mu.Unlock()
	if req.GetCheckpoint() != hex.EncodeToString(checkpoint) || req.GetTemperature() != 0 || req.GetMaxTokens() != 64 {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "not what was to be asked: %v", req)
	}
	var out []*trainerv1.GenerateResponse
	for i, p := range req.GetPrompts() {
		text := p[bytes.LastIndexByte(p, '=')+1:]
		out = append([]*trainerv1.GenerateResponse{{Index: uint32(i), Text: text, Checkpoint: checkpoint}}, out...) // in any order
	}
	if f.mangle != nil {
		out = f.mangle(out)
	}
	for _, m := range out {
		if err := stream.Send(m); err != nil {
			return err
		}
	}
	return nil
}

// verifier passes answers that are "right", fails others, and has words for what cannot be judged.
type verifier struct {
	verifierv1.UnimplementedVerifierServiceServer
	mu     sync.Mutex
	judged []string
	specs  []string
	stop   int // answers no more than these; 0 answers all
	id     string
}

func (f *verifier) VerifyBatch(stream verifierv1.VerifierService_VerifyBatchServer) error {
	for n := 1; ; n++ {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		f.mu.Lock()
		f.judged = append(f.judged, m.GetRow().GetRolloutId())
		if m.GetSpec() != nil {
			f.specs = append(f.specs, m.GetSpec().GetName())
		}
		f.mu.Unlock()
		if f.stop > 0 && n > f.stop {
			return nil
		}
		out := &verifierv1.VerifyBatchResponse{Id: m.GetRow().GetRolloutId() + f.id}
		verdict := &corev1.Verdict{RolloutId: m.GetRow().GetRolloutId()}
		switch text := string(m.GetRow().GetResponse()); text {
		case "bad row":
			out.Result = &verifierv1.VerifyBatchResponse_Error{Error: &verifierv1.RowError{Code: "BAD_SPEC"}}
		case "bad row without a code":
			out.Result = &verifierv1.VerifyBatchResponse_Error{Error: &verifierv1.RowError{}}
		case "slow":
			verdict.Verdict = &corev1.Verdict_Unscored{Unscored: &corev1.Unscored{Reason: corev1.UnscoredReason_UNSCORED_REASON_DEADLINE}}
			out.Result = &verifierv1.VerifyBatchResponse_Verdict{Verdict: verdict}
		case "silence":
		default:
			verdict.Verdict = &corev1.Verdict_Scored{Scored: &corev1.Scored{Passed: strings.TrimSpace(text) == "right"}}
			out.Result = &verifierv1.VerifyBatchResponse_Verdict{Verdict: verdict}
		}
		if err := stream.Send(out); err != nil {
			return err
		}
	}
}

// rig is an evaluator over fakes.
type rig struct {
	t        *testing.T
	trainer  *trainer
	verifier *verifier
	blobs    *blob.Store
	service  *Service
	client   evaluatorv1.EvaluatorServiceClient
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, trainer: &trainer{}, verifier: &verifier{}}
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "evaluator.db"), Migrations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if r.blobs, err = blob.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	c, err := cache.NewMemory(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	conn := grpctest.Serve(t, func(s grpc.ServiceRegistrar) {
		trainerv1.RegisterTrainerServiceServer(s, r.trainer)
		verifierv1.RegisterVerifierServiceServer(s, r.verifier)
	})
	s, err := New(Deps{DB: db, Blobs: r.blobs, Cache: c, Trainer: trainerv1.NewTrainerServiceClient(conn),
		Verifier: verifierv1.NewVerifierServiceClient(conn), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r.service = s
	r.client = evaluatorv1.NewEvaluatorServiceClient(grpctest.Serve(t, s.Register))
	return r
}

// ingest sends rows in chunks of 7 bytes: where a chunk ends means nothing.
func (r *rig) ingest(rows ...string) *corev1.DatasetRef {
	r.t.Helper()
	stream, err := r.client.IngestDataset(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	text := []byte(strings.Join(rows, "\n") + "\n")
	for i := 0; i < len(text); i += 7 {
		if err := stream.Send(&evaluatorv1.IngestDatasetRequest{Name: "test", Chunk: text[i:min(i+7, len(text))]}); err != nil {
			r.t.Fatal(err)
		}
	}
	resp, err := stream.CloseAndRecv()
	if err != nil || resp.GetSizeBytes() != uint64(len(text)) {
		r.t.Fatalf("%v, %v", resp, err)
	}
	return resp.GetDataset()
}

func (r *rig) evaluate(req *evaluatorv1.EvaluateRequest) (*evaluatorv1.Evaluation, error) {
	r.t.Helper()
	resp, err := r.client.Evaluate(r.t.Context(), req)
	return resp.GetEvaluation(), err
}
