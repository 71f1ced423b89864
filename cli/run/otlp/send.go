package otlp

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"github.com/provenir/provenir/cli/run/exported"
)

// sending turns lines into records. It holds one step, and one value a series.
type sending struct {
	gathered gathered
	logger   log.Logger
	step     []exported.Line // values of the step that is read
	newest   map[series]gauge
	done     Done
}

// series is what a gauge is kept apart by.
type series struct {
	name, unit, scope, estimator, reduction string
	attempt                                 uint32
}

type gauge struct {
	x  float64
	at time.Time
}

func (s *sending) take(ctx context.Context, l exported.Line) error {
	switch l.Type {
	case "incident":
		s.incident(ctx, l)
		return s.enough(ctx)
	case "metric":
		if len(s.step) > 0 && (s.step[0].Step != l.Step || s.step[0].Attempt != l.Attempt) {
			if err := s.endStep(ctx); err != nil {
				return err
			}
		}
		s.step = append(s.step, l)
	}
	return nil
}

func (s *sending) enough(ctx context.Context) error {
	if len(s.gathered.records) < batch {
		return nil
	}
	return s.gathered.flush(ctx)
}

// endStep makes a record of a step's values.
func (s *sending) endStep(ctx context.Context) error {
	if len(s.step) == 0 {
		return nil
	}
	first := s.step[0]
	at, err := when(first)
	if err != nil {
		return err
	}
	if at.IsZero() {
		s.done.Undated++
	}
	body := make([]attribute.KeyValue, 0, len(s.step))
	for _, l := range s.step {
		name := key(l)
		if l.Value == nil {
			body = append(body, attribute.String(name, l.NonFinite))
		} else {
			body = append(body, attribute.Float64(name, *l.Value))
		}
		s.newest[series{l.Metric, l.Unit, l.Scope, l.Estimator, l.Reduction, l.Attempt}] = gauge{value(l), at}
	}
	var r log.Record
	r.SetEventName(EventStep)
	r.SetTimestamp(at)
	r.SetSeverity(log.SeverityInfo)
	r.SetBody(attribute.MapValue(body...))
	r.AddAttributes(Step.Int64(first.Step), Attempt.Int64(int64(first.Attempt)))
	s.logger.Emit(ctx, r)
	s.done.Steps++
	s.done.Values += uint64(len(s.step))
	s.step = s.step[:0]
	return s.enough(ctx)
}

var severities = map[string]log.Severity{"info": log.SeverityInfo, "warn": log.SeverityWarn, "critical": log.SeverityError}

func (s *sending) incident(ctx context.Context, l exported.Line) {
	var r log.Record
	r.SetEventName(EventIncident)
	r.SetSeverity(severities[l.Severity])
	r.SetSeverityText(l.Severity)
	r.SetBody(attribute.StringValue(l.Detail))
	r.AddAttributes(Kind.String(l.Kind), Incident.String(l.Incident), Step.Int64(l.Opened), Attempt.Int64(int64(l.Attempt)))
	if l.Resolved != nil {
		r.AddAttributes(Resolved.Int64(*l.Resolved))
	}
	s.logger.Emit(ctx, r)
	s.done.Incidents++
}

// key names a value within its step: two values with other tags are never one.
func key(l exported.Line) string {
	name := l.Metric
	if l.Scope != "" && l.Scope != "train" {
		name = l.Scope + "/" + name
	}
	for _, tag := range []string{l.Estimator, l.Reduction} {
		if tag != "" {
			name += "/" + tag
		}
	}
	return name
}

func when(l exported.Line) (time.Time, error) {
	if l.Recorded == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, l.Recorded)
	if err != nil {
		return at, fmt.Errorf("recorded_at of step %d: %w", l.Step, err)
	}
	return at, nil
}

func value(l exported.Line) float64 {
	switch {
	case l.Value != nil:
		return *l.Value
	case l.NonFinite == "Infinity":
		return math.Inf(1)
	case l.NonFinite == "-Infinity":
		return math.Inf(-1)
	}
	return math.NaN()
}

// gauges are the newest values, one metric a name and unit.
func (s *sending) gauges(res *resource.Resource, version string) *metricdata.ResourceMetrics {
	keys := make([]series, 0, len(s.newest))
	for k := range s.newest {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b series) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.unit, b.unit), cmp.Compare(a.attempt, b.attempt), cmp.Compare(a.scope, b.scope),
			cmp.Compare(a.estimator, b.estimator), cmp.Compare(a.reduction, b.reduction))
	})
	var out []metricdata.Metrics
	var points []metricdata.DataPoint[float64]
	for i, k := range keys {
		g := s.newest[k]
		tags := []attribute.KeyValue{Attempt.Int64(int64(k.attempt))}
		for key, v := range map[attribute.Key]string{Scope: k.scope, Estimator: k.estimator, Reduction: k.reduction} {
			if v != "" {
				tags = append(tags, key.String(v))
			}
		}
		points = append(points, metricdata.DataPoint[float64]{Attributes: attribute.NewSet(tags...), Time: g.at, Value: g.x})
		if i+1 == len(keys) || keys[i+1].name != k.name || keys[i+1].unit != k.unit {
			out = append(out, metricdata.Metrics{Name: "rl." + k.name, Unit: k.unit, Data: metricdata.Gauge[float64]{DataPoints: points}})
			points = nil
		}
	}
	s.done.Gauges = uint64(len(keys))
	return &metricdata.ResourceMetrics{Resource: res, ScopeMetrics: []metricdata.ScopeMetrics{{
		Scope: instrumentation.Scope{Name: "provenir", Version: version, SchemaURL: SchemaURL}, Metrics: out}}}
}
