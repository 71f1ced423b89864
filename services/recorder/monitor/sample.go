package monitor

import (
	"cmp"
	"math"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/metric"
)

// sampleOf reads what detectors need from a step's facts.
func sampleOf(f *corev1.StepFacts, s *detect.Sample) {
	s.Step, s.Attempt, s.Stage, s.Objective = f.GetStep(), f.GetBranch(), f.GetStage(), f.GetObjective()
	s.Values = make([]metric.Value, 0, len(f.GetMetrics()))
	s.Rows = detect.Rows{
		Sampled: f.GetRowsSampled(), Scored: f.GetRowsScored(), Groups: f.GetGroupsTotal(), WithSignal: f.GetGroupsWithSignal(),
		ZeroStd: f.GetGroupsZeroStd(), OneScored: f.GetGroupsOneScored(), NoneScored: f.GetGroupsNoneScored(),
		ScoredKnown: f.GetRowsScored() > 0 || f.GetGroupsTotal() > 0 || len(f.GetUnscored()) > 0,
	}
	for _, m := range f.GetMetrics() {
		if v, ok := Value(m); ok {
			s.Values = append(s.Values, v)
		}
	}
}

func byName(a, b metric.Value) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Scope, b.Scope))
}

// Value reads a metric. One that is neither a number nor a non-finite one is absent, and ok is false.
func Value(m *corev1.Metric) (v metric.Value, ok bool) {
	name, scope := metric.Own(m.GetCanonical())
	v = metric.Value{Name: name, Raw: m.GetRawKey(), N: m.GetN(), Tags: metric.Tags{
		Estimator: m.GetEstimator(), Reduction: m.GetReduction(), Scope: cmp.Or(m.GetScope(), scope), Unit: m.GetUnit(),
	}}
	switch {
	case m.GetNonFinite() == corev1.NonFinite_NON_FINITE_NAN:
		v.X = math.NaN()
	case m.GetNonFinite() == corev1.NonFinite_NON_FINITE_POSITIVE_INFINITY:
		v.X = math.Inf(1)
	case m.GetNonFinite() == corev1.NonFinite_NON_FINITE_NEGATIVE_INFINITY:
		v.X = math.Inf(-1)
	case m.Value != nil:
		v.X = m.GetValue() // an engine may put a NaN here: it stays one
	default:
		return v, false
	}
	return v, name != ""
}

// NonFinite names what a value is when it cannot be computed with.
func NonFinite(x float64) corev1.NonFinite {
	switch {
	case math.IsNaN(x):
		return corev1.NonFinite_NON_FINITE_NAN
	case math.IsInf(x, 1):
		return corev1.NonFinite_NON_FINITE_POSITIVE_INFINITY
	case math.IsInf(x, -1):
		return corev1.NonFinite_NON_FINITE_NEGATIVE_INFINITY
	}
	return corev1.NonFinite_NON_FINITE_UNSPECIFIED
}
