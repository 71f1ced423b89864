package metric_test

import (
	"math"
	"slices"
	"testing"

	"github.com/provenir/provenir/services/recorder/metric"
)

func TestOwn(t *testing.T) {
	tests := []struct{ name, key, want, scope string }{
		{"canonical", "kl.ref", "kl.ref", ""},
		{"component", "reward.component.math", "reward.component.math", ""},
		{"component without a name", "reward.component.", "raw.reward.component.", ""},
		{"unknown", "my_metric", "raw.my_metric", ""},
		{"raw already", "raw.my_metric", "raw.my_metric", ""},
		{"evaluation", "eval_reward.mean", "reward.mean", "eval"},
		{"validation", "val-loss", "raw.loss", "eval"},
		{"only a prefix", "eval_", "raw.eval_", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if name, scope := metric.Own(tt.key); name != tt.want || scope != tt.scope {
				t.Errorf("Own(%q) = %q, %q; want %q, %q", tt.key, name, scope, tt.want, tt.scope)
			}
		})
	}
}

func TestProblem(t *testing.T) {
	tests := []struct {
		name  string
		value metric.Value
		bad   bool
	}{
		{"fraction", metric.Value{Name: metric.TruncatedFrac, X: 1}, false},
		{"fraction above 1", metric.Value{Name: metric.TruncatedFrac, X: 1.01}, true},
		{"negative fraction", metric.Value{Name: "clip.low", X: -0.1}, true},
		{"negative norm", metric.Value{Name: metric.GradNorm, X: -1}, true},
		{"negative k1", metric.Value{Name: metric.KLRef, X: -0.01, Tags: metric.Tags{Estimator: "k1"}}, false},
		{"negative k3", metric.Value{Name: metric.KLRef, X: -0.01, Tags: metric.Tags{Estimator: "k3"}}, true},
		{"k3 rounded", metric.Value{Name: metric.KLRef, X: -1e-12, Tags: metric.Tags{Estimator: "k3"}}, false},
		{"unknown name", metric.Value{Name: "raw.x", X: -5}, false},
		{"not a number", metric.Value{Name: metric.GradNorm, X: math.NaN()}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := metric.Problem(tt.value); (got != "") != tt.bad {
				t.Errorf("Problem = %q", got)
			}
		})
	}
}

func TestVocabulary(t *testing.T) {
	names := metric.Names()
	if !slices.IsSorted(names) || !slices.Contains(names, metric.KLRef) {
		t.Errorf("names %v", names)
	}
	for _, n := range names {
		if _, ok := metric.Lookup(n); !ok {
			t.Errorf("%s is listed and not known", n)
		}
	}
	if !metric.Rewarding(metric.HeldoutMean) || metric.Rewarding(metric.KLRef) {
		t.Error("Rewarding")
	}
	for x, want := range map[float64]bool{math.NaN(): false, math.Inf(1): false, math.Inf(-1): false, 0: true, -math.MaxFloat64: true, math.SmallestNonzeroFloat64: true} {
		if v := (metric.Value{X: x}); v.Finite() != want {
			t.Errorf("%v: finite is %t", x, !want)
		}
	}
}
