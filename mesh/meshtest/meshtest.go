// Package meshtest starts meshes for tests, with the tabular engine's small job that needs no ONNX Runtime.
package meshtest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/config"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/mesh"
)

// Start runs every role in this process on a data folder.
func Start(ctx context.Context, dir string, fault *faultline.Line, log io.Writer) (*mesh.Mesh, *grpc.ClientConn, error) {
	s, err := config.Resolve(config.Sources{Flags: map[string]string{"data": dir, "log.level": "error"}})
	if err != nil {
		return nil, nil, err
	}
	m, err := mesh.Start(ctx, mesh.Config{Settings: s, Roles: mesh.Roles(), Private: true, Fault: fault, Log: log})
	if err != nil {
		return nil, nil, err
	}
	conn, err := m.Connect()
	if err != nil {
		return nil, nil, errors.Join(err, m.Stop())
	}
	return m, conn, nil
}

// Rows makes n problems with one-letter answers, as JSON lines. first tells training rows from held-out ones.
func Rows(first, n int, completion bool) []byte {
	var out bytes.Buffer
	for i := first; i < first+n; i++ {
		answer := string(rune('a' + i%3))
		row := map[string]string{"id": fmt.Sprint(i), "prompt": fmt.Sprintf("problem %d: ", i), "reference": answer}
		if completion {
			row["completion"] = answer
		}
		b, err := json.Marshal(row)
		if err != nil { // strings always marshal
			continue
		}
		out.Write(append(b, '\n'))
	}
	return out.Bytes()
}

// Ingest puts rows into the dataset store.
func Ingest(ctx context.Context, conn *grpc.ClientConn, name string, rows []byte) (*corev1.DatasetRef, error) {
	stream, err := evaluatorv1.NewEvaluatorServiceClient(conn).IngestDataset(ctx)
	if err != nil {
		return nil, err
	}
	if err := stream.Send(&evaluatorv1.IngestDatasetRequest{Name: name, Chunk: rows}); err != nil {
		return nil, err
	}
	resp, err := stream.CloseAndRecv()
	return resp.GetDataset(), err
}

// Spec is a small GRPO run of the tabular engine with an SFT stage and evaluations. Its held-out rows are other problems
// than the training ones, so the table learns nothing of them: the evaluations are exercised, not the policy.
func Spec(ctx context.Context, conn *grpc.ClientConn, seed, steps uint64) (*orchestratorv1.RunSpec, error) {
	train, err := Ingest(ctx, conn, "train", Rows(0, 24, true))
	if err != nil {
		return nil, err
	}
	heldout, err := Ingest(ctx, conn, "heldout", Rows(1000, 20, false))
	if err != nil {
		return nil, err
	}
	return &orchestratorv1.RunSpec{
		Algorithm: trainerv1.Algorithm_ALGORITHM_GRPO, Train: train, Eval: heldout, Seed: seed,
		Model:  &trainerv1.ModelRef{From: &trainerv1.ModelRef_Tabular{Tabular: &trainerv1.TabularInit{Answers: []byte("abc")}}},
		Engine: &orchestratorv1.EngineSpec{Backend: "tabular"},
		Warmup: &orchestratorv1.Warmup{Steps: 3, BatchSize: 4, Optimizer: &trainerv1.Optimizer{Lr: proto.Float64(.5)}},
		Hyper: &orchestratorv1.Hyper{MaxSteps: steps, Optimizer: &trainerv1.Optimizer{Lr: proto.Float64(2)},
			Sampling: &trainerv1.Sampling{MaxTokens: 2, GroupSize: 4, PromptsPerStep: 6}},
		Gate:     &orchestratorv1.GateSpec{EvalEvery: 3},
		Verifier: &verifierv1.Spec{Name: "exact_answer", Options: nil},
	}, nil
}

// Create starts the run.
func Create(ctx context.Context, conn *grpc.ClientConn, spec *orchestratorv1.RunSpec) (string, error) {
	got, err := orchestratorv1.NewOrchestratorServiceClient(conn).CreateRun(ctx, &orchestratorv1.CreateRunRequest{Spec: spec})
	return got.GetRun().GetUid(), err
}

// Wait follows a run to its end.
func Wait(ctx context.Context, conn *grpc.ClientConn, uid string) (*orchestratorv1.Run, error) {
	c := orchestratorv1.NewOrchestratorServiceClient(conn)
	stream, err := c.WatchRun(ctx, &orchestratorv1.WatchRunRequest{Run: uid})
	if err != nil {
		return nil, err
	}
	for {
		if _, err := stream.Recv(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
	}
	got, err := c.GetRun(ctx, &orchestratorv1.GetRunRequest{Run: uid})
	return got.GetRun(), err
}

// Undisturbed makes a run from beginning to end on a fresh folder and gives both.
func Undisturbed(t testing.TB, seed, steps uint64, fault *faultline.Line) (*orchestratorv1.Run, string) {
	t.Helper()
	dir := t.TempDir()
	m, conn, err := Start(t.Context(), dir, fault, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(conn.Close(), m.Stop()); err != nil {
			t.Error(err)
		}
	}()
	spec, err := Spec(t.Context(), conn, seed, steps)
	if err != nil {
		t.Fatal(err)
	}
	uid, err := Create(t.Context(), conn, spec)
	if err != nil {
		t.Fatal(err)
	}
	run, err := Wait(t.Context(), conn, uid)
	if err != nil {
		t.Fatal(err)
	}
	if run.GetState() != orchestratorv1.RunState_RUN_STATE_SUCCEEDED {
		t.Fatalf("the undisturbed run is %s: %v", run.GetState(), run.GetFailure())
	}
	return run, dir
}
