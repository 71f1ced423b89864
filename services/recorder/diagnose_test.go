package recorder

import (
	"fmt"
	"math"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/metric"
)

func TestDiagnoseRewards(t *testing.T) {
	r := newRig(t).start()
	one, few, zero := 1.0, 0.5, 0.0
	for _, c := range []struct {
		name     string
		req      *recorderv1.DiagnoseRequest
		decision string // empty is refused
	}{
		{"nothing", &recorderv1.DiagnoseRequest{}, "insufficient_evidence"},
		{"one", &recorderv1.DiagnoseRequest{Rewards: []float64{0.3}}, "insufficient_evidence"},
		{"the top", &recorderv1.DiagnoseRequest{Rewards: []float64{1, 1, 1, 1, 1}}, "raise_difficulty"},
		{"NaN", &recorderv1.DiagnoseRequest{Rewards: []float64{0.1, math.NaN(), 0.3}}, "fix_reward"},
		{"an anomaly", &recorderv1.DiagnoseRequest{Rewards: []float64{.3, .3, .3, .3, .3}, Anomalies: []string{"entropy_collapse"}}, "stabilize"},
		{"a kind that is none", &recorderv1.DiagnoseRequest{Anomalies: []string{"entropy"}}, ""},
		{"a share above 1", &recorderv1.DiagnoseRequest{HackingRate: ptrTo(1.5)}, ""},
		{"contaminated", &recorderv1.DiagnoseRequest{Rewards: []float64{.3, .3, .3, .3, .3}, ContaminationRate: &few}, "clean_eval"},
		{"half of the range", &recorderv1.DiagnoseRequest{Rewards: []float64{1, 1, 1, 1, 1}, RewardRange: ptrTo(2.0)}, "collect_data"},
		{"no range", &recorderv1.DiagnoseRequest{RewardRange: &zero}, ""},
		{"a run and rewards", &recorderv1.DiagnoseRequest{Run: "x", Rewards: []float64{one}}, ""},
	} {
		got, err := r.client.Diagnose(t.Context(), c.req)
		if c.decision == "" {
			if status.Code(err) != codes.InvalidArgument {
				t.Errorf("%s: %v, %v", c.name, got, err)
			}
			continue
		}
		if err != nil || got.GetDiagnosis().GetDecision() != c.decision || got.GetDiagnosis().GetTrend() == nil {
			t.Errorf("%s: %v, %v, want %s", c.name, got, err, c.decision)
		}
	}
	if _, err := r.client.Diagnose(t.Context(), &recorderv1.DiagnoseRequest{Run: "nobody"}); status.Code(err) != codes.NotFound {
		t.Errorf("no such run: %v", err)
	}
}

func ptrTo(x float64) *float64 { return &x }

// A run whose KL leaves its reference is told to stabilise, with the incident as the cause; its rewards are read too.
func TestDiagnoseRun(t *testing.T) {
	r := newRig(t).start()
	recs := runRecords(t, 30, blowup(20))
	n := 0
	for _, x := range recs {
		if x.GetType() != recorderv1.RecordType_RECORD_TYPE_STEP {
			continue
		}
		reward, kl := 0.4+0.001*float64(n%3), blowup(20)(n)
		facts := &corev1.StepFacts{Step: uint64(n), Metrics: []*corev1.Metric{{Canonical: metric.KLRef, Value: &kl, Reduction: "token_mean"}, {Canonical: metric.RewardMean, Value: &reward}}}
		x.Payload = marshal(t, &corev1.StepRecord{Facts: marshal(t, facts), Chain: make([]byte, 32)})
		n++
	}
	r.write("run-1", 1, recs)
	r.stream.await(t, 1)
	got, err := r.client.Diagnose(t.Context(), &recorderv1.DiagnoseRequest{Run: "run-1"})
	d := got.GetDiagnosis()
	if err != nil || d.GetDecision() != "stabilize" || d.GetTrend().GetN() != 30 || d.GetTrend().GetVerdict() != "plateau" || d.GetConfidence() < 0.5 {
		t.Fatalf("%v, %v", got, err)
	}
	if c := d.GetCauses()[0]; c.GetKind() != "kl_blowup" || c.GetIncident() == "" || c.GetOnsetStep() != 20 {
		t.Errorf("%v", c)
	}
}

func TestAnalyzeSlices(t *testing.T) {
	r := newRig(t).start()
	yes, no := true, false
	req := &recorderv1.AnalyzeSlicesRequest{}
	for i := range 100 {
		row := &recorderv1.SliceRow{Slices: map[string]string{"source": []string{"web", "book"}[i%2]}, Passed: &yes}
		if i%2 == 0 && i < 80 {
			row.Passed = &no
		} else if i == 99 {
			row.Passed = nil
		}
		req.Rows = append(req.Rows, row)
	}
	got, err := r.client.AnalyzeSlices(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	web, book := got.GetSlices()[0], got.GetSlices()[1]
	if web.GetSlice() != "source=web" || web.GetFailures() != 40 || web.GetSupport() != 50 || !web.GetSignificant() || web.P == nil || book.GetUnscored() != 1 || book.GetSupport() != 49 {
		t.Errorf("%v", got)
	}
	if got.GetSettings().GetFields()["min_support"].GetNumberValue() != 20 || got.GetSettings().GetFields()["fdr"].GetNumberValue() != 0.1 {
		t.Errorf("settings %v", got.GetSettings())
	}
	for i := range 10_002 {
		req.Rows = append(req.Rows, &recorderv1.SliceRow{Slices: map[string]string{"id": fmt.Sprint(i)}})
	}
	if _, err := r.client.AnalyzeSlices(t.Context(), req); status.Code(err) != codes.InvalidArgument {
		t.Errorf("a slice for every row: %v", err)
	}
}
