package detect_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/metric"
)

// learned is a policy that learns demonstrations by heart: entropy falls to nothing, KL climbs.
func learned(step uint64) row {
	x := float64(step)
	return row{metric.Entropy: 2 * math.Exp(-x/8), metric.KLRef: 0.01 + x*x/100, metric.GradNorm: 1, metric.LossPolicy: math.Exp(-x / 8),
		metric.RewardMean: 1 - x/40, metric.LengthMean: 10 + x*x, metric.FracZeroStd: 1, metric.TruncatedFrac: 1, metric.AdvantageStd: 0}
}

func TestAStageIsJudgedByItsOwnObjective(t *testing.T) {
	imitation := []string{"entropy_", "kl_", "reward_", "zero_signal", "length_", "truncation", "advantage_"}
	for _, c := range []struct {
		name, method, objective string
		change                  row // over what is learned
		heard, silent           []string
	}{
		{"imitation in a grpo run", "grpo", "sft", nil, nil, imitation},
		{"imitation with a capital", "grpo", "SFT", nil, nil, imitation},
		{"a run that says nothing of its stage", "grpo", "", nil, []string{"entropy_collapse", "kl_blowup", "zero_signal"}, nil},
		{"RL in a run whose method is sft", "sft", "grpo", nil, []string{"entropy_collapse", "kl_blowup", "zero_signal"}, nil},
		{"imitation still fails by its gradient", "grpo", "sft", row{metric.GradNorm: 4000}, []string{"grad_explosion"}, imitation},
		{"imitation still fails by a NaN", "grpo", "sft", row{metric.LossPolicy: math.NaN()}, []string{"non_finite"}, imitation},
		{"20 is no gradient to worry about in SFT", "grpo", "sft", row{metric.GradNorm: 20}, nil, []string{"grad_"}},
		{"20 is in RL", "sft", "grpo", row{metric.GradNorm: 20}, []string{"grad_high"}, nil},
		{"hundreds are healthy in DPO", "grpo", "dpo", row{metric.GradNorm: 300}, nil, []string{"grad_"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRun(t, detect.Config{Method: c.method})
			for step := range uint64(40) {
				values := learned(step)
				for name, x := range c.change {
					values[name] = x
				}
				r.add(values, func(s *detect.Sample) { s.Objective = c.objective })
			}
			found := r.opened()
			starts := func(p string) bool {
				return slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, p) })
			}
			for _, p := range c.heard {
				if !starts(p) {
					t.Errorf("no %s in %v", p, found)
				}
			}
			for _, p := range c.silent {
				if starts(p) {
					t.Errorf("%s in %v", p, found)
				}
			}
		})
	}
}

func TestWhatAStageDoesNotShowStaysUnknown(t *testing.T) {
	r := newRun(t, detect.Config{Method: "grpo"})
	r.add(learned(0), func(s *detect.Sample) { s.Objective = "sft" })
	if u := r.engine.Unchecked(); !slices.Contains(u, "entropy_collapse") || slices.Contains(u, "grad_explosion") {
		t.Errorf("after imitation: %v", u)
	}
	r.add(learned(0), func(s *detect.Sample) { s.Objective, s.Stage = "grpo", 1 })
	if u := r.engine.Unchecked(); slices.Contains(u, "entropy_collapse") {
		t.Errorf("after RL: %v", u)
	}
}

// A healthy SFT stage and a healthy RL stage one after another: the second starts from the entropy that the first left.
func TestANewStageStartsItsOwnBaseline(t *testing.T) {
	r, h := newRun(t, detect.Config{Method: "grpo"}), newHealthy(3)
	for step := range uint64(40) {
		r.add(learned(step), func(s *detect.Sample) { s.Objective = "sft" })
	}
	for step := range uint64(60) {
		values := h.at(step)
		values[metric.Entropy] /= 3
		r.add(values, func(s *detect.Sample) { s.Objective, s.Stage = "grpo", 1 })
	}
	if got := r.opened(); len(got) > 0 {
		t.Errorf("healthy stages opened %v", got)
	}
}

func TestAnIncidentEndsWithItsStage(t *testing.T) {
	r := newRun(t, detect.Config{Method: "grpo"})
	for range 5 {
		r.add(row{metric.FracZeroStd: 1}, func(s *detect.Sample) { s.Objective = "grpo" })
	}
	if !r.tracker.IsOpen("zero_signal") {
		t.Fatal("5 steps without a signal opened nothing")
	}
	r.add(row{metric.GradNorm: 1}, func(s *detect.Sample) { s.Objective, s.Stage = "sft", 1 })
	last := r.events[len(r.events)-1]
	if r.tracker.IsOpen("zero_signal") || last.What != incident.Resolve || !strings.Contains(last.Detail, "superseded") {
		t.Errorf("the stage is over and the last event is %+v", last)
	}
	if r.engine.Attempts() != 1 {
		t.Errorf("%d attempts; a stage is none", r.engine.Attempts())
	}
}
