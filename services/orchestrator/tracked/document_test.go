package tracked

import (
	"encoding/json"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/spool"
	"github.com/provenir/provenir/passport"
)

func event(t *testing.T, typ recorderv1.RecordType, m proto.Message) *recorderv1.Event {
	t.Helper()
	return &recorderv1.Event{Type: typ, Payload: bytesOf(t, m)}
}

// A document is made of records, keeps the caller's configuration byte for byte, and bounds the evaluations.
func TestDocument(t *testing.T) {
	d := NewDocument(&recorderv1.TrackedRun{Name: "loop", Host: "secret-host", Pid: 7, Steps: 9, Partial: true, Dropped: 99})
	config := `{"lr":1e-06,"n":123456789012345678901234567890}`
	adds := []*recorderv1.Event{event(t, recorderv1.RecordType_RECORD_TYPE_CONFIG, &orchestratorv1.ConfigRecord{Declared: []byte(config)}),
		{Type: recorderv1.RecordType_RECORD_TYPE_CONFIG, PayloadAbsent: corev1.ErrorReason_ERROR_REASON_PAYLOAD_ERASED},
		event(t, recorderv1.RecordType_RECORD_TYPE_STEP, &corev1.StepRecord{}),
		event(t, recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE, &orchestratorv1.RunClose{State: orchestratorv1.RunState_RUN_STATE_SUCCEEDED, Dropped: 1, Partial: true})}
	for i := range uint64(300) {
		adds = append(adds, event(t, recorderv1.RecordType_RECORD_TYPE_EVAL, &evaluatorv1.Evaluation{Step: i, Estimates: []*evaluatorv1.Estimate{{Metric: "acc"}}}))
	}
	for _, e := range adds {
		if err := d.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	b, err := d.Seal(&recorderv1.SealRunResponse{Vkey: "k"}, &recorderv1.RunSummary{Verdict: "healthy", Metrics: []*recorderv1.LastMetric{{}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := passport.Canonical(b); err != nil {
		t.Errorf("it cannot be signed: %v", err)
	}
	var back map[string]any
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	r := back["run"].(map[string]any)
	if r["recordedBy"] != passport.ByTracker || r["dropped"] != 1.0 || r["partial"] != true || back["erased"] != 1.0 || back["evaluationsTotal"] != 300.0 || !d.Succeeded() {
		t.Errorf("%s", b)
	}
	evals := back["evaluations"].([]any)
	if len(evals) != maxEvaluations || evals[len(evals)-1].(map[string]any)["step"] != "299" {
		t.Errorf("%d evaluations, the last %v", len(evals), evals[len(evals)-1])
	}
	if got := back["config"].([]any)[0].(map[string]any)["declaredJson"]; got != config {
		t.Errorf("%v", got)
	}
	for _, absent := range []string{"host", "pid", "seed", "algorithm", "chain", "scored", "method"} {
		if _, ok := r[absent]; ok {
			t.Errorf("%s is in it", absent)
		}
	}
}

func TestADocumentNeedsAnEnd(t *testing.T) {
	d := NewDocument(&recorderv1.TrackedRun{State: recorderv1.TrackedState_TRACKED_STATE_COMPLETED})
	if _, err := d.Seal(&recorderv1.SealRunResponse{}, &recorderv1.RunSummary{}); !errors.Is(err, ErrNoEnd) {
		t.Errorf("%v", err)
	}
	for _, typ := range Recorded {
		if err := d.Add(&recorderv1.Event{Type: typ, Payload: []byte{0xff}}); err == nil {
			t.Errorf("%s: a payload that cannot be read", typ)
		}
	}
}

func TestCloseRow(t *testing.T) {
	row, err := spool.Parse([]byte(CloseRow(7, "2026-01-02T03:04:05Z")))
	if err != nil || row.Type != spool.Close || row.Seq != 7 || row.Outcome != "partial" || row.Error != Abandoned {
		t.Errorf("%+v, %v", row, err)
	}
	r := Run("a", &recorderv1.TrackedRun{State: recorderv1.TrackedState_TRACKED_STATE_BROKEN, Error: Abandoned})
	if len(r.GetWarnings()) != 1 || r.GetWarnings()[0] != "the run had no end and was ended in its tracker's place" {
		t.Errorf("%v", r.GetWarnings())
	}
}
