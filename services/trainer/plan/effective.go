// Package plan fills a TrainSpec with its defaults and says what of it is semantic: what must be equal for two runs to be
// the same run.
package plan

import (
	"crypto/sha256"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/objective"
)

// Plan is one stage with every number in place.
type Plan struct {
	Spec *trainerv1.TrainSpec // effective
	Row  objective.Row        // with the spec's overrides
	RL   bool
}

var names = map[trainerv1.Algorithm]string{
	trainerv1.Algorithm_ALGORITHM_SFT: "sft", trainerv1.Algorithm_ALGORITHM_GRPO: "grpo",
	trainerv1.Algorithm_ALGORITHM_DAPO: "dapo", trainerv1.Algorithm_ALGORITHM_GSPO: "gspo",
	trainerv1.Algorithm_ALGORITHM_DR_GRPO: "dr_grpo", trainerv1.Algorithm_ALGORITHM_DPO: "dpo",
	trainerv1.Algorithm_ALGORITHM_PPO: "ppo", trainerv1.Algorithm_ALGORITHM_REWARD_MODEL: "reward_model",
}

// Name is an algorithm's row in the objective table.
func Name(a trainerv1.Algorithm) string { return names[a] }

// Make fills in the defaults and refuses what cannot be meant. backend is the engine that was selected.
func Make(declared *trainerv1.TrainSpec, backend string) (Plan, error) {
	name := Name(declared.GetAlgorithm())
	if name == "dpo" || name == "reward_model" {
		return Plan{}, &engine.Error{Reason: "ENGINE_LACKS_ALGORITHM", Detail: name + " is not built in yet; set backend: trl"}
	}
	row, err := objective.Lookup(name)
	if err != nil {
		return Plan{}, err
	}
	if err := row.CheckTrainable(); err != nil {
		return Plan{}, err
	}
	s := proto.CloneOf(declared)
	p := Plan{Spec: s, RL: name != "sft"}
	s.Backend = backend
	if s.Threads == 0 {
		s.Threads = 2
	}
	if s.Device == "" {
		s.Device = "auto"
	}
	if s.Overlong == "" {
		s.Overlong = "error"
	}
	if s.Checkpoint == nil {
		s.Checkpoint = &trainerv1.CheckpointSpec{}
	}
	if s.Checkpoint.Every == 0 {
		s.Checkpoint.Every = 50
	}
	fillOptimizer(s, p.RL)
	if err := fillSampling(s, p.RL); err != nil {
		return Plan{}, err
	}
	p.Row, err = fillObjective(s, row)
	if err != nil {
		return Plan{}, err
	}
	return p, checkOptions(s)
}

func fill(p **float64, v float64) {
	if *p == nil {
		*p = &v
	}
}

func fillOptimizer(s *trainerv1.TrainSpec, rl bool) {
	if s.Optimizer == nil {
		s.Optimizer = &trainerv1.Optimizer{}
	}
	o := s.Optimizer
	lr, warmup, schedule := 3e-3, uint32(20), "cosine"
	if rl {
		lr, warmup, schedule = 3e-4, 5, "constant"
	}
	fill(&o.Lr, lr)
	fill(&o.Beta1, .9)
	fill(&o.Beta2, .98)
	fill(&o.Eps, 1e-8)
	fill(&o.WeightDecay, 0)
	fill(&o.MaxNorm, 1)
	if o.Warmup == nil {
		o.Warmup = &warmup
	}
	if o.Schedule == "" {
		o.Schedule = schedule
	}
}

func fillSampling(s *trainerv1.TrainSpec, rl bool) error {
	if !rl {
		if s.BatchSize == 0 {
			s.BatchSize = 32
		}
		s.Sampling = nil
		return nil
	}
	if s.Sampling == nil {
		s.Sampling = &trainerv1.Sampling{}
	}
	p := s.Sampling
	fill(&p.Temperature, 1)
	if p.MaxTokens == 0 {
		p.MaxTokens = 32
	}
	if p.GroupSize == 0 {
		p.GroupSize = 8
	}
	if p.PromptsPerStep == 0 {
		p.PromptsPerStep = 32
	}
	if p.GroupSize < 2 {
		return field("sampling.group_size", "a group of one has no advantage; want at least 2")
	}
	rows := p.GroupSize * p.PromptsPerStep
	if s.Minibatch == 0 {
		s.Minibatch = rows
	}
	if rows%s.Minibatch != 0 {
		return field("minibatch", fmt.Sprintf("%d does not divide the %d rows of a step", s.Minibatch, rows))
	}
	s.BatchSize = rows
	return nil
}

func fillObjective(s *trainerv1.TrainSpec, row objective.Row) (objective.Row, error) {
	if s.Objective == nil {
		s.Objective = &trainerv1.Objective{}
	}
	o := s.Objective
	fill(&o.ClipLow, row.Params.ClipLow)
	fill(&o.ClipHigh, row.Params.ClipHigh)
	fill(&o.Kl, row.Params.KL)
	fill(&o.EntropyCoef, row.Params.EntropyCoef)
	row.Params.ClipLow, row.Params.ClipHigh = o.GetClipLow(), o.GetClipHigh()
	row.Params.KL, row.Params.EntropyCoef, row.Params.DualClip = o.GetKl(), o.GetEntropyCoef(), o.GetDualClip()
	if o.Advantage == "" {
		o.Advantage = string(row.Estimator)
	}
	if o.Aggregation == "" {
		o.Aggregation = string(row.Params.Aggregation)
	}
	row.Estimator, row.Params.Aggregation = objective.Estimator(o.Advantage), objective.Aggregation(o.Aggregation)
	row.Params.MaxLen = int(s.GetSampling().GetMaxTokens())
	if row.DropFlat && o.MaxGenBatches == nil {
		o.MaxGenBatches = proto.Uint32(3)
	}
	if row.Overlong && o.OverlongCache == nil {
		o.OverlongCache = proto.Uint32(max(1, s.GetSampling().GetMaxTokens()/5))
	}
	if o.OverlongCache != nil {
		fill(&o.OverlongFactor, 1)
		// What the penalty refuses would end the run at its first step, after the rollouts are paid for.
		if _, err := objective.Overlong(0, int(s.GetSampling().GetMaxTokens()), int(o.GetOverlongCache()), o.GetOverlongFactor()); err != nil {
			return row, field("objective.overlong_cache", err.Error()+" (limit is sampling.max_tokens)")
		}
	}
	if err := row.Check(); err != nil {
		return row, field("objective", err.Error())
	}
	return row, nil
}

func checkOptions(s *trainerv1.TrainSpec) error {
	unsupported := func(what string) error {
		return &engine.Error{Reason: "OPTION_UNSUPPORTED", Detail: what + " needs a Python engine; set backend: trl, unsloth or verl"}
	}
	switch p, d := s.GetPeft(), s.GetDistributed(); {
	case p.GetLoadIn_4Bit() && p.GetLoadIn_8Bit():
		return field("peft", "load_in_4bit and load_in_8bit exclude each other")
	case p.GetLoadIn_4Bit() || p.GetLoadIn_8Bit():
		return unsupported("4-bit and 8-bit loading")
	case p.GetDropout() != 0:
		return unsupported("peft.dropout")
	case p.GetBias() != "" && p.GetBias() != "none":
		return unsupported("peft.bias " + p.GetBias())
	case d.GetStrategy() != "" && d.GetStrategy() != "none", d.GetNumGpus() > 1, d.GetNumNodes() > 1:
		return unsupported("distributed training")
	}
	return nil
}

func field(name, why string) error {
	return &engine.Error{Reason: "INVALID_ARGUMENT", Detail: name + ": " + why}
}

// Semantic is the part of the effective spec that decides the bytes of a run: no threads, no device.
func (p Plan) Semantic() ([]byte, [32]byte, error) {
	s := proto.CloneOf(p.Spec)
	s.Threads, s.Device = 0, ""
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(s)
	return b, sha256.Sum256(b), err
}

// LR is the learning rate of a step, counted from 0 within the stage: linear warm-up, then constant or half a cosine.
func (p Plan) LR(step uint64) float64 {
	o := p.Spec.GetOptimizer()
	lr, warm, total := o.GetLr(), float64(o.GetWarmup()), float64(p.Spec.GetMaxSteps())
	at := float64(step)
	if at < warm {
		return lr * (at + 1) / (warm + 1)
	}
	if o.GetSchedule() == "cosine" && total > warm {
		return lr * (1 + math.Cos(math.Pi*(at-warm)/(total-warm))) / 2
	}
	return lr
}

// Hyper is what the engine uses at a step.
func (p Plan) Hyper(step uint64) engine.Hyper {
	o := p.Spec.GetOptimizer()
	h := p.Row.Hyper()
	h.LR, h.Beta1, h.Beta2, h.Eps = p.LR(step), o.GetBeta1(), o.GetBeta2(), o.GetEps()
	h.WeightDecay, h.MaxNorm = o.GetWeightDecay(), o.GetMaxNorm()
	h.Temperature = 1
	if p.RL {
		h.Temperature = p.Spec.GetSampling().GetTemperature()
	}
	h.MicroBatch = int(p.Spec.GetMicroBatch())
	return h
}

// Differs lists where the effective spec is not what was declared, defaults apart: what somebody else decided.
func Differs(declared *trainerv1.TrainSpec, p Plan, device, note string) []*corev1.Diff {
	var out []*corev1.Diff
	add := func(path, was, is, why string) {
		if was != is && was != "" {
			out = append(out, &corev1.Diff{Path: path, Declared: was, Effective: is, Why: why})
		}
	}
	add("backend", declared.GetBackend(), p.Spec.GetBackend(), "auto takes the first engine that fits")
	add("device", declared.GetDevice(), device, note)
	return out
}
