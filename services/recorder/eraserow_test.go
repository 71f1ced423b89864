package recorder

import (
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rowgroup"
	"github.com/provenir/provenir/internal/rpc"
)

// rows is a salted run as the orchestrator writes it: what belongs to a row of the dataset names its group.
func (r *rig) rows(t *testing.T, steps int) []*recorderv1.Record {
	t.Helper()
	recs := runRecords(t, steps, calm)
	for _, rec := range recs {
		switch rec.GetType() {
		case recorderv1.RecordType_RECORD_TYPE_ROLLOUT, recorderv1.RecordType_RECORD_TYPE_VERDICT, recorderv1.RecordType_RECORD_TYPE_REWARD:
			rec.ErasureGroup = rowgroup.Name([]string{"row-a", "row-b"}[rec.GetSeq()/recordsAStep%2])
		}
	}
	if err := r.appendSalted(recs...); err != nil {
		t.Fatal(err)
	}
	return recs
}

func (r *rig) absent(t *testing.T) (n int) {
	t.Helper()
	for _, e := range r.list(t) {
		if e.GetPayloadAbsent() == corev1.ErrorReason_ERROR_REASON_PAYLOAD_ERASED {
			n++
		}
	}
	return n
}

// A row goes with its rollouts, verdicts and rewards in every step, and nothing else: the facts of the steps stay.
func TestEraseARow(t *testing.T) {
	r := newRig(t).start()
	recs := r.rows(t, 8)
	mine := 0
	for _, rec := range recs {
		if rec.GetErasureGroup() == rowgroup.Name("row-a") {
			mine++
		}
	}
	got, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Row: "row-a", Reason: "asked to"})
	if err != nil || got.GetRecords() != uint64(mine) || mine == 0 {
		t.Fatalf("%v of %d, %v", got, mine, err)
	}
	for i, e := range r.list(t) {
		gone := e.GetPayloadAbsent() == corev1.ErrorReason_ERROR_REASON_PAYLOAD_ERASED
		if gone != (recs[i].GetErasureGroup() == rowgroup.Name("row-a")) {
			t.Errorf("record %d of %q: %v", i, recs[i].GetErasureGroup(), e.GetPayloadAbsent())
		}
	}
	if series, err := r.client.QueryMetrics(t.Context(), &recorderv1.QueryMetricsRequest{Run: "run-1"}); err != nil || len(series.GetSeries()) == 0 {
		t.Errorf("the facts of the steps: %v, %v", series, err)
	}
	if _, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Row: "row-c"}); rpc.Reason(err) != "INVALID_ARGUMENT" {
		t.Errorf("a row that is none: %v", err)
	}
	r.verified("run-1")
}

func TestEraseAllOfARun(t *testing.T) {
	r := newRig(t).start()
	recs := r.rows(t, 4)
	all := &recorderv1.EraseGroupRequest{Run: "run-1", WholeRun: true, Reason: "asked to"}
	if _, err := r.client.EraseGroup(t.Context(), all); rpc.Reason(err) != "RUN_NOT_FINISHED" {
		t.Fatalf("a run that goes on: %v", err)
	}
	if n := r.absent(t); n > 0 {
		t.Fatalf("%d were erased all the same", n)
	}
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Row: "row-b"}); err != nil {
		t.Fatal(err)
	}
	first, err := r.client.EraseGroup(t.Context(), all)
	if err != nil || first.GetRecords() != uint64(len(recs)) {
		t.Fatalf("%v, %v", first, err)
	}
	for _, restarted := range []bool{false, true} {
		if restarted {
			r.restart()
		}
		if n := r.absent(t); n != len(recs) {
			t.Errorf("%d of %d are gone", n, len(recs))
		}
		if again, err := r.client.EraseGroup(t.Context(), all); err != nil || !proto.Equal(again, first) {
			t.Errorf("again: %v, %v", again, err)
		}
	}
	s, err := r.client.GetRunSummary(t.Context(), &recorderv1.GetRunSummaryRequest{Run: "run-1"})
	if err != nil || s.GetSummary().GetSteps() != 4 {
		t.Errorf("what was concluded: %v, %v", s, err)
	}
	r.verified("run-1")
	var left int
	row := r.service.d.DB.QueryRow(t.Context(), `SELECT COUNT(*) FROM erasure_groups WHERE key IS NOT NULL OR salt IS NOT NULL`)
	if err := row.Scan(&left); err != nil || left > 0 {
		t.Errorf("%d keys are left, %v", left, err)
	}
}

func TestEraseNamesOneThing(t *testing.T) {
	r := newRig(t).start()
	r.rows(t, 1)
	for _, req := range []*recorderv1.EraseGroupRequest{{}, {Group: "run", Row: "row-a"}, {Row: "row-a", WholeRun: true}, {Group: "run", WholeRun: true}} {
		req.Run = "run-1"
		if _, err := r.client.EraseGroup(t.Context(), req); rpc.Reason(err) != "INVALID_ARGUMENT" {
			t.Errorf("%v: %v", req, err)
		}
	}
	if n := r.absent(t); n > 0 {
		t.Errorf("%d were erased", n)
	}
}
