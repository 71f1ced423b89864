package monitor

import (
	"slices"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/metric"
)

// Stats counts a run's events.
type Stats struct {
	Next          uint64            `json:"next"` // event that is observed next
	LastType      ledger.RecordType `json:"last_type"`
	Step          uint64            `json:"step"` // of the newest STEP record
	Steps         uint64            `json:"steps"`
	Rollouts      uint64            `json:"rollouts"`
	Unscored      uint64            `json:"unscored"`
	TimeDependent uint64            `json:"time_dependent"`
	Metrics       []LastMetric      `json:"metrics"` // newest of each name, sorted, at most detect.MaxMetrics
}

// LastMetric is the newest value of a metric. A value that is not finite has no number in JSON, so it is named.
type LastMetric struct {
	Name      string           `json:"name"`
	Raw       string           `json:"raw,omitempty"`
	Tags      metric.Tags      `json:"tags"`
	X         float64          `json:"x"`
	NonFinite corev1.NonFinite `json:"non_finite,omitempty"`
	N         uint64           `json:"n,omitempty"`
	Step      uint64           `json:"step"`
}

// lasts notes the values of a step, which are sorted by name as the metrics are: one walk over both finds them all.
func (s *Stats) lasts(values []metric.Value, step uint64) {
	at := 0
	for i := range values {
		v := &values[i]
		for at < len(s.Metrics) && s.Metrics[at].Name < v.Name {
			at++
		}
		if at == len(s.Metrics) || s.Metrics[at].Name != v.Name {
			if len(s.Metrics) >= detect.MaxMetrics {
				continue
			}
			s.Metrics = slices.Insert(s.Metrics, at, LastMetric{})
		}
		m := &s.Metrics[at]
		m.Name, m.Raw, m.Tags = v.Name, v.Raw, v.Tags
		m.number(v, step)
	}
}

// number takes what changes from step to step.
func (m *LastMetric) number(v *metric.Value, step uint64) {
	m.X, m.N, m.Step, m.NonFinite = 0, v.N, step, NonFinite(v.X)
	if v.Finite() {
		m.X = v.X
	}
}

// Proto is the metric as the contract has it.
func (m *LastMetric) Proto() *corev1.Metric {
	out := &corev1.Metric{Canonical: m.Name, RawKey: m.Raw, Estimator: m.Tags.Estimator, Reduction: m.Tags.Reduction,
		Scope: m.Tags.Scope, Unit: m.Tags.Unit, NonFinite: m.NonFinite}
	if m.NonFinite == corev1.NonFinite_NON_FINITE_UNSPECIFIED {
		out.Value = &m.X
	}
	if m.N > 0 {
		out.N = &m.N
	}
	return out
}
