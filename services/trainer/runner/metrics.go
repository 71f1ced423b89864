package runner

import (
	"maps"
	"math"
	"slices"
	"strings"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// tags are estimator, reduction and unit of the names that need them; the recorder never compares values with other tags.
var tags = map[string]struct{ estimator, reduction, unit string }{
	"kl.ref":                     {"k3", "token_mean", "nats"},
	"kl.update":                  {"k3", "token_mean", "nats"},
	"mismatch.kl_k1":             {"k1", "token_mean", "nats"},
	"mismatch.kl_k3":             {"k3", "token_mean", "nats"},
	"mismatch.logp_absdiff.mean": {"", "token_mean", "nats"},
	"mismatch.logp_absdiff.max":  {"", "max", "nats"},
	"policy.entropy":             {"full", "token_mean", "nats"},
	"policy.nll":                 {"", "token_mean", "nats"},
	"length.mean":                {"", "sequence_mean", "tokens"},
	"length.terminated_mean":     {"", "sequence_mean", "tokens"},
	"length.min":                 {"", "min", "tokens"},
	"length.max":                 {"", "max", "tokens"},
	"reward.mean":                {"", "sequence_mean", ""},
	"reward.std_batch":           {"sample", "batch", ""},
	"ratio.max":                  {"", "max", ""},
}

// metrics puts values into the wire form, sorted by name; NaN and Inf keep their names and lose their number.
func metrics(values map[string]float64) []*corev1.Metric {
	var out []*corev1.Metric
	for _, name := range slices.Sorted(maps.Keys(values)) {
		t := tags[name]
		if t.unit == "" && (strings.HasPrefix(name, "clip.") || strings.Contains(name, "frac")) {
			t.unit = "fraction"
		}
		m := &corev1.Metric{Canonical: name, Scope: "train", Estimator: t.estimator, Reduction: t.reduction, Unit: t.unit}
		switch v := values[name]; {
		case math.IsNaN(v):
			m.NonFinite = corev1.NonFinite_NON_FINITE_NAN
		case math.IsInf(v, 1):
			m.NonFinite = corev1.NonFinite_NON_FINITE_POSITIVE_INFINITY
		case math.IsInf(v, -1):
			m.NonFinite = corev1.NonFinite_NON_FINITE_NEGATIVE_INFINITY
		default:
			m.Value = &v
		}
		out = append(out, m)
	}
	return out
}
