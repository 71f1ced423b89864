package evaluator

import (
	"math"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	"github.com/provenir/provenir/internal/rpc"
)

func (r *rig) answers(answers ...string) *evaluatorv1.Evaluation {
	r.t.Helper()
	one := 1.0
	e, err := r.evaluate(&evaluatorv1.EvaluateRequest{Dataset: r.ingest(prompts(answers...)...), Checkpoint: "run@last", Metrics: []string{"verifier:math"}, MaxUnscored: &one})
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

func TestPairedTest(t *testing.T) {
	r := newRig(t)
	before := r.answers("wrong", "wrong", "right", "right", "slow", "right")
	one := 1.0
	req := &evaluatorv1.EvaluateRequest{Dataset: r.ingest(prompts("right", "right", "wrong", "right", "right", "slow")...), Checkpoint: "run@last",
		Metrics: []string{"verifier:math"}, MaxUnscored: &one, Baselines: [][]byte{before.GetRowsDigest()}}
	e, err := r.evaluate(req)
	if err != nil {
		t.Fatal(err)
	}
	got := e.GetTests()[0]
	// Rows that either side could not score are of neither: 2 better, 1 worse, 1 equal of 4.
	if got.GetBetter() != 2 || got.GetWorse() != 1 || got.GetDifference().GetN() != 4 || got.GetDifference().GetValue() != .25 || got.PValue == nil || got.GetPValue() != 1 {
		t.Errorf("%v", got)
	}
	i := got.GetDifference().GetInterval()
	if i.GetMethod() != evaluatorv1.IntervalMethod_INTERVAL_METHOD_NEWCOMBE || i.GetLow() > .25 || i.GetHigh() < .25 || math.Abs(i.GetLevel()-.95) > 0 {
		t.Errorf("%v", i)
	}
	if string(got.GetBaseline()) != string(before.GetRowsDigest()) {
		t.Error("the baseline is not named")
	}
}

func TestNothingToCompare(t *testing.T) {
	r := newRig(t)
	one := 1.0
	for _, c := range []struct {
		name            string
		before, after   string
		value, hasValue float64
		p               bool
	}{{"equal", "right", "right", 0, 1, false}, {"no row that both scored", "slow", "right", 0, 0, false}, {"one differs", "wrong", "right", 1, 1, true}} {
		base := r.answers(c.before)
		e, err := r.evaluate(&evaluatorv1.EvaluateRequest{Dataset: r.ingest(prompts(c.after)...), Checkpoint: "run@last", Metrics: []string{"verifier:math"},
			MaxUnscored: &one, Baselines: [][]byte{base.GetRowsDigest()}})
		if err != nil {
			t.Fatal(err)
		}
		d := e.GetTests()[0]
		if (d.GetDifference().Value != nil) != (c.hasValue == 1) || d.GetDifference().GetValue() != c.value || (d.PValue != nil) != c.p {
			t.Errorf("%s: %v", c.name, d)
		}
	}
}

func TestBaselinesOfOtherRows(t *testing.T) {
	r := newRig(t)
	base := r.answers("right", "right")
	for name, rows := range map[string][]string{
		"other length": prompts("right"),
		"other ids":    {prompts("right")[0], `{"id":"other","prompt":"p=right","reference":"right"}`},
	} {
		_, err := r.evaluate(&evaluatorv1.EvaluateRequest{Dataset: r.ingest(rows...), Checkpoint: "run@last", Metrics: []string{"verifier:math"},
			Baselines: [][]byte{base.GetRowsDigest()}})
		if !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
