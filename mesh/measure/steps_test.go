package measure

import (
	"testing"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/monitor"
)

// The steps that the ingest is measured with are those of a healthy run: publishing findings would be measured with them.
// One warning in a hundred steps is what a healthy run may have.
func TestStepsOfAHealthyRun(t *testing.T) {
	m, err := monitor.New("run", monitor.Spec{})
	if err != nil {
		t.Fatal(err)
	}
	const steps = 5000
	warnings := 0
	for i := range uint64(steps) {
		b, err := stepRecord(i, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range m.Observe(i, ledger.Step, b) {
			if warnings++; e.Severity >= detect.Critical {
				t.Errorf("step %d: %s %s: %s", i, e.Kind, e.What, e.Detail)
			}
		}
	}
	if warnings > steps/100 {
		t.Errorf("%d findings in %d steps", warnings, steps)
	}
}
