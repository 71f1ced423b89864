package recorder

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/metric"
)

// The rows of recorder.md section 7 that a run can bring about. What is behind them in detail: detect, ledger, store.

func number(name string, x float64) *corev1.Metric { return &corev1.Metric{Canonical: name, Value: &x} }

// steps makes STEP records from their metrics.
func stepRecords(t testing.TB, n int, metrics func(step int) []*corev1.Metric) []*recorderv1.Record {
	t.Helper()
	recs := []*recorderv1.Record{{Type: recorderv1.RecordType_RECORD_TYPE_RUN_OPEN}}
	for step := range n {
		facts := marshal(t, &corev1.StepFacts{Step: uint64(step), Metrics: metrics(step)})
		recs = append(recs, &recorderv1.Record{Seq: uint64(step + 1), Type: recorderv1.RecordType_RECORD_TYPE_STEP,
			Payload: marshal(t, &corev1.StepRecord{Facts: facts, Chain: make([]byte, 32)})})
	}
	return recs
}

func TestBadInputOfEngines(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	always := func(m ...*corev1.Metric) func(int) []*corev1.Metric { return func(int) []*corev1.Metric { return m } }
	for _, c := range []struct {
		name    string
		steps   int
		metrics func(step int) []*corev1.Metric
		want    []string // kind severity, in order
		verdict string
	}{
		{"nothing was recorded", 0, nil, nil, "insufficient"},
		{"one row", 1, always(number(metric.KLRef, .02)), nil, "insufficient"},
		{"unknown keys only", 100, always(number("anything", 1)), nil, "insufficient"},
		{"kl and entropy only", 100, always(number(metric.KLRef, .02), number(metric.Entropy, 1.4)), nil, "healthy"},
		{"a value that is absent", 100, always(number(metric.Entropy, 1.4), &corev1.Metric{Canonical: metric.RewardMean}), nil, "healthy"},
		{"NaN as a value", 10, always(number(metric.Entropy, 1.4), number(metric.RewardMean, nan)), []string{"non_finite CRITICAL"}, "critical"},
		{"NaN by its name", 10, always(number(metric.Entropy, 1.4), &corev1.Metric{Canonical: metric.LossPolicy, NonFinite: corev1.NonFinite_NON_FINITE_NAN}),
			[]string{"non_finite CRITICAL"}, "critical"},
		{"infinity under an unknown key", 10, always(number(metric.Entropy, 1.4), number("anything", inf)), []string{"non_finite WARN"}, "degraded"},
		{"a key without a name", 100, always(number(metric.Entropy, 1.4), number("", 1)), nil, "healthy"},
		{"more keys than are watched", 6, func(int) []*corev1.Metric {
			out := []*corev1.Metric{number(metric.Entropy, 1.4)}
			for i := range detect.MaxMetrics {
				out = append(out, number(fmt.Sprintf("raw.%05d", i), 1))
			}
			return out
		}, []string{"metric_invalid WARN"}, "degraded"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t).start()
			recs := stepRecords(t, c.steps, c.metrics)
			var got []string
			for len(recs) > 0 {
				n := min(len(recs), 5)
				for _, a := range r.write("run1", 1, recs[:n]) {
					got = append(got, a.GetKind()+" "+strings.TrimPrefix(a.GetSeverity().String(), "SEVERITY_"))
				}
				recs = recs[n:]
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
			sum := r.summary("run1")
			if sum.GetVerdict() != c.verdict || sum.GetSteps() != uint64(c.steps) {
				t.Errorf("%s after %d steps, want %s after %d", sum.GetVerdict(), sum.GetSteps(), c.verdict, c.steps)
			}
			for _, m := range sum.GetMetrics() {
				if m.GetMetric().GetCanonical() == metric.RewardMean && c.name == "a value that is absent" {
					t.Errorf("what was absent is there: %v", m)
				}
				if (m.GetMetric().Value == nil) == (m.GetMetric().GetNonFinite() == 0) {
					t.Errorf("neither a number nor named as none: %v", m)
				}
			}
			if len(sum.GetMetrics()) > detect.MaxMetrics {
				t.Errorf("%d metrics are kept", len(sum.GetMetrics()))
			}
			for _, kind := range []string{"grad_explosion", "reward_spike", "proxy_divergence"} { // nothing here reports for them
				if c.name != "NaN as a value" && !slices.Contains(sum.GetUnchecked(), kind) {
					t.Errorf("%s is not among the unchecked: %q", kind, sum.GetUnchecked())
				}
			}
		})
	}
}

func TestBadSettingsAreNamed(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name, field string
		spec        *recorderv1.RecorderSpec
	}{
		{"NaN", "spec.limits.kl_max", &recorderv1.RecorderSpec{Limits: map[string]float64{"kl_max": nan}}},
		{"zero", "spec.limits.grad_norm_max", &recorderv1.RecorderSpec{Limits: map[string]float64{"grad_norm_max": 0}}},
		{"below zero", "spec.limits.reward_spike_z", &recorderv1.RecorderSpec{Limits: map[string]float64{"reward_spike_z": -4}}},
		{"a share above 1", "spec.limits.truncated_max", &recorderv1.RecorderSpec{Limits: map[string]float64{"truncated_max": 1.01}}},
		{"unknown", "spec.limits.window", &recorderv1.RecorderSpec{Limits: map[string]float64{"window": 1}}},
		{"a coefficient below 0", "spec.kl_coefficient", &recorderv1.RecorderSpec{KlCoefficient: &[]float64{-1}[0]}},
		{"a kind that nobody finds", "spec.disabled", &recorderv1.RecorderSpec{Disabled: []string{"kl_blow_up"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t).start()
			_, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run1", Log: recorderv1.Log_LOG_EVENTS, Spec: c.spec})
			if status.Code(err) != codes.InvalidArgument || rpc.Reason(err) != "INVALID_ARGUMENT" || !slices.Contains(fieldsOf(err), c.field) {
				t.Errorf("%v names %q, want %s", err, fieldsOf(err), c.field)
			}
		})
	}
}

// fieldsOf are the fields that an answer calls wrong.
func fieldsOf(err error) []string {
	var out []string
	for _, d := range status.Convert(err).Details() {
		if bad, ok := d.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				out = append(out, v.GetField())
			}
		}
	}
	return out
}

// A batch that is larger than the contract's is refused whole; nothing of it is in the log.
func TestABatchOverItsLimitIsRefused(t *testing.T) {
	r := newRig(t).start()
	var recs []*recorderv1.Record
	for i := range 21 {
		recs = append(recs, &recorderv1.Record{Seq: uint64(i), Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: make([]byte, 200<<10)})
	}
	_, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run1", Log: recorderv1.Log_LOG_EVENTS, Records: recs})
	if rpc.Reason(err) != "FRAME_TOO_LARGE" && status.Code(err) != codes.ResourceExhausted {
		t.Errorf("%v", err)
	}
	got, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run1", Log: recorderv1.Log_LOG_EVENTS, Records: recs[:20]})
	if err != nil || got.GetNextSeq() != 20 {
		t.Errorf("%v, %v", got, err)
	}
}

// Settings that this build cannot follow are refused, not ignored: a gate would rely on them.
func TestSettingsThatCannotBe(t *testing.T) {
	r := newRig(t)
	r.start()
	for _, c := range []struct {
		name, reason string
		spec         *recorderv1.RecorderSpec
	}{
		{"a range of rewards below 0", "INVALID_ARGUMENT", &recorderv1.RecorderSpec{RewardRange: proto.Float64(-1)}},
		{"a limit that nobody knows", "INVALID_ARGUMENT", &recorderv1.RecorderSpec{Limits: map[string]float64{"kl_maximum": 1}}},
	} {
		_, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run-" + c.reason, Epoch: 1, Log: recorderv1.Log_LOG_EVENTS, Spec: c.spec})
		if rpc.Reason(err) != c.reason {
			t.Errorf("%s: %v, want %s", c.name, err, c.reason)
		}
	}
}
