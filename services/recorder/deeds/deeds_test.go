package deeds

import (
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	rolestore "github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/ledger"
)

var at = time.Unix(1_800_000_000, 0).UTC()

func frame(t *testing.T, typ ledger.RecordType, payload []byte, err error) *ledger.Frame {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return &ledger.Frame{Entry: ledger.NewEntry(9, typ, payload), Stored: payload}
}

func message(t *testing.T, typ ledger.RecordType, m proto.Message) *ledger.Frame {
	t.Helper()
	b, err := proto.Marshal(m)
	return frame(t, typ, b, err)
}

func TestOf(t *testing.T) {
	retired, err := ledger.RetentionNote{Log: "events", Rule: "two years", By: "recorder", At: at, Segments: []ledger.RetentionSegment{{FirstSeq: 3, LastSeq: 8}}}.Marshal()
	retention := frame(t, ledger.Retention, retired, err)
	set, err := ledger.HoldNote{Hold: "h", Scope: "run", Set: true, Reason: "case 7", By: "owner", At: at}.Marshal()
	held := frame(t, ledger.Hold, set, err)
	lift, err := ledger.HoldNote{Hold: "h", Scope: "tenant", Reason: "settled", By: "owner", At: at}.Marshal()
	lifted := frame(t, ledger.Hold, lift, err)
	fixed, err := ledger.RepairNote{Log: "timing", Segments: []uint64{2}, By: "owner", At: at}.Marshal()
	repaired := frame(t, ledger.Repair, fixed, err)
	tests := []struct {
		name    string
		frame   *ledger.Frame
		action  governancev1.AuditAction
		subject string
		by      string
		details string
	}{
		{"a group", message(t, ledger.Erasure, &recorderv1.Erasure{GroupId: []byte{0xab}, Records: 7, Reason: "asked", By: "owner", At: timestamppb.New(at)}),
			governancev1.AuditAction_AUDIT_ACTION_LEDGER_ERASE, "run/r/group/ab", "owner", `{"finding_seq":9,"reason":"asked","records":7}`},
		{"all groups", message(t, ledger.Erasure, &recorderv1.Erasure{WholeRun: true, By: "owner"}), governancev1.AuditAction_AUDIT_ACTION_LEDGER_ERASE, "run/r", "owner", `{"finding_seq":9,"reason":"","records":0}`},
		{"payloads", retention, governancev1.AuditAction_AUDIT_ACTION_LEDGER_RETIRE, "run/r/events", "recorder", `{"finding_seq":9,"first_seq":3,"last_seq":8,"rule":"two years","segments":1}`},
		{"held", held, governancev1.AuditAction_AUDIT_ACTION_LEDGER_HOLD, "run/r", "owner", `{"finding_seq":9,"hold":"h","reason":"case 7","scope":"run"}`},
		{"lifted", lifted, governancev1.AuditAction_AUDIT_ACTION_LEDGER_LIFT, "run/r", "owner", `{"finding_seq":9,"hold":"h","reason":"settled","scope":"tenant"}`},
		{"mended", repaired, governancev1.AuditAction_AUDIT_ACTION_LEDGER_REPAIR, "run/r/timing", "owner", `{"blobs":null,"finding_seq":9,"segments":[2]}`},
		{"lost", message(t, ledger.Gap, &recorderv1.Loss{Log: recorderv1.Log_LOG_EVENTS, FirstSeq: 4, LastSeq: 6}), governancev1.AuditAction_AUDIT_ACTION_LEDGER_LOSS, "run/r/events", "", `{"finding_seq":9,"first_seq":4,"last_seq":6}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := Of("r", tt.frame)
			if err != nil || e.GetAction() != tt.action || e.GetSubjectId() != tt.subject || e.GetBy() != tt.by || string(e.GetDetails()) != tt.details || e.GetRunId() != "r" {
				t.Errorf("%v %s, %v", e, e.GetDetails(), err)
			}
		})
	}
	if e, err := Of("r", message(t, ledger.Anomaly, &recorderv1.Anomaly{})); e != nil || err != nil {
		t.Errorf("an anomaly is a deed: %v, %v", e, err)
	}
	for _, typ := range Types { // what cannot be read is an error, and no entry that says nothing
		if _, err := Of("r", frame(t, typ, []byte("\xff\xff not it"), nil)); err == nil {
			t.Errorf("%s: no error", typ)
		}
	}
}

func TestTable(t *testing.T) {
	db, err := rolestore.Open(t.Context(), filepath.Join(t.TempDir(), "r.db"), Migrations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	e := &governancev1.AuditEvent{Action: governancev1.AuditAction_AUDIT_ACTION_LEDGER_HOLD, By: "owner"}
	for _, d := range []Deed{{Tenant: "a", Run: "r", Seq: 1}, {Tenant: "a", Run: "r", Seq: 1}, {Tenant: "a", Run: "s", Seq: 1}, {Tenant: "b", Run: "r", Seq: 0}} {
		if err := Add(t.Context(), db, d.Tenant, d.Run, d.Seq, e); err != nil {
			t.Fatal(err)
		}
	}
	waiting, last, err := Waiting(t.Context(), db, 0, 10)
	if err != nil || len(waiting) != 3 || waiting[0].Run != "r" || waiting[2].Tenant != "b" || !proto.Equal(waiting[0].Event, e) {
		t.Fatalf("%+v, %v", waiting, err)
	}
	if more, _, err := Waiting(t.Context(), db, last, 10); err != nil || len(more) > 0 {
		t.Errorf("behind the last: %+v, %v", more, err)
	}
	requests := map[string]bool{}
	for _, d := range waiting {
		requests[d.Request()] = true
	}
	if len(requests) != 3 {
		t.Errorf("deeds share a request id: %v", requests)
	}
	if err := Failed(t.Context(), db, waiting[0], "away"); err != nil {
		t.Fatal(err)
	}
	if d, err := Get(t.Context(), db, "a", "r", 1); err != nil || d.LastError != "away" || d.Attempts != 1 || d.Audited != nil {
		t.Errorf("%+v, %v", d, err)
	}
	if err := Audited(t.Context(), db, waiting[0], 0); err != nil { // the first entry is number 0
		t.Fatal(err)
	}
	if d, err := Get(t.Context(), db, "a", "r", 1); err != nil || d.LastError != "" || d.Attempts != 2 || d.Audited == nil || *d.Audited != 0 {
		t.Errorf("%+v, %v", d, err)
	}
	if n, err := Count(t.Context(), db, "a"); err != nil || n != 1 {
		t.Errorf("%d wait, %v", n, err)
	}
	all, err := List(t.Context(), db, "a", "", false, 10)
	open, err2 := List(t.Context(), db, "a", "", true, 10)
	one, err3 := List(t.Context(), db, "a", "r", false, 10)
	if err != nil || err2 != nil || err3 != nil || len(all) != 2 || all[0].Run != "s" || len(open) != 1 || len(one) != 1 {
		t.Errorf("%+v, %+v, %+v, %v, %v, %v", all, open, one, err, err2, err3)
	}
	if _, err := Get(t.Context(), db, "a", "r", 99); err == nil {
		t.Error("a deed that is none")
	}
}
