package publish_test

import (
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"testing"
	"time"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/recorder/publish"
)

func open(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "recorder.db"), publish.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func anomaly(uid, incident string, event recorderv1.IncidentEvent) *recorderv1.Anomaly {
	return &recorderv1.Anomaly{Uid: uid, Run: "run.1", Incident: incident, Kind: "kl_blowup", Severity: corev1.Severity_SEVERITY_WARN, Event: event}
}

var messenger = publish.Messenger{Source: "test", Clock: clock.NewFake(time.Unix(1e9, 5))}

func TestTakeTwiceIsTakenOnce(t *testing.T) {
	db, ctx := open(t), t.Context()
	found := []publish.Found{
		{Seq: 3, Anomaly: anomaly("a", "i", recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN)},
		{Seq: 5, Anomaly: anomaly("b", "i", recorderv1.IncidentEvent_INCIDENT_EVENT_RESOLVE)},
	}
	for range 2 { // a crash before the cursor was read again takes them a second time
		if err := publish.Take(ctx, db, messenger, publish.Part{Tenant: "acme", Run: "run.1", Found: found, Next: 6, Checkpoint: []byte("note")}); err != nil {
			t.Fatal(err)
		}
	}
	if next, complete, err := publish.Next(ctx, db, "acme", "run.1"); err != nil || next != 6 || complete {
		t.Errorf("next %d, complete %v, %v", next, complete, err)
	}
	rows, err := publish.List(ctx, db, publish.Filter{Tenant: "acme", Limit: 10})
	if err != nil || len(rows) != 2 || rows[1].Anomaly.GetFindingSeq() != 5 {
		t.Fatalf("rows %v, %v", rows, err)
	}
	if n, err := outbox.Pending(ctx, db); err != nil || n != 2 {
		t.Errorf("%d messages wait, %v", n, err)
	}
	if rows, err := publish.List(ctx, db, publish.Filter{Tenant: "acme", OpenOnly: true, Limit: 10}); err != nil || len(rows) != 0 {
		t.Errorf("a resolved incident is open: %v, %v", rows, err)
	}
	if rows, err := publish.List(ctx, db, publish.Filter{Tenant: "other", Limit: 10}); err != nil || len(rows) != 0 {
		t.Errorf("another tenant sees %v, %v", rows, err)
	}
}

// Row, message and cursor are one transaction: when it fails, nothing of it is there.
func TestTakeIsAllOrNothing(t *testing.T) {
	db := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := publish.Take(ctx, db, messenger, publish.Part{Tenant: "acme", Run: "r", Next: 1,
		Found: []publish.Found{{Anomaly: anomaly("a", "i", recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN)}}})
	if err == nil {
		t.Fatal("a transaction in a cancelled context succeeded")
	}
	n, err := outbox.Pending(t.Context(), db)
	rows, err2 := publish.List(t.Context(), db, publish.Filter{Tenant: "acme", Limit: 10})
	if err != nil || err2 != nil || n != 0 || len(rows) != 0 {
		t.Errorf("%d messages, %d rows, %v %v", n, len(rows), err, err2)
	}
}

func TestComplete(t *testing.T) {
	db := open(t)
	if err := publish.Take(t.Context(), db, messenger, publish.Part{Tenant: "acme", Run: "r", Next: 4}); err != nil {
		t.Fatal(err)
	}
	if _, complete, err := publish.Next(t.Context(), db, "acme", "r"); err != nil || complete {
		t.Fatalf("complete before its seal: %v, %v", complete, err)
	}
	for _, sealed := range []bool{true, false} { // what comes later opens it no more
		if err := publish.Take(t.Context(), db, messenger, publish.Part{Tenant: "acme", Run: "r", Next: 4, Complete: sealed}); err != nil {
			t.Fatal(err)
		}
	}
	if next, complete, err := publish.Next(t.Context(), db, "acme", "r"); err != nil || next != 4 || !complete {
		t.Errorf("next %d, complete %v, %v", next, complete, err)
	}
	if next, complete, err := publish.Next(t.Context(), db, "acme", "unknown"); err != nil || next != 0 || complete {
		t.Errorf("unknown run: next %d, complete %v, %v", next, complete, err)
	}
}

// Findings of several runs are one transaction: each run has its place, and one that cannot be taken holds back all.
func TestTakeOfSeveralRuns(t *testing.T) {
	db, ctx := open(t), t.Context()
	opened := func(uid, incident string) publish.Found {
		return publish.Found{Anomaly: anomaly(uid, incident, recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN)}
	}
	parts := []publish.Part{
		{Tenant: "acme", Run: "r1", Found: []publish.Found{opened("a", "i"), opened("b", "j")}, Next: 9},
		{Tenant: "other", Run: "r1", Found: []publish.Found{opened("c", "k")}, Next: 3, Complete: true},
		{Tenant: "acme", Run: "r2", Next: 7},
	}
	if err := publish.Take(ctx, db, messenger, parts...); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		next, complete, err := publish.Next(ctx, db, p.Tenant, p.Run)
		if err != nil || next != p.Next || complete != p.Complete {
			t.Errorf("%s/%s is at %d, complete %v, %v", p.Tenant, p.Run, next, complete, err)
		}
		rows, err := publish.List(ctx, db, publish.Filter{Tenant: p.Tenant, Run: p.Run, Limit: 10})
		if err != nil || len(rows) != len(p.Found) {
			t.Errorf("%s/%s has %d rows, %v", p.Tenant, p.Run, len(rows), err)
		}
	}
	later := []publish.Part{{Tenant: "acme", Run: "r2", Found: []publish.Found{opened("d", "l")}, Next: 8},
		{Tenant: "acme", Run: "r1", Found: []publish.Found{{Anomaly: &recorderv1.Anomaly{Uid: "e", Kind: "\xff"}}}, Next: 10}} // no text of a message
	if err := publish.Take(ctx, db, messenger, later...); err == nil {
		t.Fatal("a finding that cannot be written was taken")
	}
	if next, _, err := publish.Next(ctx, db, "acme", "r2"); err != nil || next != 7 {
		t.Errorf("half a transaction stands: %d, %v", next, err)
	}
}

func TestRunOf(t *testing.T) {
	db := open(t)
	found := []publish.Found{{Anomaly: anomaly("a", "i", recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN)}}
	if err := publish.Take(t.Context(), db, messenger, publish.Part{Tenant: "acme", Run: "run.1", Found: found, Next: 1}); err != nil {
		t.Fatal(err)
	}
	if run, err := publish.RunOf(t.Context(), db, "acme", "i"); err != nil || run != "run.1" {
		t.Errorf("run %q, %v", run, err)
	}
	if _, err := publish.RunOf(t.Context(), db, "other", "i"); !errors.Is(err, publish.ErrNoIncident) {
		t.Errorf("another tenant's incident: %v", err)
	}
}

func TestMessage(t *testing.T) {
	a := anomaly("uid", "i", recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN)
	seq := uint64(7)
	a.FindingSeq = &seq
	m := messenger.Message("acme", a, []byte("body"), []byte("line 1\nline 2\n"))
	if m.Subject != "provenir.v1.acme.anomaly.warn.kl_blowup.run_1" || m.ID != "uid" || string(m.Body) != "body" {
		t.Errorf("message %+v", m)
	}
	want := map[string]string{"ce-id": "uid", "ce-type": "dev.provenir.anomaly.v1", "ce-subject": "run.1", "ce-source": "test", "ce-specversion": "1.0",
		"ce-time": "2001-09-09T01:46:40.000000005Z", publish.HeaderSeq: "7", publish.HeaderSchema: "provenir.recorder.v1.Anomaly",
		publish.HeaderCheckpoint: base64.StdEncoding.EncodeToString([]byte("line 1\nline 2\n"))}
	for k, v := range want {
		if m.Headers[k] != v {
			t.Errorf("%s = %q, want %q", k, m.Headers[k], v)
		}
	}
}
