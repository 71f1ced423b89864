package monitor_test

import (
	"slices"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/monitor"
)

// A live run's CONFIG record says what its engine uses: what changes the loss and is not what was declared is told once,
// after a restart too, and a run that says nothing is unchecked.
func TestSettingsThatTheEngineDoesNotUse(t *testing.T) {
	diff := func(path, declared, effective string) *corev1.Diff {
		return &corev1.Diff{Path: path, Declared: declared, Effective: effective}
	}
	tests := []struct {
		name    string
		payload []byte
		want    []string // metrics of the findings
		checked bool
	}{
		{"nothing said", nil, nil, false},
		{"no record", []byte("\xff"), nil, false},
		{"a tracked run says what it declared only", marshal(t, &orchestratorv1.ConfigRecord{Declared: []byte("{}")}), nil, false},
		{"as declared", marshal(t, &orchestratorv1.ConfigRecord{Effective: []byte("x")}), nil, true},
		{"another backend is no other loss", marshal(t, &orchestratorv1.ConfigRecord{Effective: []byte("x"), Differs: []*corev1.Diff{diff("backend", "auto", "builtin")}}), nil, true},
		{"the same number", marshal(t, &orchestratorv1.ConfigRecord{Effective: []byte("x"), Differs: []*corev1.Diff{diff("hyper.learning_rate", "1e-6", "0.000001")}}), nil, true},
		{"other settings", marshal(t, &orchestratorv1.ConfigRecord{Effective: []byte("x"), Differs: []*corev1.Diff{
			diff("loss_type", "dapo", "bnpo"), diff("beta", "0", "0.001"), diff("seed", "", "1")}}), []string{"beta", "loss_type"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMonitor(t)
			m.Observe(0, ledger.Config, tt.payload)
			b, err := m.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			if m, err = monitor.Restore("run", b); err != nil {
				t.Fatal(err)
			}
			var got []string
			for i := range uint64(5) {
				for _, e := range m.Observe(1+i, ledger.Step, step(t, i, map[string]float64{"reward.mean": 0.5})) {
					if e.Kind == "config_mismatch" && e.What == incident.Open {
						got = append(got, e.Metric)
					}
				}
			}
			if !slices.Equal(got, tt.want) || slices.Contains(m.Unchecked(), "config_mismatch") == tt.checked {
				t.Errorf("found %v, want %v; unchecked %v", got, tt.want, m.Unchecked())
			}
		})
	}
}
