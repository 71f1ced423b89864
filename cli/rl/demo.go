package rl

import (
	"bytes"
	"cmp"
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

// demoArithmetic is the demo where none is named.
const demoArithmetic = "arithmetic"

// demo is a job that needs no file: a task pack, and what its problems need of the policy.
type demo struct {
	pack           string
	train, heldout uint32
	context        uint32 // tokens, which are bytes here
	answer         uint32 // tokens of an answer at most
	warmup         uint64 // SFT steps: enough to sample right answers, too few to be done
	steps          uint64
	preset         string // of the pack; demo where it is empty
	pays           string // the verifier that pays, where it is not the pack's own
	stop           bool   // a critical incident stops the run, which is evaluated more often
}

// demos by name. Enough demonstrations that SFT does not learn them by heart; enough held-out rows for an interval of ±4
// points.
func demos() map[string]demo {
	return map[string]demo{
		demoArithmetic: {pack: "arithmetic", train: 6000, heldout: 500, context: 44, answer: 30, warmup: 1200, steps: 110},
		"json":         {pack: "json_extract", train: 6000, heldout: 400, context: 56, answer: 36, warmup: 125, steps: 80},
		"hack": {pack: "arithmetic", preset: "hedge", pays: "contains:reference=true", stop: true,
			train: 6000, heldout: 500, context: 48, answer: 34, warmup: 800, steps: 120},
		"code":  {pack: "code_functions", train: 2000, heldout: 300, context: 60, answer: 36, warmup: 80, steps: 60},
		"tools": {pack: "tool_call", train: 3000, heldout: 300, context: 60, answer: 40, warmup: 165, steps: 60},
	}
}

// demoSpec makes the datasets from the seed and the spec of the main job. Its problems come from a task pack and enter
// through IngestDataset like a user's own.
func (o *options) demoSpec(ctx context.Context, s *app.Session) (*orchestratorv1.RunSpec, error) {
	d := demos()[o.demo]
	train, judge, err := d.tasks(ctx, s, o.seed, "train", d.train)
	if err != nil {
		return nil, err
	}
	heldout, _, err := d.tasks(ctx, s, o.seed, "test", d.heldout)
	if err != nil {
		return nil, err
	}
	name := "demo"
	if o.demo != demoArithmetic {
		name += "-" + o.demo
	}
	spec := &orchestratorv1.RunSpec{
		DisplayName: name, Algorithm: trainerv1.Algorithm_ALGORITHM_GRPO, Train: train, Eval: heldout, Seed: o.seed,
		Model: &trainerv1.ModelRef{From: &trainerv1.ModelRef_Init{Init: &trainerv1.ModelInit{Dim: 64, Layers: 4, Heads: 2, Ffn: 192, Context: d.context}}},
		Warmup: &orchestratorv1.Warmup{Steps: d.warmup, BatchSize: 32, Optimizer: &trainerv1.Optimizer{Lr: proto.Float64(3e-3), Warmup: proto.Uint32(20),
			WeightDecay: proto.Float64(.01), Schedule: "cosine"}},
		Hyper: &orchestratorv1.Hyper{MaxSteps: d.steps, Minibatch: 128, Objective: &trainerv1.Objective{Kl: proto.Float64(.005)},
			Optimizer: &trainerv1.Optimizer{Lr: proto.Float64(3e-4), Warmup: proto.Uint32(5), Schedule: "cosine"},
			Sampling:  &trainerv1.Sampling{MaxTokens: d.answer, GroupSize: 8, PromptsPerStep: 32}},
		Gate:     &orchestratorv1.GateSpec{EvalEvery: 25},
		Verifier: judge,
	}
	if o.demo == "code" {
		spec.HeldoutVerifier = judge // its hidden tests
	}
	if d.pays != "" { // the reward with a hole; the pack's own verdict looks on and is paid for nothing
		if spec.Verifier, err = ParseVerifier(d.pays); err != nil {
			return nil, err
		}
		spec.HeldoutVerifier = judge
	}
	if d.stop {
		spec.Gate.EvalEvery = 5 // what it really can is seen to fall before the run is stopped
		spec.Gate.OnCritical = orchestratorv1.GateAction_GATE_ACTION_STOP
	}
	return spec, nil
}

// tasks samples a split of the pack, ingests it, and gives the verifier that the pack asks for: plain math equality, say,
// would pay a policy that echoes the question, since 47+25 equals 72.
func (d demo) tasks(ctx context.Context, s *app.Session, seed uint64, split string, n uint32) (*corev1.DatasetRef, *verifierv1.Spec, error) {
	stream, err := verifierv1.NewVerifierServiceClient(s.Conn).SampleTasks(ctx, &verifierv1.SampleTasksRequest{Pack: d.pack, Seed: seed,
		Split: split, Count: n, Preset: cmp.Or(d.preset, "demo")})
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
			return nil, nil, fmt.Errorf("sample the pack %s: %w", d.pack, err)
		}
		if m.GetSpec() != nil {
			judge = m.GetSpec()
		}
		for _, t := range m.GetTasks() {
			row := map[string]any{}
			if len(t.GetRowJson()) > 0 {
				if err := json.Unmarshal(t.GetRowJson(), &row); err != nil {
					return nil, nil, fmt.Errorf("a task of the pack %s: %w", d.pack, err)
				}
			}
			row["id"], row["prompt"], row["reference"] = t.GetId(), t.GetPrompt(), t.GetReference()
			if split == "train" {
				row["completion"] = t.GetCompletion()
			}
			if err := enc.Encode(row); err != nil {
				return nil, nil, err
			}
		}
	}
	if judge == nil {
		return nil, nil, errors.New("the pack named no verifier for its tasks")
	}
	ref, err := ingest(ctx, evaluatorv1.NewEvaluatorServiceClient(s.Conn), "demo-"+d.pack+"-"+split, &file)
	return ref, judge, err
}
