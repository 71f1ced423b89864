package trainer_test

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// The rows of trainer.md section 7 that a stage can bring about. What is behind them in detail: plan, rows, engine,
// safetensors.

func TestBadSpecsAreRefusedByTheirField(t *testing.T) {
	r := newRoom(t)
	nan := math.NaN()
	peft := func(p *trainerv1.PeftSpec) func(*trainerv1.TrainSpec) {
		return func(s *trainerv1.TrainSpec) { s.Peft = p }
	}
	for _, c := range []struct {
		name, want, says string
		change           func(*trainerv1.TrainSpec)
	}{
		{"stub", "BACKEND_UNKNOWN", "no stub", func(s *trainerv1.TrainSpec) { s.Backend = "stub" }},
		{"an unknown engine", "BACKEND_UNKNOWN", "tabular", func(s *trainerv1.TrainSpec) { s.Backend = "tabbular" }},
		{"an engine that is not here", "ENGINE_UNAVAILABLE", "Python worker", func(s *trainerv1.TrainSpec) { s.Backend = "verl" }},
		{"learning rate 0", "INVALID_ARGUMENT", "lr", func(s *trainerv1.TrainSpec) { s.Optimizer.Lr = proto.Float64(0) }},
		{"learning rate below 0", "INVALID_ARGUMENT", "lr", func(s *trainerv1.TrainSpec) { s.Optimizer.Lr = proto.Float64(-1) }},
		{"learning rate NaN", "INVALID_ARGUMENT", "lr", func(s *trainerv1.TrainSpec) { s.Optimizer.Lr = &nan }},
		{"temperature NaN", "INVALID_ARGUMENT", "temperature", func(s *trainerv1.TrainSpec) { s.Sampling.Temperature = &nan }},
		{"a group of one", "INVALID_ARGUMENT", "group_size", func(s *trainerv1.TrainSpec) { s.Sampling.GroupSize = 1 }},
		{"no steps", "INVALID_ARGUMENT", "max_steps", func(s *trainerv1.TrainSpec) { s.MaxSteps = 0 }},
		{"clip_high below clip_low", "INVALID_ARGUMENT", "clip_high", func(s *trainerv1.TrainSpec) {
			s.Algorithm, s.Objective = trainerv1.Algorithm_ALGORITHM_DAPO, &trainerv1.Objective{ClipLow: proto.Float64(.3), ClipHigh: proto.Float64(.2)}
		}},
		{"4-bit and 8-bit", "INVALID_ARGUMENT", "exclude", func(s *trainerv1.TrainSpec) {
			s.Backend, s.Peft = "tabular", &trainerv1.PeftSpec{Rank: 4, Alpha: 8, LoadIn_4Bit: true, LoadIn_8Bit: true}
		}},
		{"an adapter of a table", "OPTION_UNSUPPORTED", "builtin", peft(&trainerv1.PeftSpec{Rank: 4, Alpha: 8})},
		{"an unknown overlong", "INVALID_ARGUMENT", "overlong", func(s *trainerv1.TrainSpec) { s.Overlong = "cut" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := r.client.PlanTraining(t.Context(), &trainerv1.PlanTrainingRequest{Spec: r.grpo(2, c.change)})
			if c.name == "4-bit and 8-bit" {
				c.want, c.says = "OPTION_UNSUPPORTED", "peft" // the engine is asked first
			}
			if !rpc.Is(err, reason(c.want)) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %s that says %q", err, c.want, c.says)
			}
			if _, err := r.orchestrate(r.grpo(2, c.change), newRun(t)).run(t.Context()); !rpc.Is(err, reason(c.want)) {
				t.Errorf("the stage itself: %v, want %s", err, c.want)
			}
		})
	}
}

// A reward that is no number is no reward: it is out of every mean, and counted by its reason.
func TestARewardThatIsNoNumberIsUnscored(t *testing.T) {
	r := newRoom(t)
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		o := r.orchestrate(r.grpo(1, nil), newRun(t))
		o.pay = func(x *corev1.Rollout) *corev1.Reward {
			switch sample(x) {
			case "0":
				return scored(bad)
			case "1":
				return scored(1)
			}
			return scored(.5)
		}
		f := o.must().facts[0]
		mean := metric(f, "reward.mean")
		if !f.GetApplied() || math.Abs(mean-(1+6*.5)/7) > 1e-9 {
			t.Errorf("%v: applied %v, mean %v", bad, f.GetApplied(), mean)
		}
		if u := f.GetUnscored(); len(u) != 1 || u[0].GetName() != "non_finite" || u[0].GetRows() != 3 || f.GetRowsScored() != 21 {
			t.Errorf("%v: unscored %v, scored %d", bad, u, f.GetRowsScored())
		}
	}
}

// Rows that cannot be trained are named, twenty of them, and all are counted.
func TestBadDatasetsAreCounted(t *testing.T) {
	r := newRoom(t)
	for _, c := range []struct {
		name, says, text string
	}{
		{"no prompt", "40 rows", strings.Repeat(`{"completion":"a"}`+"\n", 40)},
		{"an empty completion", "40 of 41 rows", `{"prompt":"q","completion":"a"}` + "\n" + strings.Repeat(`{"prompt":"q","completion":""}`+"\n", 40)},
		{"not UTF-8", "1 rows", `{"prompt":"q","completion":"a"}` + "\n" + `{"prompt":"` + "\xc3(" + `","completion":"a"}` + "\n"},
		{"too long", "1 of 1 rows", `{"prompt":"` + strings.Repeat("x", 5000) + `","completion":"a"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := r.sft(1)
			spec.Dataset.Digest = r.blob(c.text)
			_, err := r.orchestrate(spec, newRun(t)).run(t.Context())
			if !rpc.Is(err, reason("DATASET_INVALID")) || !strings.Contains(err.Error(), c.says) || strings.Count(err.Error(), "row") > 25 {
				t.Errorf("%v", err)
			}
		})
	}
}
