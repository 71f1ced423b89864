package recorder

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
)

func (r *rig) hold(req *recorderv1.SetLegalHoldRequest) *recorderv1.LegalHold {
	r.t.Helper()
	got, err := r.client.SetLegalHold(r.t.Context(), req)
	if err != nil {
		r.t.Fatal(err)
	}
	return got.GetHold()
}

func (r *rig) lift(hold string) *recorderv1.LegalHold {
	r.t.Helper()
	got, err := r.client.LiftLegalHold(r.t.Context(), &recorderv1.LiftLegalHoldRequest{Hold: hold, Reason: "settled"})
	if err != nil {
		r.t.Fatal(err)
	}
	return got.GetHold()
}

// notes are the HOLD records of a run's findings.
func (r *rig) notes(run string) (out []ledger.HoldNote) {
	r.t.Helper()
	page, err := r.client.ListEvents(r.t.Context(), &recorderv1.ListEventsRequest{Run: run, Log: recorderv1.Log_LOG_FINDINGS,
		Types: []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_HOLD}})
	if err != nil {
		r.t.Fatal(err)
	}
	for _, e := range page.GetEvents() {
		n, err := ledger.ParseHoldNote(e.GetPayload())
		if err != nil {
			r.t.Fatal(err)
		}
		out = append(out, n)
	}
	return out
}

func TestLegalHoldOfARun(t *testing.T) {
	r, now := aged(t)
	r.start()
	r.end("run-1", runRecords(t, 20, calm))
	r.end("run-2", runRecords(t, 20, calm))
	now.Advance(25 * month)
	h := r.hold(&recorderv1.SetLegalHoldRequest{Run: "run-1", Reason: "case 7", RequestId: "a"})
	if again := r.hold(&recorderv1.SetLegalHoldRequest{Run: "run-1", Reason: "case 7", RequestId: "a"}); !proto.Equal(again, h) || len(h.GetUndeclared()) > 0 {
		t.Errorf("the same request: %v, before %v", again, h)
	}
	second := r.hold(&recorderv1.SetLegalHoldRequest{Run: "run-1", Reason: "case 8"})
	for _, restarted := range []bool{false, true} {
		if restarted {
			r.restart()
		}
		if s := r.apply("run-1"); s.GetState() != held || len(s.GetHolds()) != 2 || len(r.files("run-1", "*.retired")) > 0 {
			t.Errorf("%v", s)
		}
	}
	if s := r.apply("run-2"); s.GetState() != retired {
		t.Errorf("the other run: %v", s)
	}
	lifted := r.lift(h.GetHold())
	if lifted.GetLiftReason() != "settled" || lifted.GetLiftedAt() == nil || lifted.GetReason() != "case 7" {
		t.Errorf("lifted: %v", lifted)
	}
	if again := r.lift(h.GetHold()); !proto.Equal(again, lifted) {
		t.Errorf("lifted twice: %v", again)
	}
	if s := r.apply("run-1"); s.GetState() != held || !slices.Equal(s.GetHolds(), []string{second.GetHold()}) {
		t.Errorf("one of two is lifted: %v", s)
	}
	r.lift(second.GetHold())
	if s := r.apply("run-1"); s.GetState() != retired {
		t.Errorf("both are lifted: %v", s)
	}
	notes := r.notes("run-1")
	if len(notes) != 4 || !notes[0].Set || notes[0].Reason != "case 7" || notes[0].Scope != "run" || notes[2].Set || notes[2].Reason != "settled" || notes[2].Hold != h.GetHold() {
		t.Errorf("findings say %+v", notes)
	}
	if len(r.notes("run-2")) > 0 {
		t.Error("the other run tells of it")
	}
	r.verified("run-1")
	open, err := r.client.ListLegalHolds(t.Context(), &recorderv1.ListLegalHoldsRequest{})
	all, err2 := r.client.ListLegalHolds(t.Context(), &recorderv1.ListLegalHoldsRequest{All: true})
	if err != nil || err2 != nil || len(open.GetHolds()) != 0 || len(all.GetHolds()) != 2 {
		t.Errorf("list: %v, %v, %v, %v", open, err, all, err2)
	}
}

// A hold of the tenant keeps runs that begin after it, too, and their findings say so when the next pass has come by.
func TestLegalHoldOfTheTenant(t *testing.T) {
	r, now := aged(t)
	r.start()
	r.end("run-1", runRecords(t, 20, calm))
	h := r.hold(&recorderv1.SetLegalHoldRequest{Tenant: true, Reason: "audit"})
	r.end("run-2", runRecords(t, 20, calm))
	list := func() []string {
		got, err := r.client.ListLegalHolds(t.Context(), &recorderv1.ListLegalHoldsRequest{Run: "run-2"})
		if err != nil || len(got.GetHolds()) != 1 {
			t.Fatalf("%v, %v", got, err)
		}
		return got.GetHolds()[0].GetUndeclared()
	}
	if owed := list(); !slices.Equal(owed, []string{"run-2"}) {
		t.Errorf("owed: %v", owed)
	}
	now.Advance(25 * month)
	for _, run := range []string{"run-1", "run-2"} {
		if s := r.apply(run); s.GetState() != held {
			t.Errorf("%s: %v", run, s)
		}
	}
	r.service.retainPass(t.Context())
	if owed := list(); len(owed) > 0 {
		t.Errorf("owed after the pass: %v", owed)
	}
	for _, run := range []string{"run-1", "run-2"} {
		if n := r.notes(run); len(n) != 1 || n[0].Scope != "tenant" || n[0].Reason != "audit" {
			t.Errorf("%s says %+v", run, n)
		}
	}
	r.lift(h.GetHold())
	for _, run := range []string{"run-1", "run-2"} {
		if s := r.apply(run); s.GetState() != retired {
			t.Errorf("%s: %v", run, s)
		}
	}
}

// The database may be lost; what the logs say of holds still counts, and can be lifted.
func TestAHoldOutlivesTheDatabase(t *testing.T) {
	r, now := aged(t)
	r.start()
	r.end("run-1", runRecords(t, 20, calm))
	h := r.hold(&recorderv1.SetLegalHoldRequest{Run: "run-1", Reason: "case 7"})
	r.stop()
	if err := os.Remove(filepath.Join(r.root, "recorder.db")); err != nil {
		t.Fatal(err)
	}
	now.Advance(25 * month)
	r.start()
	if s := r.apply("run-1"); s.GetState() != held || !slices.Equal(s.GetHolds(), []string{h.GetHold()}) {
		t.Errorf("%v", s)
	}
	r.lift(h.GetHold())
	if n := r.notes("run-1"); len(n) != 2 || n[1].Set {
		t.Errorf("findings say %+v", n)
	}
	if s := r.apply("run-1"); s.GetState() != retired {
		t.Errorf("%v", s)
	}
}

func TestAHoldForbidsErasure(t *testing.T) {
	r, _ := aged(t)
	r.start()
	if err := r.salted(t, runRecords(t, 10, calm)); err != nil {
		t.Fatal(err)
	}
	h := r.hold(&recorderv1.SetLegalHoldRequest{Run: "run-1", Reason: "case 7"})
	_, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Group: "alice"})
	if rpc.Reason(err) != "LEGAL_HOLD" {
		t.Errorf("%v", err)
	}
	for _, e := range r.list(t) {
		if e.GetPayloadAbsent() != 0 {
			t.Fatal("it was erased all the same")
		}
	}
	r.lift(h.GetHold())
	if _, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Group: "alice"}); err != nil {
		t.Error(err)
	}
}

// A lift that findings does not tell of leaves the run held: what is destroyed must come after it in the log.
func TestALiftThatIsNotDeclared(t *testing.T) {
	r, now := aged(t)
	r.start()
	r.end("run-1", runRecords(t, 20, calm))
	h := r.hold(&recorderv1.SetLegalHoldRequest{Run: "run-1", Reason: "case 7"})
	now.Advance(25 * month)
	if _, err := r.service.d.DB.Exec(t.Context(), `UPDATE holds SET lifted_at = 1, lifted_by = 'owner', lift_reason = 'settled'`); err != nil {
		t.Fatal(err)
	}
	if s := r.apply("run-1"); s.GetState() != held || !slices.Equal(s.GetHolds(), []string{h.GetHold()}) {
		t.Errorf("%v", s)
	}
	r.service.retainPass(t.Context()) // declares it, and then the payloads go
	if s := r.state("run-1"); s.GetState() != retired {
		t.Errorf("%v", s)
	}
	if n := r.notes("run-1"); len(n) != 2 || n[1].Set {
		t.Errorf("findings say %+v", n)
	}
}

func TestBadHolds(t *testing.T) {
	r, _ := aged(t)
	r.start()
	r.end("run-1", runRecords(t, 2, calm))
	for _, tt := range []struct {
		name string
		req  *recorderv1.SetLegalHoldRequest
		want string
	}{
		{"of nothing", &recorderv1.SetLegalHoldRequest{Reason: "r"}, "INVALID_ARGUMENT"},
		{"of a run and of all", &recorderv1.SetLegalHoldRequest{Run: "run-1", Tenant: true, Reason: "r"}, "INVALID_ARGUMENT"},
		{"of a run that is none", &recorderv1.SetLegalHoldRequest{Run: "nobody", Reason: "r"}, "RUN_NOT_FOUND"},
	} {
		if _, err := r.client.SetLegalHold(t.Context(), tt.req); rpc.Reason(err) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	r.hold(&recorderv1.SetLegalHoldRequest{Run: "run-1", Reason: "r", RequestId: "x"})
	if _, err := r.client.SetLegalHold(t.Context(), &recorderv1.SetLegalHoldRequest{Run: "run-1", Reason: "other", RequestId: "x"}); rpc.Reason(err) != "INVALID_ARGUMENT" {
		t.Errorf("another hold under a request id: %v", err)
	}
	if _, err := r.client.LiftLegalHold(t.Context(), &recorderv1.LiftLegalHoldRequest{Hold: "none", Reason: "r"}); rpc.Reason(err) != "HOLD_NOT_FOUND" {
		t.Errorf("lift of a hold that is none: %v", err)
	}
}
