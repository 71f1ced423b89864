package rl

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"

	"github.com/provenir/provenir/cli/app"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// Sizes of the demo: enough demonstrations that SFT does not learn them by heart, enough held-out rows for an interval of
// ±4 points.
const (
	demoTrain   = 6000
	demoHeldout = 500
)

// demo makes the datasets from the seed and the spec of the main job. Its problems come from the task pack arithmetic and
// enter through IngestDataset like a user's own.
func (o *options) demoSpec(ctx context.Context, s *app.Session) (*orchestratorv1.RunSpec, error) {
	train, judge, err := tasks(ctx, s, o.seed, "train", demoTrain)
	if err != nil {
		return nil, err
	}
	heldout, _, err := tasks(ctx, s, o.seed, "test", demoHeldout)
	if err != nil {
		return nil, err
	}
	spec := &orchestratorv1.RunSpec{
		DisplayName: "demo", Algorithm: trainerv1.Algorithm_ALGORITHM_GRPO, Train: train, Eval: heldout, Seed: o.seed,
		Model: &trainerv1.ModelRef{From: &trainerv1.ModelRef_Init{Init: &trainerv1.ModelInit{Dim: 64, Layers: 4, Heads: 2, Ffn: 192, Context: 44}}},
		Warmup: &orchestratorv1.Warmup{Steps: 1200, BatchSize: 32, Optimizer: &trainerv1.Optimizer{Lr: proto.Float64(3e-3), Warmup: proto.Uint32(20),
			WeightDecay: proto.Float64(.01), Schedule: "cosine"}},
		Hyper: &orchestratorv1.Hyper{MaxSteps: 150, Minibatch: 128, Objective: &trainerv1.Objective{Kl: proto.Float64(.005)},
			Optimizer: &trainerv1.Optimizer{Lr: proto.Float64(3e-4), Warmup: proto.Uint32(5), Schedule: "cosine"},
			Sampling:  &trainerv1.Sampling{MaxTokens: 30, GroupSize: 8, PromptsPerStep: 32}},
		Gate:     &orchestratorv1.GateSpec{EvalEvery: 25},
		Verifier: judge,
	}
	return spec, nil
}

// tasks samples a split of the pack, ingests it, and gives the verifier that the pack asks for: plain math equality would
// pay a policy that echoes the question, since 47+25 equals 72.
func tasks(ctx context.Context, s *app.Session, seed uint64, split string, n uint32) (*corev1.DatasetRef, *verifierv1.Spec, error) {
	stream, err := verifierv1.NewVerifierServiceClient(s.Conn).SampleTasks(ctx, &verifierv1.SampleTasksRequest{Pack: "arithmetic", Seed: seed,
		Split: split, Count: n, Preset: "demo"})
	if err != nil {
		return nil, nil, err
	}
	var judge *verifierv1.Spec
	var file bytes.Buffer
	enc := json.NewEncoder(&file)
	enc.SetEscapeHTML(false)
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("sample the arithmetic pack: %w", err)
		}
		if m.GetSpec() != nil {
			judge = m.GetSpec()
		}
		for _, t := range m.GetTasks() {
			row := map[string]any{"id": t.GetId(), "prompt": t.GetPrompt(), "reference": t.GetReference()}
			if split == "train" {
				row["completion"] = t.GetCompletion()
			}
			if err := enc.Encode(row); err != nil {
				return nil, nil, err
			}
		}
	}
	if judge == nil {
		return nil, nil, errors.New("the arithmetic pack named no verifier for its tasks")
	}
	ref, err := ingest(ctx, evaluatorv1.NewEvaluatorServiceClient(s.Conn), "demo-"+split, &file)
	return ref, judge, err
}
