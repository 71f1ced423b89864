package recorder

import (
	"fmt"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/metric"
)

// twoChannels is a run whose rollouts are judged twice: what is paid rises by step, what is held out does not.
func twoChannels(t *testing.T, steps int) []*recorderv1.Record {
	t.Helper()
	recs := []*recorderv1.Record{{Type: recorderv1.RecordType_RECORD_TYPE_RUN_OPEN}}
	add := func(typ recorderv1.RecordType, id string, reward float64) {
		v := &corev1.Verdict{RolloutId: id, Verdict: &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: reward}}}
		recs = append(recs, &recorderv1.Record{Type: typ, Payload: marshal(t, v)})
	}
	for step := range steps {
		for i := range 4 {
			add(recorderv1.RecordType_RECORD_TYPE_VERDICT, fmt.Sprintf("r%d.%d", step, i), float64(step)/10)
		}
		for i := range 2 { // a share of them, and one that nobody paid
			add(recorderv1.RecordType_RECORD_TYPE_HELDOUT_VERDICT, fmt.Sprintf("r%d.%d", step, i), 0.25)
		}
		add(recorderv1.RecordType_RECORD_TYPE_HELDOUT_VERDICT, "nobody's", 1)
		x := 1.5
		facts := &corev1.StepFacts{Step: uint64(step), Metrics: []*corev1.Metric{{Canonical: metric.Entropy, Value: &x}}}
		recs = append(recs, &recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_STEP, Payload: marshal(t, &corev1.StepRecord{Facts: marshal(t, facts)})})
	}
	for i := range recs {
		recs[i].Seq = uint64(i)
	}
	return recs
}

// Series of the two verdicts are what the monitor has made of them step by step; a run that was judged once has none.
func TestSeriesOfTwoVerdicts(t *testing.T) {
	r := newRig(t).start()
	r.write("run-1", 1, twoChannels(t, 8))
	r.write("run-2", 1, runRecords(t, 8, calm))
	for _, c := range []struct {
		run   string
		names []string
		want  map[string]int // points
	}{
		{"run-1", nil, map[string]int{metric.HeldoutMean: 8, metric.ProxyMean: 8, metric.Entropy: 8}},
		{"run-1", []string{metric.HeldoutMean}, map[string]int{metric.HeldoutMean: 8}},
		{"run-1", []string{metric.Entropy}, map[string]int{metric.Entropy: 8}},
		{"run-2", []string{metric.HeldoutMean, metric.Entropy}, map[string]int{metric.Entropy: 8}},
	} {
		got, err := r.client.QueryMetrics(t.Context(), &recorderv1.QueryMetricsRequest{Run: c.run, Names: c.names})
		if err != nil || len(got.GetSeries()) != len(c.want) {
			t.Errorf("%s %v: %v, %v", c.run, c.names, got, err)
			continue
		}
		for _, s := range got.GetSeries() {
			if len(s.GetPoints()) != c.want[s.GetName()] {
				t.Errorf("%s: %d points of %s", c.run, len(s.GetPoints()), s.GetName())
			}
			for i, p := range s.GetPoints() {
				want := map[string]float64{metric.HeldoutMean: 0.25, metric.ProxyMean: float64(i) / 10, metric.Entropy: 1.5}[s.GetName()]
				if d := p.GetValue() - want; p.Value == nil || d > 1e-12 || d < -1e-12 || p.GetStep() != uint64(i) {
					t.Errorf("%s at step %d: %v", s.GetName(), i, p)
				}
			}
		}
	}
}
