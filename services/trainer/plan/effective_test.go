package plan

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/trainer/engine"
)

func TestDefaultsOfEachRow(t *testing.T) {
	for _, c := range []struct {
		algorithm       trainerv1.Algorithm
		clipHigh, kl    float64
		aggregation     string
		refills, overlg uint32
	}{
		{trainerv1.Algorithm_ALGORITHM_GRPO, .2, .005, "sequence_mean", 0, 0},
		{trainerv1.Algorithm_ALGORITHM_DAPO, .28, 0, "token_mean", 3, 6},
		{trainerv1.Algorithm_ALGORITHM_GSPO, 4e-4, 0, "sequence_mean", 0, 0},
		{trainerv1.Algorithm_ALGORITHM_DR_GRPO, .2, 0, "constant", 0, 0},
	} {
		p, err := Make(&trainerv1.TrainSpec{Algorithm: c.algorithm, MaxSteps: 10}, "builtin")
		if err != nil {
			t.Fatal(err)
		}
		o := p.Spec.GetObjective()
		if o.GetClipHigh() != c.clipHigh || o.GetKl() != c.kl || o.GetAggregation() != c.aggregation ||
			o.GetMaxGenBatches() != c.refills || o.GetOverlongCache() != c.overlg || !p.RL || p.Spec.GetBatchSize() != 256 {
			t.Errorf("%s: got %v", c.algorithm, p.Spec)
		}
	}
}

func TestWhatCannotBeMeant(t *testing.T) {
	grpo := trainerv1.Algorithm_ALGORITHM_GRPO
	for _, c := range []struct {
		name, reason, in string
		spec             *trainerv1.TrainSpec
	}{
		{"ppo", "ENGINE_LACKS_ALGORITHM", "verl", &trainerv1.TrainSpec{Algorithm: trainerv1.Algorithm_ALGORITHM_PPO}},
		{"dpo", "ENGINE_LACKS_ALGORITHM", "trl", &trainerv1.TrainSpec{Algorithm: trainerv1.Algorithm_ALGORITHM_DPO}},
		{"group of one", "INVALID_ARGUMENT", "at least 2", &trainerv1.TrainSpec{Algorithm: grpo, Sampling: &trainerv1.Sampling{GroupSize: 1}}},
		{"minibatch", "INVALID_ARGUMENT", "does not divide", &trainerv1.TrainSpec{Algorithm: grpo, Minibatch: 100}},
		{"clip-higher", "INVALID_ARGUMENT", "clip_high", &trainerv1.TrainSpec{Algorithm: trainerv1.Algorithm_ALGORITHM_DAPO,
			Objective: &trainerv1.Objective{ClipHigh: proto.Float64(.1)}}},
		{"4 bit", "OPTION_UNSUPPORTED", "4-bit", &trainerv1.TrainSpec{Algorithm: grpo, Peft: &trainerv1.PeftSpec{LoadIn_4Bit: true}}},
		{"both", "INVALID_ARGUMENT", "exclude", &trainerv1.TrainSpec{Algorithm: grpo, Peft: &trainerv1.PeftSpec{LoadIn_4Bit: true, LoadIn_8Bit: true}}},
		{"dropout", "OPTION_UNSUPPORTED", "dropout", &trainerv1.TrainSpec{Algorithm: grpo, Peft: &trainerv1.PeftSpec{Dropout: .1}}},
		{"fsdp", "OPTION_UNSUPPORTED", "distributed", &trainerv1.TrainSpec{Algorithm: grpo, Distributed: &trainerv1.Distributed{Strategy: "fsdp"}}},
	} {
		_, err := Make(c.spec, "builtin")
		if engine.ReasonOf(err) != c.reason || !strings.Contains(err.Error(), c.in) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

func TestThreadsAndDeviceAreNotSemantic(t *testing.T) {
	digest := func(s *trainerv1.TrainSpec) [32]byte {
		p, err := Make(s, "builtin")
		if err != nil {
			t.Fatal(err)
		}
		_, d, err := p.Semantic()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	base := &trainerv1.TrainSpec{Algorithm: trainerv1.Algorithm_ALGORITHM_GRPO, MaxSteps: 3, Seed: 1}
	same := proto.CloneOf(base)
	same.Threads, same.Device = 4, "cpu"
	other := proto.CloneOf(base)
	other.Seed = 2
	if digest(base) != digest(same) || digest(base) == digest(other) {
		t.Error("the semantic digest depends on the wrong things")
	}
}

func TestSchedule(t *testing.T) {
	p, err := Make(&trainerv1.TrainSpec{Algorithm: trainerv1.Algorithm_ALGORITHM_SFT, MaxSteps: 120,
		Optimizer: &trainerv1.Optimizer{Lr: proto.Float64(1), Warmup: proto.Uint32(20)}}, "builtin")
	if err != nil {
		t.Fatal(err)
	}
	for step, want := range map[uint64]float64{0: 1. / 21, 19: 20. / 21, 20: 1, 70: .5} {
		if got := p.LR(step); math.Abs(got-want) > 1e-12 {
			t.Errorf("LR(%d) = %g, want %g", step, got, want)
		}
	}
	if p.LR(119) <= 0 {
		t.Error("the last step has no learning rate")
	}
}
