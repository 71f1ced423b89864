package recorder

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
)

// salted writes a run whose rollouts belong to alice and bob in turn, and the rest to the run.
func (r *rig) salted(t *testing.T, recs []*recorderv1.Record) error {
	t.Helper()
	for _, rec := range recs {
		if rec.GetType() == recorderv1.RecordType_RECORD_TYPE_ROLLOUT {
			rec.ErasureGroup = []string{"alice", "bob"}[rec.GetSeq()%2]
		}
	}
	for part := range slices.Chunk(recs, 37) {
		_, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "run-1", Epoch: 1, Log: recorderv1.Log_LOG_EVENTS, Records: part,
			Spec: &recorderv1.RecorderSpec{Method: "grpo", Privacy: recorderv1.Privacy_PRIVACY_SALTED}})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *rig) list(t *testing.T) []*recorderv1.Event {
	t.Helper()
	page, err := r.client.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: "run-1", PageSize: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return page.GetEvents()
}

// onDisk looks for bytes in every file of the recorder.
func (r *rig) onDisk(t *testing.T, what []byte) (found []string) {
	t.Helper()
	err := filepath.WalkDir(r.root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, what) {
			found = append(found, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestSaltedRun(t *testing.T) {
	r := newRig(t).start()
	recs := runRecords(t, 20, blowup(15))
	if err := r.salted(t, recs); err != nil {
		t.Fatal(err)
	}
	secret := bytes.Repeat([]byte("x"), 100) // the text of every rollout
	if found := r.onDisk(t, secret); len(found) > 0 {
		t.Errorf("a payload lies bare in %v", found)
	}
	for _, restarted := range []bool{false, true} {
		if restarted {
			r.restart()
		}
		events := r.list(t)
		if len(events) != len(recs) {
			t.Fatalf("%d events, want %d", len(events), len(recs))
		}
		for i, e := range events {
			if !bytes.Equal(e.GetPayload(), recs[i].GetPayload()) || e.GetPayloadAbsent() != 0 {
				t.Fatalf("record %d reads as %q (%v)", i, e.GetPayload(), e.GetPayloadAbsent())
			}
			if sum := digestOf(recs[i].GetPayload()); bytes.Equal(e.GetDigest(), sum[:]) {
				t.Fatalf("record %d has the plain digest, which can be guessed", i)
			}
		}
		if err := r.salted(t, recs); err != nil { // sent again: nothing new
			t.Fatal(err)
		}
		other := proto.Clone(recs[1]).(*recorderv1.Record)
		other.Payload = []byte("other")
		if err := r.salted(t, []*recorderv1.Record{other}); rpc.Reason(err) != "DIVERGENT_REPLAY" {
			t.Errorf("other content under a recorded number: %v", err)
		}
		v, err := r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: "run-1"})
		if err != nil || len(v.GetDamages()) > 0 || len(v.GetUnchecked()) > 0 {
			t.Errorf("verify: %v, %v", v, err)
		}
		s, err := r.client.GetRunSummary(t.Context(), &recorderv1.GetRunSummaryRequest{Run: "run-1"})
		if err != nil || s.GetSummary().GetVerdict() != "critical" || s.GetSummary().GetSteps() != 20 {
			t.Errorf("the monitor saw ciphertext: %v, %v", s.GetSummary(), err)
		}
		if a := events[1].GetDigest(); bytes.Equal(a, events[2].GetDigest()) {
			t.Error("two records have one digest")
		}
	}
	report, err := ledger.Verify(t.Context(), os.DirFS(filepath.Join(r.root, "ledger", "default", "run-1", "events")), ledger.VerifyOptions{Keys: r.service.verifiers})
	if err != nil || !report.OK() || report.EncryptedUnchecked != uint64(len(recs)) {
		t.Errorf("offline: %+v, %v", report, err)
	}
}

func TestErase(t *testing.T) {
	r := newRig(t).start()
	recs := runRecords(t, 20, blowup(15))
	if err := r.salted(t, recs); err != nil {
		t.Fatal(err)
	}
	before := r.list(t)
	var key, salt []byte
	row := r.service.d.DB.QueryRow(t.Context(), `SELECT key, salt FROM erasure_groups WHERE name = 'alice'`)
	if err := row.Scan(&key, &salt); err != nil {
		t.Fatal(err)
	}
	if len(r.onDisk(t, key)) == 0 {
		t.Fatal("the key is not where the test looks for it")
	}
	ask := func(group string) (*recorderv1.EraseGroupResponse, error) {
		return r.client.EraseGroup(context.Background(), &recorderv1.EraseGroupRequest{Run: "run-1", Group: group, Reason: "asked to"})
	}
	if _, err := ask("carol"); rpc.Reason(err) != "INVALID_ARGUMENT" {
		t.Errorf("a group that is none: %v", err)
	}
	first, err := ask("alice")
	if err != nil || first.GetRecords() != 40 {
		t.Fatalf("erase: %v, %v", first, err)
	}
	for _, secret := range [][]byte{key, salt} {
		if found := r.onDisk(t, secret); len(found) > 0 {
			t.Errorf("the key or the salt is still in %v", found)
		}
	}
	for _, restarted := range []bool{false, true} {
		if restarted {
			r.restart()
		}
		if again, err := ask("alice"); err != nil || !proto.Equal(again, first) {
			t.Errorf("erased again: %v, %v", again, err)
		}
		for i, e := range r.list(t) {
			alice := recs[i].GetErasureGroup() == "alice"
			gone := e.GetPayloadAbsent() == corev1.ErrorReason_ERROR_REASON_PAYLOAD_ERASED && len(e.GetPayload()) == 0 && e.GetBlob() == nil
			if alice != gone || !alice && !bytes.Equal(e.GetPayload(), recs[i].GetPayload()) || !bytes.Equal(e.GetDigest(), before[i].GetDigest()) {
				t.Fatalf("record %d of %q: %v", i, recs[i].GetErasureGroup(), e)
			}
		}
		if _, err := r.client.GetCheckpoint(t.Context(), &recorderv1.GetCheckpointRequest{Run: "run-1"}); err != nil { // a second has not passed
			t.Fatal(err)
		}
		p, err := r.client.GetInclusionProof(t.Context(), &recorderv1.GetInclusionProofRequest{Run: "run-1", Seq: 2})
		if entry, e := ledger.ParseEntry(p.GetEntry()); err != nil || e != nil || !bytes.Equal(entry.Digest[:], before[2].GetDigest()) {
			t.Errorf("proof: %v, %v", err, e)
		}
		v, err := r.client.VerifyRun(t.Context(), &recorderv1.VerifyRunRequest{Run: "run-1"})
		if err != nil || len(v.GetDamages()) > 0 || len(v.GetUnchecked()) != 1 {
			t.Errorf("verify: %v, %v", v, err)
		}
		if err := r.salted(t, recs); err != nil { // repeats are no-ops still
			t.Fatal(err)
		}
		longer := proto.Clone(recs[2]).(*recorderv1.Record)
		longer.Payload = append(longer.Payload, 'x')
		if err := r.salted(t, []*recorderv1.Record{longer}); rpc.Reason(err) != "DIVERGENT_REPLAY" {
			t.Errorf("a repeat of another length: %v", err)
		}
		fresh := &recorderv1.Record{Seq: uint64(len(recs)), Type: recorderv1.RecordType_RECORD_TYPE_EVAL, ErasureGroup: "alice", Payload: []byte("new")}
		if err := r.salted(t, []*recorderv1.Record{fresh}); rpc.Reason(err) != "PAYLOAD_ERASED" {
			t.Errorf("a new record of an erased group: %v", err)
		}
	}
	erasures, err := r.client.ListEvents(t.Context(), &recorderv1.ListEventsRequest{Run: "run-1", Log: recorderv1.Log_LOG_FINDINGS,
		Types: []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_ERASURE}})
	if err != nil || len(erasures.GetEvents()) != 1 {
		t.Fatalf("declared: %v, %v", erasures, err)
	}
	e := &recorderv1.Erasure{}
	if err := proto.Unmarshal(erasures.GetEvents()[0].GetPayload(), e); err != nil || e.GetReason() != "asked to" || e.GetRecords() != 40 || e.GetAt() == nil {
		t.Errorf("declared as %v, %v", e, err)
	}
	if bytes.Contains(erasures.GetEvents()[0].GetPayload(), []byte("alice")) {
		t.Error("the group's name went into the log, where it cannot be erased")
	}
}

// The steps themselves may be erased: what was concluded from them stays, and nothing is concluded from their absence.
func TestEraseTheWholeRun(t *testing.T) {
	r := newRig(t).start()
	recs := runRecords(t, 20, calm)
	if err := r.salted(t, recs[:len(recs)-1]); err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Group: "run"}); err != nil {
		t.Fatal(err)
	}
	r.restart()
	s, err := r.client.GetRunSummary(t.Context(), &recorderv1.GetRunSummaryRequest{Run: "run-1"})
	if err != nil || s.GetSummary().GetSteps() != 20 || len(s.GetSummary().GetCounts()) > 0 || len(s.GetSummary().GetMetrics()) == 0 {
		t.Errorf("summary %v, %v", s, err)
	}
	if _, err := r.client.QueryMetrics(t.Context(), &recorderv1.QueryMetricsRequest{Run: "run-1"}); rpc.Reason(err) != "PAYLOAD_ERASED" {
		t.Errorf("series of erased steps: %v", err)
	}
	closing := proto.Clone(recs[len(recs)-1]).(*recorderv1.Record)
	closing.ErasureGroup = "end"
	if err := r.salted(t, []*recorderv1.Record{closing}); err != nil {
		t.Errorf("the run cannot end: %v", err)
	}
}

func TestPrivacyIsFixed(t *testing.T) {
	r := newRig(t).start()
	open := func(run string, p recorderv1.Privacy) error {
		_, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: run, Epoch: 1, Log: recorderv1.Log_LOG_EVENTS,
			Spec: &recorderv1.RecorderSpec{Privacy: p}})
		return err
	}
	plain, salted, none := recorderv1.Privacy_PRIVACY_PLAIN, recorderv1.Privacy_PRIVACY_SALTED, recorderv1.Privacy_PRIVACY_UNSPECIFIED
	for _, step := range []struct {
		run  string
		p    recorderv1.Privacy
		want string
	}{
		{"a", plain, ""}, {"a", none, ""}, {"a", salted, "INVALID_ARGUMENT"},
		{"b", salted, ""}, {"b", salted, ""}, {"b", none, ""}, {"b", plain, "INVALID_ARGUMENT"},
	} {
		if err := open(step.run, step.p); rpc.Reason(err) != step.want {
			t.Errorf("run %s as %v: %v", step.run, step.p, err)
		}
	}
	if _, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "a", Group: "run"}); rpc.Reason(err) != "OPTION_UNSUPPORTED" {
		t.Errorf("erase of a plain run: %v", err)
	}
	_, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "b", Epoch: 1, Log: recorderv1.Log_LOG_EVENTS,
		Records: []*recorderv1.Record{{Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Blob: &corev1.BlobRef{Digest: make([]byte, 32), SizeBytes: 5}}}})
	if rpc.Reason(err) != "INVALID_ARGUMENT" {
		t.Errorf("a blob in a salted run: %v", err)
	}
}
