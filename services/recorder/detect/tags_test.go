package detect_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/metric"
)

// A KL that turns from k1 to k3, or to another mean, is another quantity: that is told once, and nothing is compared
// across the change.
func TestChangedTags(t *testing.T) {
	k1, k3 := metric.Tags{Estimator: "k1", Unit: "nats"}, metric.Tags{Estimator: "k3", Reduction: "token_mean", Unit: "nats"}
	sequence := metric.Tags{Estimator: "k3", Reduction: "sequence_sum", Unit: "nats"}
	tests := []struct {
		name   string
		before metric.Tags
		after  metric.Tags
		x      float64 // after; 0.002 before
		want   []string
	}{
		{"k1 to k3", k1, k3, 0.004, []string{"metric_invalid warn@30"}},
		{"a mean to a sum, 400 times as high", k3, sequence, 0.8, []string{"metric_invalid warn@30"}},
		{"unknown to known", metric.Tags{}, k3, 0.002, nil},
		{"known to unknown", k3, metric.Tags{}, 0.002, nil},
		{"the same", k3, k3, 0.002, nil},
		{"the same and 400 times as high", k3, k3, 0.8, []string{"kl_blowup critical@30"}},
		{"a sum all along and 400 times as high", sequence, sequence, 0.8, []string{"kl_blowup warn@30"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRun(t, detect.Config{})
			for step := range uint64(60) {
				r.add(row{metric.KLRef: 0.002 * math.Exp(0.05*wave(step))}, func(s *detect.Sample) {
					s.Values[0].Tags = tt.before
					if step >= 30 {
						s.Values[0].X, s.Values[0].Tags = tt.x, tt.after
					}
				})
			}
			if got := r.opened(); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if tt.want != nil && !strings.HasPrefix(tt.want[0], "kl") && !strings.Contains(r.events[0].Detail, "another quantity") {
				t.Errorf("detail %q", r.events[0].Detail)
			}
		})
	}
}

// Rewards that are all 0 are the verifier's fault only where something else says so.
func TestOutageOfALog(t *testing.T) {
	tests := []struct {
		name   string
		before row
		zeroed row
		outage bool
	}{
		{"with failures", row{metric.RewardMean: 0.4}, row{metric.RewardMean: 0, metric.ErrorFrac: 0.9}, true},
		{"with fast steps", row{metric.RewardMean: 0.4, metric.StepSeconds: 40}, row{metric.RewardMean: 0, metric.StepSeconds: 5}, true},
		{"with slow steps", row{metric.RewardMean: 0.4, metric.StepSeconds: 40}, row{metric.RewardMean: 0, metric.StepSeconds: 95}, true},
		{"alone", row{metric.RewardMean: 0.4, metric.StepSeconds: 40}, row{metric.RewardMean: 0, metric.StepSeconds: 41}, false},
		{"where zero was usual", row{metric.RewardMean: 0}, row{metric.RewardMean: 0, metric.ErrorFrac: 0.9}, false},
		{"where one row was paid", row{metric.RewardMean: 0.4}, row{metric.RewardMean: 0, metric.RewardStd: 0.1, metric.ErrorFrac: 0.9}, false},
		{"no reward at all", row{metric.RewardMean: 0.4}, row{metric.ErrorFrac: 0.9}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRun(t, detect.Config{})
			for step := range uint64(60) {
				values := tt.before
				if step >= 20 && step < 25 {
					values = tt.zeroed
				}
				r.add(values, nil)
				if step == 22 && r.tracker.IsOpen("reward_outage") != tt.outage {
					t.Errorf("open %v: %q", !tt.outage, r.opened())
				}
			}
			if r.tracker.IsOpen("reward_outage") {
				t.Error("rewards are back and the outage is still open")
			}
		})
	}
}
