package tracked

import (
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/spool"
	"github.com/provenir/provenir/services/recorder/metric"
	"github.com/provenir/provenir/services/recorder/monitor"
)

// EngineError names an engine without a table.
type EngineError struct{ Engine string }

func (e *EngineError) Error() string { return "no table of metric names for the engine " + e.Engine }

func (c *Converter) mapper(engine string) (*metric.Mapper, error) {
	if engine == "" {
		engine = "provenir"
	}
	if m := c.mappers[engine]; m != nil {
		return m, nil
	}
	t, ok := metric.Engine(engine)
	if !ok {
		return nil, &EngineError{engine}
	}
	m := metric.NewMapper(t)
	if c.mappers == nil {
		c.mappers = map[string]*metric.Mapper{}
	}
	c.mappers[engine] = m
	return m, nil
}

// step keeps the step's numbers under canonical names, each with the name that the caller gave it. What the engine did
// with its weights it does not tell.
func (c *Converter) step(r *spool.Row) (*corev1.StepRecord, error) {
	m, err := c.mapper(r.Engine)
	if err != nil {
		return nil, err
	}
	raw := make([]metric.Raw, len(r.Metrics))
	for i, n := range r.Metrics {
		raw[i] = metric.Raw{Key: n.Key, X: n.X}
	}
	facts := &corev1.StepFacts{Step: r.Step, Reason: "NOT_REPORTED"}
	for _, v := range m.Row(raw) {
		facts.Metrics = append(facts.Metrics, metricProto(&v))
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(facts)
	return &corev1.StepRecord{Facts: b}, err
}

func metricProto(v *metric.Value) *corev1.Metric {
	out := &corev1.Metric{Canonical: v.Name, RawKey: v.Raw, Estimator: v.Estimator, Reduction: v.Reduction, Scope: v.Scope, Unit: v.Unit,
		NonFinite: monitor.NonFinite(v.X)}
	if out.GetNonFinite() == corev1.NonFinite_NON_FINITE_UNSPECIFIED {
		out.Value = proto.Float64(v.X)
	}
	return out
}
