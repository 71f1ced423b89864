package monitor_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/metric"
	"github.com/provenir/provenir/services/recorder/monitor"
)

func marshal(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func step(t testing.TB, n uint64, values map[string]float64) []byte {
	t.Helper()
	facts := &corev1.StepFacts{Step: n}
	for name, x := range values {
		m := &corev1.Metric{Canonical: name}
		if nf := monitor.NonFinite(x); nf != corev1.NonFinite_NON_FINITE_UNSPECIFIED {
			m.NonFinite = nf
		} else {
			m.Value = &x
		}
		facts.Metrics = append(facts.Metrics, m)
	}
	slices.SortFunc(facts.Metrics, func(a, b *corev1.Metric) int { return bytes.Compare([]byte(a.Canonical), []byte(b.Canonical)) })
	return marshal(t, &corev1.StepRecord{Facts: marshal(t, facts)})
}

func newMonitor(t testing.TB) *monitor.Monitor {
	t.Helper()
	m, err := monitor.New("run", monitor.Spec{Method: "grpo"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCounts(t *testing.T) {
	m := newMonitor(t)
	scored := marshal(t, &corev1.Verdict{RolloutId: "a", Verdict: &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: 1}}})
	late := marshal(t, &corev1.Verdict{RolloutId: "b", Verdict: &corev1.Verdict_Unscored{Unscored: &corev1.Unscored{}},
		Findings: []*corev1.Finding{{Kind: "other"}, {Kind: "time_dependent"}}})
	events := []struct {
		typ     ledger.RecordType
		payload []byte
	}{
		{ledger.RunOpen, nil}, {ledger.Rollout, []byte("x")}, {ledger.Rollout, []byte("y")}, {ledger.Verdict, scored}, {ledger.Verdict, late},
		{ledger.HeldoutVerdict, late}, {ledger.Step, step(t, 7, map[string]float64{metric.RewardMean: 0.5, metric.LossPolicy: math.NaN()})},
	}
	for range 2 { // the second time they are known
		for seq, e := range events {
			m.Observe(uint64(seq), e.typ, e.payload)
		}
	}
	s := m.Stats()
	if s.Rollouts != 2 || s.Unscored != 1 || s.TimeDependent != 1 || s.Steps != 1 || s.Step != 7 || s.Next != 7 || s.LastType != ledger.Step {
		t.Errorf("stats %+v", s)
	}
	if len(s.Metrics) != 2 {
		t.Fatalf("metrics %+v", s.Metrics)
	}
	loss, reward := s.Metrics[0].Proto(), s.Metrics[1].Proto()
	if loss.Value != nil || loss.GetNonFinite() != corev1.NonFinite_NON_FINITE_NAN {
		t.Errorf("a NaN reads as %v", loss)
	}
	if reward.GetValue() != 0.5 || s.Metrics[1].Step != 7 {
		t.Errorf("reward reads as %v", reward)
	}
}

func TestFindings(t *testing.T) {
	m := newMonitor(t)
	var got []incident.Event
	for n := range uint64(20) {
		kl := 0.01
		if n >= 10 {
			kl = 3
		}
		got = append(got, m.Observe(n, ledger.Step, step(t, n, map[string]float64{metric.KLRef: kl}))...)
	}
	if len(got) != 1 {
		t.Fatalf("events %+v", got)
	}
	a := monitor.Anomaly("run", got[0])
	if a.GetKind() != "kl_blowup" || a.GetSeverity() != corev1.Severity_SEVERITY_CRITICAL || a.GetEvent() != recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN ||
		a.GetSeq() != 10 || a.GetOnsetStep() != 10 || a.GetEvidence()[0].GetValue() != 3 || a.FindingSeq != nil {
		t.Errorf("anomaly %v", a)
	}
	if m.Incidents().Verdict(m.Readable()) != incident.Unhealthy {
		t.Error("an open critical incident is not healthy")
	}
}

func TestUnreadableStepIsAFinding(t *testing.T) {
	m := newMonitor(t)
	got := m.Observe(0, ledger.Step, []byte{0xff, 0xff, 0xff})
	if len(got) != 1 || got[0].Kind != "metric_invalid" {
		t.Errorf("events %+v", got)
	}
}

func TestAbsentIsNotZero(t *testing.T) {
	if v, ok := monitor.Value(&corev1.Metric{Canonical: metric.KLRef}); ok {
		t.Errorf("a metric without a value reads as %v", v)
	}
	zero := 0.0
	if v, ok := monitor.Value(&corev1.Metric{Canonical: metric.KLRef, Value: &zero}); !ok || v.X != 0 {
		t.Errorf("a zero reads as %v, %v", v, ok)
	}
	if v, ok := monitor.Value(&corev1.Metric{Canonical: "my_key", Value: &zero}); !ok || v.Name != "raw.my_key" {
		t.Errorf("an unknown name reads as %v", v)
	}
}

// Stopped and taken up anywhere, the state is byte-equal to never having stopped, and so are the findings.
func TestReplayIsByteEqual(t *testing.T) {
	var events [][]byte
	for n := range uint64(60) {
		kl := 0.01 + 0.001*float64(n%7)
		if n > 30 {
			kl *= 200
		}
		values := map[string]float64{metric.KLRef: kl, metric.Entropy: 1, metric.RewardMean: 0.5 + 0.01*float64(n%5)}
		if n == 45 {
			values[metric.LossPolicy] = math.Inf(1)
		}
		events = append(events, step(t, n, values))
	}
	play := func(m *monitor.Monitor, from, to int) (uids []string) {
		for n := from; n < to; n++ {
			for _, e := range m.Observe(uint64(n), ledger.Step, events[n]) {
				uids = append(uids, e.UID)
			}
		}
		return uids
	}
	whole := newMonitor(t)
	want := play(whole, 0, len(events))
	wantState, err := whole.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		cut := rapid.IntRange(0, len(events)).Draw(t, "cut")
		first, err := monitor.New("run", monitor.Spec{Method: "grpo"})
		if err != nil {
			t.Fatal(err)
		}
		got := play(first, 0, cut)
		b, err := first.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		second, err := monitor.Restore("run", b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, play(second, max(cut-5, 0), len(events))...) // a writer that repeats itself changes nothing
		state, err := second.Snapshot()
		if err != nil || !bytes.Equal(state, wantState) || !slices.Equal(got, want) {
			t.Fatalf("cut at %d: findings %v, want %v; state equal: %v", cut, got, want, bytes.Equal(state, wantState))
		}
	})
}

func FuzzObserve(f *testing.F) {
	f.Add(step(f, 3, map[string]float64{metric.KLRef: 1}))
	f.Add(marshal(f, &corev1.Verdict{Findings: []*corev1.Finding{{Kind: "time_dependent"}}}))
	f.Add(protowire.AppendTag(nil, 3, protowire.BytesType))
	f.Fuzz(func(t *testing.T, payload []byte) {
		m := newMonitor(t)
		m.Observe(0, ledger.Verdict, payload)
		m.Observe(1, ledger.Step, payload)
		b, err := m.Snapshot()
		if err != nil {
			t.Fatalf("a state that cannot be stored: %v", err)
		}
		again, err := monitor.Restore("run", b)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := again.Snapshot(); err != nil || !bytes.Equal(b, c) {
			t.Fatalf("state changed on its way: %v", err)
		}
	})
}
