package recorder

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

// auditor keeps a log as governance does: the same request is the same entry, and another event under it is refused.
type auditor struct {
	mu   sync.Mutex
	log  []*governancev1.AppendAuditRequest
	away error                                                // nil for one that answers
	lost func(req *governancev1.AppendAuditRequest) (e error) // the entry is made, and the answer does not come
}

func (a *auditor) AppendAudit(_ context.Context, in *governancev1.AppendAuditRequest, _ ...grpc.CallOption) (*governancev1.AppendAuditResponse, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.away != nil {
		return nil, a.away
	}
	i := slices.IndexFunc(a.log, func(was *governancev1.AppendAuditRequest) bool { return was.GetRequestId() == in.GetRequestId() })
	if i >= 0 && !proto.Equal(a.log[i], in) {
		return nil, status.Error(codes.Aborted, "another event under this request id")
	}
	if i < 0 {
		i, a.log = len(a.log), append(a.log, in)
	}
	if a.lost != nil {
		if err := a.lost(in); err != nil {
			return nil, err
		}
	}
	return &governancev1.AppendAuditResponse{Index: uint64(i)}, nil
}

func (a *auditor) set(change func(*auditor)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

func (a *auditor) events() (out []*governancev1.AuditEvent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, r := range a.log {
		out = append(out, r.GetEvent())
	}
	return out
}

func (r *rig) deeds() *recorderv1.ListDeedsResponse {
	r.t.Helper()
	got, err := r.client.ListDeeds(context.Background(), &recorderv1.ListDeedsRequest{})
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

// Everything that destroys, forbids or mends goes to the audit log, with who, what and why, once.
func TestDeedsAreAudited(t *testing.T) {
	a := &auditor{}
	r, now := aged(t)
	s3cfg := r.cfg
	r.shipping(t)
	s3cfg.Ship = r.cfg.Ship
	r.cfg, r.auditor = s3cfg, a
	r.start()
	recs := runRecords(t, 20, calm)
	if err := r.salted(t, recs); err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	r.shipped(t)
	h := r.hold(&recorderv1.SetLegalHoldRequest{Run: "run-1", Reason: "case 7"})
	r.lift(h.GetHold())
	erased, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Group: "alice", Reason: "asked to"})
	if err != nil || erased.AuditIndex == nil {
		t.Fatalf("%v, %v", erased, err)
	}
	edit(t, r.segment(1), func(b []byte) []byte { b[1000] ^= 1; return b })
	if got, err := r.client.RepairRun(t.Context(), &recorderv1.RepairRunRequest{Run: "run-1"}); err != nil || len(got.GetRestored()) != 1 {
		t.Fatalf("%v, %v", got, err)
	}
	now.Advance(25 * month)
	if got := r.apply("run-1"); got.GetState() != retired {
		t.Fatal(got)
	}
	want := []string{"ledger.hold", "ledger.lift", "ledger.erase", "ledger.repair", "ledger.retire"}
	list := r.deeds()
	if list.GetWaiting() != 0 || len(list.GetDeeds()) != len(want) {
		t.Fatalf("%v", list)
	}
	for i, d := range list.GetDeeds() { // newest first
		if d.GetAction() != want[len(want)-1-i] || d.AuditIndex == nil || d.GetHappened() == nil || d.GetBy() == "" || d.GetLastError() != "" {
			t.Errorf("deed %d: %v", i, d)
		}
	}
	events := a.events()
	details := map[string]any{}
	if err := json.Unmarshal(events[2].GetDetails(), &details); err != nil || details["reason"] != "asked to" || details["records"] != 40.0 || !strings.HasPrefix(events[2].GetSubjectId(), "run/run-1/group/") {
		t.Errorf("the erasure: %v, %v, %v", events[2], details, err)
	}
	if strings.Contains(events[2].String(), "alice") {
		t.Error("the group's name went into the audit log, where it cannot be erased")
	}
	if len(events) != len(want) {
		t.Errorf("%d entries", len(events))
	}
	r.restart()
	if again, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Group: "alice", Reason: "asked to"}); err != nil || !proto.Equal(again, erased) {
		t.Errorf("asked again: %v, %v", again, err)
	}
	if n := len(a.events()); n != len(want) {
		t.Errorf("%d entries after a restart", n)
	}
}

// While governance is away the deed is done, its entry waits and says so, also over a restart; nothing is dropped or doubled.
func TestGovernanceIsAway(t *testing.T) {
	for name, spoil := range map[string]func(*auditor){
		"unreachable": func(a *auditor) { a.away = status.Error(codes.Unavailable, "no route to governance") },
		"the answer is lost": func(a *auditor) {
			a.lost = func(*governancev1.AppendAuditRequest) error {
				return status.Error(codes.Unavailable, "the connection broke")
			}
		},
		"it refuses": func(a *auditor) {
			a.away = status.Error(codes.FailedPrecondition, "the key of the audit log is locked")
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := &auditor{}
			spoil(a)
			r := newRig(t)
			r.auditor = a
			r.start()
			if err := r.salted(t, runRecords(t, 4, calm)); err != nil {
				t.Fatal(err)
			}
			got, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Group: "alice"})
			if err != nil || got.AuditIndex != nil {
				t.Fatalf("%v, %v", got, err)
			}
			check := func() {
				t.Helper()
				list := r.deeds()
				if list.GetWaiting() != 1 || len(list.GetDeeds()) != 1 || list.GetDeeds()[0].AuditIndex != nil || list.GetDeeds()[0].GetLastError() == "" || list.GetDeeds()[0].GetAttempts() == 0 {
					t.Fatalf("%v", list)
				}
			}
			check()
			r.restart()
			check()
			a.set(func(a *auditor) { a.away, a.lost = nil, nil })
			if err := r.service.auditPass(t.Context()); err != nil {
				t.Fatal(err)
			}
			if list := r.deeds(); list.GetWaiting() != 0 || list.GetDeeds()[0].AuditIndex == nil || list.GetDeeds()[0].GetLastError() != "" {
				t.Errorf("%v", list)
			}
			if n := len(a.events()); n != 1 {
				t.Errorf("%d entries", n)
			}
		})
	}
}

// A recorder without governance does what it is asked to, and says that nobody has audited it; one that gets governance later
// brings what waited.
func TestNoGovernance(t *testing.T) {
	r := newRig(t).start()
	if err := r.salted(t, runRecords(t, 4, calm)); err != nil {
		t.Fatal(err)
	}
	if got, err := r.client.EraseGroup(t.Context(), &recorderv1.EraseGroupRequest{Run: "run-1", Group: "alice"}); err != nil || got.AuditIndex != nil {
		t.Fatalf("%v, %v", got, err)
	}
	r.stop()
	a := &auditor{}
	r.auditor = a
	r.start()
	for len(a.events()) == 0 || r.deeds().GetWaiting() > 0 {
		if t.Context().Err() != nil {
			t.Fatal("it never came")
		}
	}
}

// The process dies after the record and before the tables know of it, of a run that is sealed and done with: the next one
// looks, and brings it.
func TestADeedThatTheTablesMissed(t *testing.T) {
	a := &auditor{}
	r := newRig(t)
	r.auditor = a
	r.start()
	recs := runRecords(t, 4, calm)
	if err := r.salted(t, recs); err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run-1", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	done := func() (complete bool) {
		row := r.service.d.DB.QueryRow(t.Context(), `SELECT complete FROM projected WHERE run = 'run-1'`)
		_ = row.Scan(&complete) // no row yet
		return complete
	}
	for !done() {
		if t.Context().Err() != nil {
			t.Fatal("the run was never done with")
		}
	}
	l, err := r.service.get(t.Context(), "default", "run-1", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.deed(t.Context()); err != nil {
		t.Fatal(err)
	}
	// what EraseGroup does, without telling the projector
	payload := marshal(t, &recorderv1.Erasure{GroupId: make([]byte, 16), Records: 3, By: "owner"})
	findings := l.log(ledger.Findings)
	if _, err := findings.AppendNext(t.Context(), []store.Record{{Type: ledger.Erasure, Payload: payload}}); err != nil {
		t.Fatal(err)
	}
	if err := findings.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.restart()
	for len(a.events()) == 0 {
		if t.Context().Err() != nil {
			t.Fatal("it never came")
		}
	}
}
