package detect_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/metric"
)

func times(n uint32) *uint32 { return &n }

// Kinds that compare the policy that learns with the one that sampled.
func TestOffPolicyKinds(t *testing.T) {
	once, wide := detect.Config{NumIterations: times(1)}, detect.Config{TruncatedSampling: true}
	aged := detect.Config{Limits: map[string]float64{"staleness_max": 4}}
	shift := func(name string, before, after float64) func(uint64) row {
		return one(name, func(s uint64) float64 {
			if s < 30 {
				return before * (1 + 0.02*wave(s))
			}
			return after * (1 + 0.02*wave(s))
		})
	}
	tests := []struct {
		name string
		cfg  detect.Config
		rows func(step uint64) row
		want []string // opened and escalated, in order
	}{
		{"clip healthy", detect.Config{}, shift(metric.ClipRegion, 0.04, 0.04), nil},
		{"clip over its limit", detect.Config{}, shift(metric.ClipRegion, 0.04, 0.5), []string{"clip_high warn@30"}},
		{"clip high once", detect.Config{}, func(s uint64) row {
			if s == 30 {
				return row{metric.ClipRegion: 0.5}
			}
			return row{metric.ClipRegion: 0.01}
		}, nil},
		{"clip grows below its limit", detect.Config{}, shift(metric.ClipRegion, 0.04, 0.2), []string{"clip_high warn@30"}},
		{"clip grows where that is no matter", detect.Config{}, shift(metric.ClipRegion, 0.001, 0.08), nil},
		{"one side grows", detect.Config{}, from(30, row{metric.ClipRegion: 0.15, metric.ClipLow: 0.14, metric.ClipHigh: 0.01},
			row{metric.ClipRegion: 0.15, metric.ClipLow: 0.01, metric.ClipHigh: 0.14}), []string{"clip_high warn@30"}},

		{"ratio of a batch used once", once, constant(row{metric.RatioMin: 1, metric.RatioMax: 1 + 1e-6, metric.ClipRegion: 0}), nil},
		{"ratio off 1", once, constant(row{metric.RatioMax: 1.2}), []string{"ratio_insane warn@0"}},
		{"ratio off 1 with several iterations", detect.Config{NumIterations: times(4)}, constant(row{metric.RatioMax: 1.2, metric.ClipRegion: 0.02}), nil},
		{"ratio off 1 and iterations unknown", detect.Config{}, constant(row{metric.RatioMax: 1.2, metric.ClipRegion: 0.02}), nil},
		{"clipped though used once", once, constant(row{metric.ClipRegion: 0.02}), []string{"ratio_insane warn@0"}},
		{"old batches used once", once, constant(row{metric.RatioMax: 1.2, metric.StalenessMax: 2}), nil},
		{"ratio wild", detect.Config{}, shift(metric.RatioMax, 1.5, 40), []string{"ratio_insane warn@30"}},
		{"ratio wild below", detect.Config{}, shift(metric.RatioMin, 0.8, 0.01), []string{"ratio_insane warn@30"}},
		{"ratio wild though used once", once, from(30, row{metric.RatioMax: 1}, row{metric.RatioMax: 40}), []string{"ratio_insane critical@30"}},

		{"k3 over its limit", detect.Config{}, shift(metric.MismatchK3, 0.002, 0.2), []string{"mismatch_kl warn@30"}},
		{"k1 below", detect.Config{}, shift(metric.MismatchK1, -0.002, -0.2), []string{"mismatch_kl warn@30"}},
		{"k3 drifts below its limit", detect.Config{}, shift(metric.MismatchK3, 0.002, 0.03), []string{"mismatch_kl warn@30"}},
		{"k3 drifts where that is no matter", detect.Config{}, shift(metric.MismatchK3, 1e-5, 5e-3), nil},
		{"ess", detect.Config{}, shift(metric.MismatchESS, 0.9, 0.4), []string{"mismatch_ess warn@30"}},
		{"ess gone", detect.Config{}, shift(metric.MismatchESS, 0.9, 0.1), []string{"mismatch_ess critical@30"}},
		{"chi2", detect.Config{}, shift(metric.MismatchChi2, 0.1, 1.5), []string{"mismatch_chi2 warn@30"}},
		{"is mean above", detect.Config{}, shift(metric.MismatchISMean, 1, 2.5), []string{"mismatch_is warn@30"}},
		{"is mean below", detect.Config{}, shift(metric.MismatchISMean, 1, 0.3), []string{"mismatch_is warn@30"}},
		{"is spread", detect.Config{}, shift(metric.MismatchISStd, 0.1, 1.5), []string{"mismatch_is warn@30"}},
		{"probability error", detect.Config{}, shift(metric.MismatchMult, 1.01, 1.08), []string{"mismatch_prob_error warn@30"}},
		{"log-probabilities", detect.Config{}, shift(metric.MismatchAbsMean, 0.01, 0.5), []string{"mismatch_logp warn@30"}},
		{"log-probabilities far apart", detect.Config{}, shift(metric.MismatchAbsMean, 0.01, 3), []string{"mismatch_logp critical@30"}},
		{"correlation", detect.Config{}, from(30, row{metric.MismatchPearson: 0.99}, row{metric.MismatchPearson: 0.93}), []string{"mismatch_pearson warn@30"}},
		{"correlation gone", detect.Config{}, from(30, row{metric.MismatchPearson: 0.99}, row{metric.MismatchPearson: 0.5}), []string{"mismatch_pearson critical@30"}},
		{"healthy mismatch", detect.Config{}, constant(row{metric.MismatchK1: 1e-3, metric.MismatchK3: 1e-3, metric.MismatchESS: 0.95, metric.MismatchChi2: 0.02,
			metric.MismatchISMean: 1, metric.MismatchISStd: 0.1, metric.MismatchMult: 1.01, metric.MismatchAbsMean: 0.01, metric.MismatchPearson: 0.995}), nil},
		{"all within the wide limits", wide, constant(row{metric.MismatchK1: 0.15, metric.MismatchK3: 0.15, metric.MismatchESS: 0.4, metric.MismatchChi2: 1.5,
			metric.MismatchISMean: 3, metric.MismatchISStd: 1.5, metric.MismatchMult: 1.08, metric.MismatchAbsMean: 0.15, metric.MismatchPearson: 0.92}), nil},
		{"over the wide limit", wide, constant(row{metric.MismatchK3: 0.25}), []string{"mismatch_kl warn@0"}},

		{"stale", aged, from(30, row{metric.StalenessMax: 2}, row{metric.StalenessMax: 6}), []string{"staleness warn@30"}},
		{"stale and no limit set", detect.Config{}, from(30, row{metric.StalenessMax: 2}, row{metric.StalenessMax: 6}), nil},
		{"ever staler", detect.Config{}, shift(metric.StalenessMean, 1, 4), []string{"staleness warn@30"}},

		{"one slow step", detect.Config{}, func(s uint64) row {
			if s == 30 {
				return row{metric.StepSeconds: 900}
			}
			return row{metric.StepSeconds: 60}
		}, []string{"throughput_stall info@30"}},
		{"slow for good", detect.Config{}, shift(metric.StepSeconds, 60, 900), []string{"throughput_stall info@30", "throughput_stall warn@30"}},
		{"slow steps of milliseconds", detect.Config{}, shift(metric.StepSeconds, 0.06, 0.9), nil},
		{"entropy rises while the reward falls", detect.Config{}, func(s uint64) row {
			x := math.Max(0, float64(s)-20)
			return row{metric.Entropy: 1 + 0.015*x + 0.01*wave(s), metric.RewardMean: 0.8 - 0.004*x + 0.002*wave(s)}
		}, []string{"reward_plateau info@", "entropy_explosion warn@", "reward_decline warn@"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRun(t, tt.cfg)
			for s := range uint64(60) {
				r.add(tt.rows(s), nil)
			}
			if got := r.opened(); !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// A doubled limit is said, so that nobody reads a finding of a run with top-p as one of a run without.
func TestDoubledLimitsAreSaid(t *testing.T) {
	r := newRun(t, detect.Config{TruncatedSampling: true})
	for range 5 {
		r.add(row{metric.MismatchK3: 0.5, metric.MismatchESS: 0.1}, nil)
	}
	if len(r.events) != 2 {
		t.Fatalf("events %+v", r.events)
	}
	for _, e := range r.events {
		if !strings.Contains(e.Detail, "doubled") {
			t.Errorf("%s says %q", e.Kind, e.Detail)
		}
	}
}

// What ended is told to have ended: a limit that trembles is no end, a value that is back is.
func TestOffPolicyKindsResolve(t *testing.T) {
	tests := []struct {
		metric     string
		good, bad  float64
		kind       string
		resolvedBy uint64 // steps after the fault
	}{
		{metric.MismatchPearson, 0.99, 0.5, "mismatch_pearson", 12},
		{metric.MismatchISMean, 1, 3, "mismatch_is", 12},
		{metric.MismatchISMean, 1, 0.1, "mismatch_is", 12},
		{metric.MismatchESS, 0.9, 0.1, "mismatch_ess", 12},
		{metric.ClipRegion, 0.05, 0.6, "clip_high", 12},
		{metric.StalenessMean, 1, 4, "staleness", 12},
		{metric.RatioMax, 1.5, 50, "ratio_insane", 12},
	}
	for _, tt := range tests {
		t.Run(tt.metric, func(t *testing.T) {
			r := newRun(t, detect.Config{})
			for s := range 40 + tt.resolvedBy {
				x := tt.good
				if s >= 20 && s < 40 {
					x = tt.bad
				}
				r.add(row{tt.metric: x}, nil)
				if s == 39 && !r.tracker.IsOpen(tt.kind) {
					t.Fatalf("%s is not open: %q", tt.kind, r.opened())
				}
			}
			if r.tracker.IsOpen(tt.kind) {
				t.Errorf("%s is still open", tt.kind)
			}
		})
	}
}

func TestConfigMismatch(t *testing.T) {
	tests := []struct {
		name                string
		declared, effective map[string]string
		want                []string // metric of each finding
		unchecked           bool
	}{
		{"nothing given", nil, nil, nil, true},
		{"nothing in common", map[string]string{"beta": "0"}, map[string]string{"lr": "1"}, nil, true},
		{"equal", map[string]string{"beta": "0.001", "loss_type": "BNPO"}, map[string]string{"beta": "1e-3", "loss_type": "bnpo"}, nil, false},
		{"no value in two words", map[string]string{"delta": "None"}, map[string]string{"delta": "null"}, nil, false},
		{"a patched default", map[string]string{"trl.beta": "0", "loss_type": "dapo"}, map[string]string{"trl.beta": "0.001", "loss_type": "bnpo"}, []string{"loss_type", "trl.beta"}, false},
		{"a field that the loss does not see", map[string]string{"output_dir": "a"}, map[string]string{"output_dir": "b"}, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRun(t, detect.Config{Declared: tt.declared, Effective: tt.effective})
			for range 5 {
				r.add(row{metric.Entropy: 1}, nil)
			}
			var got []string
			for _, e := range r.events {
				if e.Kind != "config_mismatch" || e.Severity != detect.Warn {
					t.Errorf("unexpected %+v", e)
				}
				got = append(got, e.Metric)
			}
			if !slices.Equal(got, tt.want) || slices.Contains(r.engine.Unchecked(), "config_mismatch") != tt.unchecked {
				t.Errorf("found %v, unchecked %v", got, r.engine.Unchecked())
			}
		})
	}
}

// A family whose healthy runs start low is no news; a model that is not named gets a word.
func TestModelFamily(t *testing.T) {
	for model, want := range map[string]int{"": 1, "meta-llama/Llama-3.2-3B": 1, "Qwen/Qwen3-4B-Instruct-2507": 0} {
		r := newRun(t, detect.Config{Model: model})
		for range 10 {
			r.add(row{metric.Entropy: 0.08}, nil)
		}
		if len(r.opened()) != want {
			t.Errorf("%q: %q", model, r.opened())
		}
	}
}

// The settings of configurations that were written for the first version are all taken, and the faulty ones named.
func TestSettings(t *testing.T) {
	seed := map[string]float64{"kl_max": .5, "kl_min": 1e-6, "entropy_min": .1, "entropy_drop_frac": .5, "length_explosion_ratio": 3,
		"advantage_std_min": 1e-4, "reward_std_min": 1e-4, "grad_norm_max": 100, "reward_spike_z": 4, "window": 20, "repetition_ngram": 4,
		"repetition_ratio_max": .5, "proxy_true_gap": .3, "plateau_window": 5, "hacking_rate_max": .1, "stale_data_days": 180,
		"slice_failure_max": .5, "min_examples_per_slice": 50}
	p, err := detect.NewProfile(detect.Config{Limits: seed})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range seed {
		if got, ok := p.Limit(name); !ok || got != want {
			t.Errorf("%s was set to %g and is %g", name, want, got)
		}
		for _, bad := range []float64{math.NaN(), math.Inf(1), 0, -1} {
			var e *detect.ConfigError
			if _, err := detect.NewProfile(detect.Config{Limits: map[string]float64{name: bad}}); !errors.As(err, &e) || e.Field != "limits."+name {
				t.Errorf("%s = %g: %v", name, bad, err)
			}
		}
	}
	if _, ok := p.Limit("staleness_max"); ok {
		t.Error("nobody said how old a rollout may be")
	}
	for name, bad := range map[string]float64{"window": 1, "plateau_window": 1.5, "entropy_drop_frac": 1.1, "slice_failure_max": 2, "hacking_rate_max": 1.01,
		"repetition_ratio_max": 3, "min_examples_per_slice": 0.5, "clip_max": 2} {
		var e *detect.ConfigError
		if _, err := detect.NewProfile(detect.Config{Limits: map[string]float64{name: bad}}); !errors.As(err, &e) || e.Field != "limits."+name {
			t.Errorf("%s = %g: %v", name, bad, err)
		}
	}
	var e *detect.ConfigError
	if _, err := detect.NewProfile(detect.Config{NumIterations: times(0)}); !errors.As(err, &e) || e.Field != "num_iterations" {
		t.Errorf("no iteration: %v", err)
	}
}
