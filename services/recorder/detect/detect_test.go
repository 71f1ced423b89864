package detect_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/metric"
)

func beta(x float64) *float64 { return &x }

// constant gives the same row at every step.
func constant(values row) func(uint64) row { return func(uint64) row { return values } }

// from changes to another row at a step.
func from(step uint64, before, after row) func(uint64) row {
	return func(s uint64) row {
		if s < step {
			return before
		}
		return after
	}
}

func one(name string, f func(step uint64) float64) func(uint64) row {
	return func(s uint64) row { return row{name: f(s)} }
}

func wave(step uint64) float64 { return math.Sin(float64(step) * 1.7) }

func TestKinds(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	tests := []struct {
		name  string
		cfg   detect.Config
		steps uint64
		rows  func(step uint64) row
		want  []string // opened and escalated, in order
	}{
		{"only two metrics, nothing wrong", detect.Config{}, 100, constant(row{metric.KLRef: 0.02, metric.Entropy: 1.4}), nil},
		{"empty rows", detect.Config{}, 50, constant(row{}), nil},

		{"kl far over its limit", detect.Config{}, 40, from(30, row{metric.KLRef: 0.02}, row{metric.KLRef: 2.5}),
			[]string{"kl_blowup critical@30"}},
		{"kl over 0.5 from the start", detect.Config{}, 10, constant(row{metric.KLRef: 0.8}), []string{"kl_blowup critical@0"}},
		{"kl over 0.5 and always so", detect.Config{}, 40, from(1, row{metric.KLRef: 0.4}, row{metric.KLRef: 0.6}), []string{"kl_blowup critical@1"}},
		{"kl grows without a KL term", detect.Config{Beta: beta(0)}, 60, from(30, row{metric.KLRef: 0.1}, row{metric.KLRef: 3}),
			[]string{"kl_blowup warn@30"}},
		{"kl creeps", detect.Config{}, 200, one(metric.KLRef, func(s uint64) float64 { return 0.05 * math.Exp(0.01*float64(s)+0.03*wave(s)) }),
			[]string{"kl_creep warn@"}},
		{"kl collapses", detect.Config{Beta: beta(0.01)}, 20, from(5, row{metric.KLRef: 0.01}, row{metric.KLRef: 1e-9}), []string{"kl_collapse warn@5"}},
		{"kl exactly 0", detect.Config{Beta: beta(0.01)}, 50, constant(row{metric.KLRef: 0}), nil},
		{"kl absent", detect.Config{Beta: beta(0.01)}, 50, constant(row{metric.Entropy: 1}), nil},

		{"entropy halves at once", detect.Config{}, 60, from(30, row{metric.Entropy: 2}, row{metric.Entropy: 0.8}),
			[]string{"entropy_collapse critical@32", "entropy_drift warn@"}},
		{"entropy anneals", detect.Config{}, 400, one(metric.Entropy, func(s uint64) float64 { return 2 * math.Exp(-float64(s)/300) }),
			[]string{"entropy_drift warn@"}},
		{"entropy missing once, high once", detect.Config{}, 60, func(s uint64) row {
			switch s {
			case 20:
				return row{}
			case 30:
				return row{metric.Entropy: 8}
			}
			return row{metric.Entropy: 2}
		}, nil},
		{"entropy first value high", detect.Config{}, 60, from(1, row{metric.Entropy: 8}, row{metric.Entropy: 2}), nil},
		{"entropy starts low", detect.Config{}, 60, constant(row{metric.Entropy: 0.08}), []string{"entropy_drift warn@0"}},
		{"entropy halves where it is low already", detect.Config{}, 60, from(30, row{metric.Entropy: 0.08}, row{metric.Entropy: 0.03}),
			[]string{"entropy_drift warn@0", "entropy_collapse warn@32", "entropy_drift warn@32"}},
		{"entropy explodes", detect.Config{}, 60, one(metric.Entropy, func(s uint64) float64 { return 0.5 * math.Exp(max(0, float64(s)-30)/8) }),
			[]string{"entropy_explosion warn@", "entropy_explosion critical@"}},

		{"length explodes", detect.Config{}, 60, from(30, row{metric.LengthMean: 40}, row{metric.LengthMean: 200}), []string{"length_explosion warn@31"}},
		{"length collapses", detect.Config{}, 60, from(30, row{metric.LengthMean: 400}, row{metric.LengthMean: 20}), []string{"length_collapse warn@31"}},
		{"first length short", detect.Config{}, 60, from(1, row{metric.LengthMean: 10}, row{metric.LengthMean: 40}), nil},
		{"length creeps, reward does not", detect.Config{}, 150, func(s uint64) row {
			return row{metric.LengthMean: 100 * math.Exp(0.006*float64(s)), metric.RewardMean: 0.5 + 0.01*wave(s)}
		}, []string{"reward_plateau info@", "length_creep warn@"}},
		{"length creeps with the reward", detect.Config{}, 150, func(s uint64) row {
			return row{metric.LengthMean: 100 * math.Exp(0.006*float64(s)), metric.RewardMean: 0.1 + 0.005*float64(s) + 0.01*wave(s)}
		}, nil},

		{"truncated", detect.Config{}, 60, from(30, row{metric.TruncatedFrac: 0.1}, row{metric.TruncatedFrac: 0.5}), []string{"truncation warn@30"}},
		{"all truncated", detect.Config{}, 60, from(30, row{metric.TruncatedFrac: 0.1}, row{metric.TruncatedFrac: 0.9}), []string{"truncation critical@30"}},

		{"cut from the first step on", detect.Config{}, 60, constant(row{metric.TruncatedFrac: 1, metric.LengthMean: 16}), []string{"truncation info@0"}},
		{"cut from the first step on, as TRL says it", detect.Config{}, 60, constant(row{metric.TruncatedFrac: 1, metric.TerminatedMean: 0}), []string{"truncation info@0"}},
		{"cut from the first step on and some end", detect.Config{}, 60, constant(row{metric.TruncatedFrac: 1, metric.TerminatedMean: 12}), []string{"truncation critical@0"}},
		{"most cut from the first step on", detect.Config{}, 60, constant(row{metric.TruncatedFrac: 0.75}), []string{"truncation warn@0"}},
		{"cut for good after one that ended", detect.Config{}, 60, from(1, row{metric.TruncatedFrac: 0.99}, row{metric.TruncatedFrac: 1}), []string{"truncation critical@0"}},
		{"cut from the first step on and one ends by accident", detect.Config{}, 60, func(s uint64) row {
			if s == 8 {
				return row{metric.TruncatedFrac: 0.875, metric.TerminatedMean: 11}
			}
			return row{metric.TruncatedFrac: 1, metric.TerminatedMean: 0}
		}, []string{"truncation info@0"}},
		{"a fixed length that is given up", detect.Config{}, 60, from(30, row{metric.TruncatedFrac: 1}, row{metric.TruncatedFrac: 0.6}),
			[]string{"truncation info@0", "truncation warn@0"}},

		{"most groups without signal", detect.Config{}, 20, constant(row{metric.FracZeroStd: 0.9}), []string{"zero_signal warn@0"}},
		{"no group with signal", detect.Config{}, 20, from(10, row{metric.FracZeroStd: 0.3}, row{metric.FracZeroStd: 1}), []string{"zero_signal critical@10"}},
		{"reward spread gone", detect.Config{}, 20, from(10, row{metric.RewardStd: 0.3}, row{metric.RewardStd: 0}), []string{"reward_std_collapse warn@10"}},
		{"reward spread and signal gone", detect.Config{}, 20, constant(row{metric.RewardStd: 0, metric.FracZeroStd: 1}),
			[]string{"zero_signal critical@0", "reward_std_collapse warn@0", "reward_std_collapse critical@0"}},
		{"advantage spread gone", detect.Config{}, 20, from(10, row{metric.AdvantageStd: 1}, row{metric.AdvantageStd: 0}), []string{"advantage_collapse critical@10"}},

		{"constant reward jumps", detect.Config{}, 31, from(30, row{metric.RewardMean: 0.3}, row{metric.RewardMean: 1}), []string{"reward_plateau info@", "reward_spike warn@30"}},
		{"reward drifts by a hair", detect.Config{}, 15, one(metric.RewardMean, func(s uint64) float64 { return 0.3 + 0.001*float64(s%2) }), nil},
		{"reward stands still", detect.Config{}, 60, one(metric.RewardMean, func(s uint64) float64 { return 0.4 + 0.001*wave(s) }), []string{"reward_plateau info@19"}},
		{"reward at its ceiling", detect.Config{}, 60, one(metric.RewardMean, func(s uint64) float64 { return 0.98 + 0.001*wave(s) }), nil},
		{"reward falls by half", detect.Config{}, 120, one(metric.RewardMean, func(s uint64) float64 { return 0.8 - 0.006*max(0, float64(s)-40) + 0.005*wave(s) }),
			[]string{"reward_plateau info@", "reward_decline warn@", "reward_decline critical@"}},

		{"gradient explodes", detect.Config{}, 40, from(30, row{metric.GradNorm: 1}, row{metric.GradNorm: 500}), []string{"grad_explosion critical@30", "grad_high warn@30"}},
		{"gradient of a healthy dpo run", detect.Config{Method: "dpo"}, 60, one(metric.GradNorm, func(s uint64) float64 { return 205 + 40*wave(s) }), nil},
		{"gradient of a dpo run explodes", detect.Config{Method: "dpo"}, 40, from(30, row{metric.GradNorm: 200}, row{metric.GradNorm: 90000}), []string{"grad_explosion critical@30"}},
		{"gradient high for RL", detect.Config{}, 40, constant(row{metric.GradNorm: 20}), []string{"grad_high warn@0"}},
		{"gradient high for SFT", detect.Config{Method: "sft"}, 40, constant(row{metric.GradNorm: 20}), nil},
		{"gradient vanishes", detect.Config{}, 40, from(30, row{metric.GradNorm: 1}, row{metric.GradNorm: 0}), []string{"grad_vanished warn@30"}},

		{"NaN loss", detect.Config{}, 20, from(10, row{metric.LossPolicy: 1}, row{metric.LossPolicy: nan}), []string{"non_finite critical@10"}},
		{"infinite unknown metric", detect.Config{}, 20, from(10, row{"raw.x": 1}, row{"raw.x": inf}), []string{"non_finite warn@10"}},
		{"one NaN reward", detect.Config{}, 20, func(s uint64) row {
			if s == 7 {
				return row{metric.RewardMean: nan}
			}
			return row{metric.RewardMean: 0.5 + 0.1*wave(s)}
		}, []string{"non_finite critical@7"}},
		{"a huge value", detect.Config{}, 20, constant(row{metric.RewardMean: 1e308, metric.KLRef: 1e308}), []string{"kl_blowup critical@0"}},
		{"negative norm", detect.Config{}, 20, constant(row{metric.GradNorm: -1}), []string{"metric_invalid warn@0"}},
		{"fraction of 3", detect.Config{}, 20, constant(row{metric.FracNoSignal: 3}), []string{"metric_invalid warn@0", "zero_signal critical@0"}},
		{"metric vanishes", detect.Config{}, 60, from(30, row{metric.GradNorm: 1, "raw.x": 1}, row{metric.GradNorm: 1}), []string{"metric_vanished warn@32"}},
		{"reward vanishes", detect.Config{}, 60, from(30, row{metric.RewardMean: 0.97, "raw.x": 1}, row{"raw.x": 1}), []string{"metric_vanished critical@32"}},
		{"metric reported now and then", detect.Config{}, 300, func(s uint64) row {
			if s%10 == 0 {
				return row{"raw.x": 1}
			}
			return row{}
		}, nil},
		{"disabled", detect.Config{Disabled: []string{"kl_blowup"}}, 40, constant(row{metric.KLRef: 3}), nil},
		{"own limit", detect.Config{Limits: map[string]float64{"grad_norm_max": 5}}, 4, constant(row{metric.GradNorm: 6}), []string{"grad_explosion critical@0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRun(t, tt.cfg)
			for s := range tt.steps {
				r.add(tt.rows(s), nil)
			}
			got := r.opened()
			if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestStepCounter(t *testing.T) {
	tests := []struct {
		name  string
		steps []uint64
		want  []string
	}{
		{"even", []uint64{0, 1, 2, 3, 4, 5, 6, 7}, nil},
		{"logged every tenth", []uint64{0, 10, 20, 30, 40, 50, 60}, nil},
		{"gap", []uint64{0, 1, 2, 3, 4, 5, 9, 10}, []string{"step_gap warn@9"}},
		{"goes back", []uint64{5, 6, 7, 8, 2, 3}, []string{"step_regress warn@2"}},
		{"repeats", []uint64{0, 1, 1, 2}, []string{"step_repeat critical@1"}},
		{"stands still", []uint64{0, 1, 1, 1, 1, 1, 1, 1}, []string{"step_repeat critical@1", "step_frozen warn@1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRun(t, detect.Config{})
			for i, step := range tt.steps {
				r.add(row{}, func(s *detect.Sample) { s.Step, s.Digest = step, [32]byte{byte(i)} })
			}
			if got := r.opened(); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	r := newRun(t, detect.Config{})
	for range 10 {
		r.add(row{}, func(s *detect.Sample) { s.Step, s.Digest = 4, [32]byte{4} })
	}
	if got := r.opened(); got != nil {
		t.Errorf("the same report again is no news: %q", got)
	}
}

func TestRollbackIsANewAttempt(t *testing.T) {
	r := newRun(t, detect.Config{})
	for s := range uint64(40) {
		r.add(row{metric.LengthMean: 40}, func(x *detect.Sample) { x.Step = s })
	}
	for s := uint64(20); s < 60; s++ {
		r.add(row{metric.LengthMean: 400}, func(x *detect.Sample) { x.Step, x.Attempt = s, 1 })
	}
	if got := r.opened(); got != nil {
		t.Errorf("a new attempt has a baseline of its own, got %q", got)
	}
	if r.engine.Attempts() != 2 {
		t.Errorf("%d attempts", r.engine.Attempts())
	}
}

func TestOutage(t *testing.T) {
	rows := func(sampled, scored uint64) func(*detect.Sample) {
		return func(s *detect.Sample) { s.Rows = detect.Rows{Sampled: sampled, Scored: scored, ScoredKnown: true} }
	}
	tests := []struct {
		name   string
		values row
		scored uint64
		want   []string
	}{
		{"all scored", row{metric.RewardMean: 0.5, metric.RewardStd: 0.1}, 256, nil},
		{"some are not", row{metric.RewardMean: 0.5}, 230, nil},
		{"a third is not", row{metric.RewardMean: 0.5}, 170, []string{"reward_outage critical@10"}},
		{"none is", row{}, 0, []string{"reward_outage critical@10"}},
		{"all 0 and some unscored", row{metric.RewardMean: 0, metric.RewardStd: 0}, 250, []string{"reward_std_collapse warn@10", "reward_spike warn@10", "reward_outage critical@10"}},
		{"all 0 and scored", row{metric.RewardMean: 0, metric.RewardStd: 0}, 256, []string{"reward_std_collapse warn@10", "reward_spike warn@10"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRun(t, detect.Config{})
			for range 10 {
				r.add(row{metric.RewardMean: 0.5, metric.RewardStd: 0.1}, rows(256, 256))
			}
			for range 4 {
				r.add(tt.values, rows(256, tt.scored))
			}
			got := r.opened()
			slices.Sort(got)
			slices.Sort(tt.want)
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestZeroSignalFromRows(t *testing.T) {
	r := newRun(t, detect.Config{})
	for range 5 {
		r.add(row{}, func(s *detect.Sample) {
			s.Rows = detect.Rows{Sampled: 64, Scored: 64, ScoredKnown: true, Groups: 8, WithSignal: 2, OneScored: 4, ZeroStd: 2}
		})
	}
	if got := r.opened(); got != nil {
		t.Errorf("groups with one scored row were counted: %q", got)
	}
	for range 5 {
		r.add(row{}, func(s *detect.Sample) {
			s.Rows = detect.Rows{Sampled: 64, Scored: 64, ScoredKnown: true, Groups: 8, ZeroStd: 8}
		})
	}
	if got := r.opened(); !slices.Equal(got, []string{"zero_signal critical@5"}) && !slices.Equal(got, []string{"zero_signal warn@5", "zero_signal critical@5"}) {
		t.Errorf("no group has signal: %q", got)
	}
}

func TestUnchecked(t *testing.T) {
	r := newRun(t, detect.Config{})
	r.add(row{metric.KLRef: 0.1, metric.Entropy: 1}, nil)
	got := r.engine.Unchecked()
	for _, kind := range []string{"grad_explosion", "length_explosion", "reward_spike", "truncation"} {
		if !slices.Contains(got, kind) {
			t.Errorf("%s was never reported and is not listed in %q", kind, got)
		}
	}
	if slices.Contains(got, "kl_blowup") || slices.Contains(got, "non_finite") || !r.engine.Reads() {
		t.Errorf("unchecked %q", got)
	}
	if empty := newRun(t, detect.Config{}); empty.engine.Reads() {
		t.Error("nothing was read yet")
	}
}

func TestProfileRefuses(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name, field string
		cfg         detect.Config
	}{
		{"unknown limit", "limits.kl_maximum", detect.Config{Limits: map[string]float64{"kl_maximum": 1}}},
		{"NaN", "limits.kl_max", detect.Config{Limits: map[string]float64{"kl_max": nan}}},
		{"zero", "limits.kl_max", detect.Config{Limits: map[string]float64{"kl_max": 0}}},
		{"share above 1", "limits.truncated_max", detect.Config{Limits: map[string]float64{"truncated_max": 1.5}}},
		{"beta", "kl_coefficient", detect.Config{Beta: &nan}},
		{"disabled", "disabled", detect.Config{Disabled: []string{"no_such_kind"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := detect.NewProfile(tt.cfg)
			var ce *detect.ConfigError
			if !errors.As(err, &ce) || ce.Field != tt.field {
				t.Errorf("error %v, want one that names %s", err, tt.field)
			}
		})
	}
}

// Healthy runs stay quiet: the share of runs with any critical finding counts, not that of steps.
func TestHealthyRuns(t *testing.T) {
	const runs, steps = 50, 1000
	critical, warned := 0, map[string]int{}
	for seed := range uint64(runs) {
		r, h := newRun(t, detect.Config{Method: "grpo", Beta: beta(0.005)}), newHealthy(seed)
		for s := range uint64(steps) {
			r.add(h.at(s), nil)
		}
		hit := false
		for _, e := range r.events {
			if e.Severity == detect.Critical && !hit {
				t.Logf("seed %d: %s at step %d: %s", seed, e.Kind, e.Step, e.Detail)
				critical++
				hit = true
			}
			if e.Severity == detect.Warn && e.What == incident.Open {
				warned[e.Kind]++
			}
		}
	}
	t.Logf("%d of %d runs critical; warnings %v", critical, runs, warned)
	if critical > 1 {
		t.Errorf("%d of %d healthy runs are critical, at most 1 may be", critical, runs)
	}
}

func TestSplitStreamIsWholeStream(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		seed, cut := rapid.Uint64().Draw(rt, "seed"), rapid.Uint64Range(0, 80).Draw(rt, "cut")
		fault := rapid.SampledFrom([]string{metric.KLRef, metric.Entropy, metric.LengthMean, metric.GradNorm, "none"}).Draw(rt, "fault")
		play := func(restart bool) *run {
			r, h := newRun(t, detect.Config{}), newHealthy(seed)
			for s := range uint64(80) {
				if restart && s == cut {
					r = r.restart(t, detect.Config{})
				}
				values := h.at(s)
				if s > 50 && fault != "none" {
					values[fault] *= 40
				}
				r.add(values, nil)
			}
			return r
		}
		whole, split := play(false), play(true)
		if !slices.Equal(whole.opened(), split.opened()) {
			rt.Fatalf("findings differ: %q and %q", whole.opened(), split.opened())
		}
		a, err1 := json.Marshal(whole.engine)
		b, err2 := json.Marshal(split.engine)
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			rt.Fatal("the state after a restart differs")
		}
		if len(a) > 48<<10 {
			rt.Fatalf("the state has %d bytes, at most 48 KiB are allowed", len(a))
		}
	})
}

func TestForeignSnapshot(t *testing.T) {
	p, err := detect.NewProfile(detect.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "{}", `{"version":99,"state":[],"names":[]}`} {
		if err := json.Unmarshal([]byte(bad), detect.NewEngine(p)); err == nil {
			t.Errorf("snapshot %q was accepted", bad)
		}
	}
}

func TestKindsAreListedOnce(t *testing.T) {
	kinds := detect.Kinds()
	if !slices.IsSorted(kinds) || len(slices.Compact(slices.Clone(kinds))) != len(kinds) {
		t.Errorf("kinds %q", kinds)
	}
}
