// Package run says what a run is: its stages, its semantic part, its states. It is pure.
package run

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// Stage is one Train stream of a run.
type Stage struct {
	Index     uint32
	Name      string // sft, grpo, …
	FirstStep uint64 // of the run
	Spec      *trainerv1.TrainSpec
	RL        bool
	// EvalSteps are steps within the stage, counted from 1, after which the policy is evaluated; each is a checkpoint step.
	EvalSteps []uint64
	// EvalBefore asks for an evaluation of the stage's starting weights: the "before" of the final line.
	EvalBefore bool
}

// Stages are the stages of a spec: the warm-up, if there is one, and the algorithm.
func Stages(s *orchestratorv1.RunSpec) []Stage {
	var out []Stage
	first := uint64(0)
	model := s.GetModel()
	if w := s.GetWarmup(); w != nil {
		data := w.GetDataset()
		if data == nil {
			data = s.GetTrain()
		}
		every := w.GetCheckpointEvery()
		if every == 0 {
			every = uint32(min(w.GetSteps(), 1<<31))
		}
		out = append(out, Stage{Name: "sft", Spec: &trainerv1.TrainSpec{
			Backend: s.GetEngine().GetBackend(), Dataset: data, Model: model, Algorithm: trainerv1.Algorithm_ALGORITHM_SFT,
			Peft: s.GetPeft(), Distributed: s.GetDistributed(), Device: s.GetEngine().GetDevice(), Optimizer: w.GetOptimizer(),
			MaxSteps: w.GetSteps(), BatchSize: w.GetBatchSize(), Seed: s.GetSeed(), Threads: s.GetEngine().GetThreads(),
			Checkpoint: &trainerv1.CheckpointSpec{Every: every}, Overlong: s.GetHyper().GetOverlong(),
		}})
		first, model = w.GetSteps(), nil
	}
	h := s.GetHyper()
	main := Stage{Index: uint32(len(out)), Name: Name(s.GetAlgorithm()), FirstStep: first, Spec: &trainerv1.TrainSpec{
		Backend: s.GetEngine().GetBackend(), Dataset: s.GetTrain(), Model: model, Algorithm: s.GetAlgorithm(), Objective: h.GetObjective(),
		Peft: s.GetPeft(), Distributed: s.GetDistributed(), Device: s.GetEngine().GetDevice(), Optimizer: h.GetOptimizer(),
		Sampling: h.GetSampling(), MaxSteps: h.GetMaxSteps(), BatchSize: h.GetBatchSize(), MicroBatch: h.GetMicroBatch(),
		Minibatch: h.GetMinibatch(), Seed: s.GetSeed(), Checkpoint: h.GetCheckpoint(), Threads: s.GetEngine().GetThreads(),
		Overlong: h.GetOverlong(), Inject: s.GetEngine().GetInject(),
	}}
	main.RL = s.GetAlgorithm() != trainerv1.Algorithm_ALGORITHM_SFT
	if s.GetEval() != nil {
		main.EvalBefore = true
		main.EvalSteps = evalSteps(s.GetGate().GetEvalEvery(), h.GetMaxSteps())
	}
	out = append(out, main)
	for i := range out {
		out[i].Spec = proto.CloneOf(out[i].Spec)
	}
	return out
}

func evalSteps(every uint32, steps uint64) []uint64 {
	var out []uint64
	if every > 0 {
		for at := uint64(every); at < steps; at += uint64(every) {
			out = append(out, at)
		}
	}
	return append(out, steps)
}

// Name is an algorithm as people write it.
func Name(a trainerv1.Algorithm) string {
	switch a {
	case trainerv1.Algorithm_ALGORITHM_SFT:
		return "sft"
	case trainerv1.Algorithm_ALGORITHM_GRPO:
		return "grpo"
	case trainerv1.Algorithm_ALGORITHM_DAPO:
		return "dapo"
	case trainerv1.Algorithm_ALGORITHM_GSPO:
		return "gspo"
	case trainerv1.Algorithm_ALGORITHM_DR_GRPO:
		return "dr_grpo"
	case trainerv1.Algorithm_ALGORITHM_DPO:
		return "dpo"
	case trainerv1.Algorithm_ALGORITHM_PPO:
		return "ppo"
	case trainerv1.Algorithm_ALGORITHM_REWARD_MODEL:
		return "reward_model"
	default:
		return ""
	}
}

// Declared is the semantic part of a spec: no name, label, thread or device. It is what CONFIG records.
func Declared(s *orchestratorv1.RunSpec) ([]byte, error) {
	c := proto.CloneOf(s)
	c.DisplayName, c.Labels = "", nil
	if c.Engine != nil {
		c.Engine.Threads, c.Engine.Device = 0, ""
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(c)
}

// Problem is what is wrong with a spec beyond the rules of its fields.
type Problem struct{ Field, Why string }

func (p Problem) Error() string { return p.Field + ": " + p.Why }

// Check finds what the field rules cannot.
func Check(s *orchestratorv1.RunSpec) error {
	rl := s.GetAlgorithm() != trainerv1.Algorithm_ALGORITHM_SFT
	switch {
	case !isDigest(s.GetTrain()):
		return Problem{"train", "needs the digest of an ingested dataset"}
	case s.GetEval() != nil && !isDigest(s.GetEval()):
		return Problem{"eval", "needs the digest of an ingested dataset"}
	case s.GetWarmup().GetDataset() != nil && !isDigest(s.GetWarmup().GetDataset()):
		return Problem{"warmup.dataset", "needs the digest of an ingested dataset"}
	case rl && s.GetVerifier() == nil:
		return Problem{"verifier", fmt.Sprintf("%s needs one: without a verdict there is no reward", Name(s.GetAlgorithm()))}
	case s.GetEval() != nil && s.GetVerifier() == nil && s.GetGate().GetMetric() == "":
		return Problem{"gate.metric", "an evaluation without a verifier needs a metric, such as exact_match"}
	}
	return nil
}

func isDigest(d *corev1.DatasetRef) bool { return len(d.GetDigest()) == 32 }

// Strictest is the verifier that evaluations ask: the held-out one where there is one. A paid verifier with a hole would
// report the hole as accuracy.
func Strictest(s *orchestratorv1.RunSpec) *verifierv1.Spec {
	if v := s.GetHeldoutVerifier(); v != nil {
		return v
	}
	return s.GetVerifier()
}

// Metric is what evaluations of the run measure.
func Metric(s *orchestratorv1.RunSpec) string {
	if m := s.GetGate().GetMetric(); m != "" {
		return m
	}
	return "verifier"
}
