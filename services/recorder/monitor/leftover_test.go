package monitor

import (
	"encoding/json"
	"math"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/metric"
)

// A step that cannot be read takes its verdicts with it: they would count for the next step's rows.
func TestVerdictsOfAnUnreadableStepAreForgotten(t *testing.T) {
	m, err := New("run", Spec{Method: "grpo"})
	if err != nil {
		t.Fatal(err)
	}
	good := marshal(&corev1.StepRecord{Facts: marshal(&corev1.StepFacts{Step: 1})})
	for seq, e := range []struct {
		typ     ledger.RecordType
		payload []byte
	}{
		{ledger.Verdict, scored("a", 1)}, {ledger.HeldoutVerdict, scored("a", 0)}, {ledger.Step, []byte{0xff, 0xff, 0xff}},
		{ledger.Verdict, scored("b", 0)}, {ledger.HeldoutVerdict, scored("b", 0)}, {ledger.Step, good},
	} {
		m.Observe(uint64(seq), e.typ, e.payload)
	}
	for _, v := range m.Stats().Metrics {
		if v.Name == metric.ProxyMean && (v.X != 0 || v.N != 1) {
			t.Errorf("the paid mean is %g of %d rows, want 0 of 1", v.X, v.N)
		}
	}
	if len(m.Stats().Metrics) != 2 {
		t.Errorf("metrics %+v", m.Stats().Metrics)
	}
}

// Rewards near the end of a float's range add up to no number, and a state with one could not be stored.
func TestHugeRewardsCanBeStored(t *testing.T) {
	var c channel
	for _, id := range []string{"a", "b"} {
		v := peekVerdict(scored(id, math.MaxFloat64))
		c.first(&v)
	}
	for _, id := range []string{"a", "b"} {
		v := peekVerdict(scored(id, -math.MaxFloat64))
		c.second(&v)
	}
	if _, err := json.Marshal(c); err != nil {
		t.Errorf("the state cannot be stored: %v", err)
	}
	if got, _ := c.values(nil); len(got) != 2 || !got[0].Finite() || !got[1].Finite() {
		t.Errorf("means %+v", got)
	}
}
