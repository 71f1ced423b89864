package live

import (
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/provenir/provenir/cli/app"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

func trackedStep(n uint64, found ...string) *orchestratorv1.WatchRunResponse {
	row := &orchestratorv1.StepRow{StageName: "grpo", Facts: &corev1.StepFacts{Step: n, Metrics: []*corev1.Metric{{Canonical: "reward.mean", Value: proto.Float64(0.25)}}}}
	for _, k := range found {
		row.Findings = append(row.Findings, &recorderv1.Anomaly{Kind: k, Incident: k, Severity: corev1.Severity_SEVERITY_WARN})
	}
	return &orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Step{Step: row}}
}

// Nobody knows how long a tracked run will be: it has a line a step at first and fewer later, one wherever something was
// found, and dashes where its tracker gave no number.
func TestTableOfATrackedRun(t *testing.T) {
	a, _, errs := screen(false)
	tb := &table{a: a}
	lines := 0
	for i := range uint64(1201) {
		m := trackedStep(i)
		if i == 1111 {
			m = trackedStep(i, "kl_creep")
		}
		if err := tb.event(m); err != nil {
			t.Fatal(err)
		}
	}
	for l := range strings.Lines(errs.String()) {
		if strings.Contains(l, "0.250") {
			lines++
		}
	}
	if lines != 100+90+3+1 {
		t.Errorf("%d lines of 1201 steps", lines)
	}
	for _, want := range []string{"grpo, tracked\n", headerTracked, "\n     0         0.250         -       -        -       -          0       -\n", "! warn kl_creep since step 0: \n  1111         0.250"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("%q is missing in:\n%.600s", want, errs.String())
		}
	}
	if err := tb.event(&orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Anomaly{Anomaly: &recorderv1.Anomaly{Kind: "throughput_stall", Detail: "it stands"}}}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(errs.String(), "throughput_stall since step 0: it stands\n") {
		t.Errorf("a finding of no step: %q", errs.String()[len(errs.String())-80:])
	}
}

// A tracked run's evaluations are its caller's: no gain is worked out of them, and no digest chain is printed.
func TestConcludeOfATrackedRun(t *testing.T) {
	eval := func(step uint64, x float64) *evaluatorv1.Evaluation {
		return &evaluatorv1.Evaluation{Step: step, Estimates: []*evaluatorv1.Estimate{{Metric: "acc", Value: &x, N: 10, Definition: "reported by the caller"}}}
	}
	r := &orchestratorv1.Run{State: orchestratorv1.RunState_RUN_STATE_SUCCEEDED, Tracked: &recorderv1.TrackedRun{}, EventsRoot: []byte{1},
		Evaluations: []*evaluatorv1.Evaluation{eval(0, 0.25), eval(9, 0.5)}}
	a, out, _ := screen(false)
	if err := Conclude(a, &app.Session{}, r); err != nil {
		t.Fatal(err)
	}
	if want := "\nacc                       0.500 (n=10) after step 9, reported by the caller\nledger root               01\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
	for state, code := range map[orchestratorv1.RunState]int{orchestratorv1.RunState_RUN_STATE_FAILED: 1, orchestratorv1.RunState_RUN_STATE_UNREADABLE: 1, orchestratorv1.RunState_RUN_STATE_SUCCEEDED: 0} {
		r.State = state
		if err := Conclude(a, &app.Session{}, r); app.Code(err) != code {
			t.Errorf("%s: %v", state, err)
		}
	}
}
