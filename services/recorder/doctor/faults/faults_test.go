package faults

import (
	"maps"
	"testing"

	"github.com/provenir/provenir/services/recorder/doctor"
)

// The numbers in the doctor are those of the fit, and no hand has changed them.
func TestWeightsAreThoseOfTheFit(t *testing.T) {
	m, err := Fit(Simulate(FitSeed, FitCases))
	if err != nil {
		t.Fatal(err)
	}
	biases, weights := doctor.Fitted()
	near := func(a, b float64) bool { return a-b < 0.015 && b-a < 0.015 } // one unit of the last digit: processors round sums differently
	if !maps.EqualFunc(biases, m.Biases, near) || !maps.EqualFunc(weights, m.Weights, near) {
		t.Errorf("fitted %v\nthe doctor has %v, %v\nrun go run ./services/recorder/doctor/faults/doctorfit", m, biases, weights)
	}
}

// The bars of the design, on runs that the fit has not seen.
func TestSimulatedFaults(t *testing.T) {
	m, err := Measure(Simulate(TestSeed, TestCases))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d right (%.1f %%); %d sure, of them %d wrong (%.1f %% of all); ECE %.3f; by fault %v", m.Right, m.Cases, 100*float64(m.Right)/float64(m.Cases),
		m.Sure, m.SureWrong, 100*float64(m.SureWrong)/float64(m.Cases), m.ECE, m.Faults)
	if 10*m.Right < 9*m.Cases {
		t.Errorf("only %d of %d right", m.Right, m.Cases)
	}
	if 20*m.SureWrong > m.Sure || m.Sure < m.Cases/2 {
		t.Errorf("%d of %d sure answers are wrong, of %d cases", m.SureWrong, m.Sure, m.Cases)
	}
	if m.ECE > 0.05 {
		t.Errorf("the confidence is off by %.3f", m.ECE)
	}
}
