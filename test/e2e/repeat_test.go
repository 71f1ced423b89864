// Package e2e runs whole jobs on the real engine in one process.
package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/onnx"
	"github.com/provenir/provenir/mesh/meshtest"
)

// needEngine skips where ONNX Runtime is not here.
func needEngine(t *testing.T) {
	t.Helper()
	if _, err := onnx.Find(""); err != nil {
		t.Skipf("ONNX Runtime is not here (make onnxruntime): %v", err)
	}
}

// arithmetic samples the demo's problems and ingests them.
func arithmetic(t *testing.T, conn *grpc.ClientConn, split string, n uint32) *corev1.DatasetRef {
	t.Helper()
	stream, err := verifierv1.NewVerifierServiceClient(conn).SampleTasks(t.Context(), &verifierv1.SampleTasksRequest{Pack: "arithmetic", Seed: 1,
		Split: split, Count: n, Preset: "demo"})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range m.GetTasks() {
			b, err := json.Marshal(map[string]string{"id": x.GetId(), "prompt": x.GetPrompt(), "reference": x.GetReference(), "completion": x.GetCompletion()})
			if err != nil {
				t.Fatal(err)
			}
			file.Write(append(b, '\n'))
		}
	}
	ref, err := meshtest.Ingest(t.Context(), conn, split, file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// train runs a small job of an algorithm to its end.
func train(t *testing.T, algorithm trainerv1.Algorithm, threads uint32) *orchestratorv1.Run {
	t.Helper()
	m, conn, err := meshtest.Start(t.Context(), t.TempDir(), nil, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := errors.Join(conn.Close(), m.Stop()); err != nil {
			t.Error(err)
		}
	}()
	spec := &orchestratorv1.RunSpec{Algorithm: algorithm, Seed: 3, Train: arithmetic(t, conn, "train", 256), Eval: arithmetic(t, conn, "test", 32),
		Model:  &trainerv1.ModelRef{From: &trainerv1.ModelRef_Init{Init: &trainerv1.ModelInit{Dim: 32, Layers: 2, Heads: 2, Ffn: 64, Context: 44}}},
		Engine: &orchestratorv1.EngineSpec{Backend: "builtin", Device: "cpu", Threads: threads},
		Warmup: &orchestratorv1.Warmup{Steps: 60, BatchSize: 32, Optimizer: &trainerv1.Optimizer{Lr: proto.Float64(5e-3)}},
		Hyper: &orchestratorv1.Hyper{MaxSteps: 3, Minibatch: 64, Objective: &trainerv1.Objective{Kl: proto.Float64(.01)},
			Sampling: &trainerv1.Sampling{MaxTokens: 30, GroupSize: 8, PromptsPerStep: 16}},
		// A small policy is right by chance only: digits are rewarded for being a number, so that there is something to learn.
		Verifier: &verifierv1.Spec{Name: "regex", Options: options(t, map[string]any{"pattern": `#### -?\d`, "mode": "search"})},
		Gate:     &orchestratorv1.GateSpec{Metric: "exact_match"}}
	uid, err := meshtest.Create(t.Context(), conn, spec)
	if err != nil {
		t.Fatal(err)
	}
	run, err := meshtest.Wait(t.Context(), conn, uid)
	if err != nil {
		t.Fatal(err)
	}
	if run.GetState() != orchestratorv1.RunState_RUN_STATE_SUCCEEDED {
		t.Fatalf("%s with %d threads: %s %v", algorithm, threads, run.GetState(), run.GetFailure())
	}
	return run
}

func TestSameSeedSameBytes(t *testing.T) {
	needEngine(t)
	var first *orchestratorv1.Run
	for repeat := range 2 {
		for _, threads := range []uint32{1, 2, 4} {
			run := train(t, trainerv1.Algorithm_ALGORITHM_GRPO, threads)
			if first == nil {
				first = run
			}
			if !bytes.Equal(run.GetChain(), first.GetChain()) {
				t.Errorf("repeat %d with %d threads: chain %x, first %x", repeat, threads, run.GetChain(), first.GetChain())
			}
			if !bytes.Equal(run.GetEventsRoot(), first.GetEventsRoot()) {
				t.Errorf("repeat %d with %d threads: root %x, first %x", repeat, threads, run.GetEventsRoot(), first.GetEventsRoot())
			}
		}
	}
}

func TestEveryAlgorithmRuns(t *testing.T) {
	needEngine(t)
	seen := map[string]trainerv1.Algorithm{}
	for _, a := range []trainerv1.Algorithm{trainerv1.Algorithm_ALGORITHM_DAPO, trainerv1.Algorithm_ALGORITHM_GSPO, trainerv1.Algorithm_ALGORITHM_DR_GRPO} {
		chain := fmt.Sprintf("%x", train(t, a, 2).GetChain())
		if other, same := seen[chain]; same {
			t.Errorf("%s and %s did the same", a, other)
		}
		seen[chain] = a
	}
}
