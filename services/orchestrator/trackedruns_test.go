package orchestrator

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/run"
)

const (
	writingRun  = recorderv1.TrackedState_TRACKED_STATE_WRITING
	silentRun   = recorderv1.TrackedState_TRACKED_STATE_SILENT
	completeRun = recorderv1.TrackedState_TRACKED_STATE_COMPLETED
	brokenRun   = recorderv1.TrackedState_TRACKED_STATE_BROKEN
)

// trackedID is an id of a tracked run that was made at a time.
func trackedID(t *testing.T, at time.Time) string {
	t.Helper()
	own, err := idgen.Generator{Clock: clock.NewFake(at)}.New()
	if err != nil {
		t.Fatal(err)
	}
	return string("ghjkmnpqrstvwxyz"[int(own[0]-'0')]) + own[1:] // the first bit set
}

// mixed are runs of both kinds, made in turns a second apart; it gives their uids, newest first.
func mixed(r *rig, now *clock.Fake, n int) []string {
	r.Helper()
	var uids []string
	for i := range n {
		now.Advance(time.Second)
		if i%2 == 0 {
			uids = append(uids, r.create("").GetUid())
			continue
		}
		uid := trackedID(r.T, now.Now())
		r.tracker.begin(uid, "loop")
		uids = append(uids, uid)
	}
	slices.Reverse(uids)
	return uids
}

func (r *rig) list(req *orchestratorv1.ListRunsRequest) []string {
	r.Helper()
	out := []string{}
	for {
		page, err := r.client.ListRuns(r.Context(), req)
		if err != nil {
			r.Fatal(err)
		}
		for _, x := range page.GetRuns() {
			out = append(out, x.GetUid())
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			return out
		}
	}
}

func newMixed(t *testing.T) (*rig, *clock.Fake) {
	now := clock.NewFake(time.Unix(1_790_000_000, 0))
	r := newRig(t, database(t), now, nil)
	return r, now
}

// A list has runs of both kinds in one order, whatever the size of a page.
func TestListOfBothKinds(t *testing.T) {
	r, now := newMixed(t)
	want := mixed(r, now, 9)
	for _, size := range []int32{0, 1, 2, 3, 4, 9, 100} {
		if got := r.list(&orchestratorv1.ListRunsRequest{PageSize: size}); !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v, want %v", size, got, want)
		}
	}
}

func TestFiltersOfBothKinds(t *testing.T) {
	r, now := newMixed(t)
	all := mixed(r, now, 4) // tracked, mesh, tracked, mesh
	r.tracker.end(all[0], completeRun)
	r.become(all[1], run.Cancelled)
	r.tracker.end(all[2], silentRun)
	for _, c := range []struct {
		name string
		req  *orchestratorv1.ListRunsRequest
		want []string
	}{
		{"succeeded", &orchestratorv1.ListRunsRequest{States: []orchestratorv1.RunState{run.Succeeded}}, all[:1]},
		{"of one kind only", &orchestratorv1.ListRunsRequest{States: []orchestratorv1.RunState{run.Cancelled, run.Pending}}, []string{all[1], all[3]}},
		{"silent or pending", &orchestratorv1.ListRunsRequest{States: []orchestratorv1.RunState{run.Pending, orchestratorv1.RunState_RUN_STATE_SILENT}}, all[2:]},
		{"an algorithm", &orchestratorv1.ListRunsRequest{Algorithms: []trainerv1.Algorithm{trainerv1.Algorithm_ALGORITHM_GRPO}}, all},
		{"another", &orchestratorv1.ListRunsRequest{Algorithms: []trainerv1.Algorithm{trainerv1.Algorithm_ALGORITHM_DPO}}, []string{}},
	} {
		if got := r.list(c.req); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// @last is the newest of both kinds; a name that can be no tracked run's needs no recorder.
func TestNames(t *testing.T) {
	r, now := newMixed(t)
	last := func() string {
		t.Helper()
		got, err := r.client.GetRun(t.Context(), &orchestratorv1.GetRunRequest{Run: "@last"})
		if err != nil {
			t.Fatal(err)
		}
		return got.GetRun().GetUid()
	}
	if _, err := r.client.GetRun(t.Context(), &orchestratorv1.GetRunRequest{Run: "@last"}); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND) {
		t.Errorf("without any run: %v", err)
	}
	own := r.create("").GetUid()
	if last() != own {
		t.Error("the only run is not the last")
	}
	now.Advance(time.Second)
	uid := trackedID(t, now.Now())
	r.tracker.begin(uid, "loop")
	if last() != uid {
		t.Error("a tracked run that is newer is not the last")
	}
	now.Advance(time.Second)
	newest := r.create("").GetUid()
	if last() != newest {
		t.Error("a run of the mesh that is newer is not the last")
	}
	if got, err := r.client.GetRun(t.Context(), &orchestratorv1.GetRunRequest{Run: uid[:5]}); err != nil || got.GetRun().GetUid() != uid {
		t.Errorf("by its prefix: %v, %v", got, err)
	}
	r.tracker.away = rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_PEER_UNAVAILABLE, "it is away")
	r.tracker.asked = 0
	for _, name := range []string{own, newest, newest[:12]} {
		if _, err := r.client.GetRun(t.Context(), &orchestratorv1.GetRunRequest{Run: name}); err != nil && !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_AMBIGUOUS) {
			t.Errorf("%s without a recorder: %v", name, err)
		}
	}
	if r.tracker.asked != 0 {
		t.Errorf("the recorder was asked %d times about runs of the mesh", r.tracker.asked)
	}
	// What only the recorder could say is not left out silently.
	if _, err := r.client.ListRuns(t.Context(), &orchestratorv1.ListRunsRequest{}); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_PEER_UNAVAILABLE) {
		t.Errorf("a list without the tracked runs: %v", err)
	}
	for _, name := range []string{"@last", uid} {
		if _, err := r.client.GetRun(t.Context(), &orchestratorv1.GetRunRequest{Run: name}); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_PEER_UNAVAILABLE) {
			t.Errorf("%s without a recorder: %v", name, err)
		}
	}
}

// What is signed at the end is shown after the end, and what no tracker says is absent.
func TestATrackedRunIsShown(t *testing.T) {
	r, now := newMixed(t)
	uid := trackedID(t, now.Now())
	r.tracker.begin(uid, "loop")
	r.tracker.step(uid, 0, "")
	r.tracker.eval(uid, 0.5)
	get := func() *orchestratorv1.Run {
		t.Helper()
		got, err := r.client.GetRun(t.Context(), &orchestratorv1.GetRunRequest{Run: uid})
		if err != nil {
			t.Fatal(err)
		}
		return got.GetRun()
	}
	x := get()
	if x.GetState() != run.Running || x.GetName() != "tenants/default/runs/"+uid || x.GetProgress().GetStep() != 1 || x.GetSpec().GetDisplayName() != "loop" ||
		x.GetSpec().GetAlgorithm() != trainerv1.Algorithm_ALGORITHM_GRPO || len(x.GetEvaluations()) != 1 || len(x.GetEventsRoot()) > 0 || x.GetEndTime() != nil ||
		x.GetSpec().GetVerifier() != nil || x.GetSpec().GetTrain() != nil || x.GetSpec().GetHyper() != nil || len(x.GetDecisions()) > 0 || x.GetProgress().GetStages() != 0 {
		t.Errorf("while it is written: %v", x)
	}
	r.tracker.end(uid, completeRun)
	r.passes.of[uid] = &governancev1.Passport{Digest: "sha256:aa", Folder: "/f"}
	if x = get(); x.GetState() != run.Succeeded || string(x.GetEventsRoot()) != "root" || x.GetLedgerCheckpoint() != "note" || x.GetPassport() != "sha256:aa" || x.GetPassportFolder() != "/f" {
		t.Errorf("at its end: %v", x)
	}
}

// The mesh does not drive a loop of others, and says who does.
func TestATrackedRunIsNotDriven(t *testing.T) {
	r, now := newMixed(t)
	uid := trackedID(t, now.Now())
	r.tracker.begin(uid, "loop")
	for _, name := range []string{uid, uid[:4], "@last"} {
		_, pause := r.client.PauseRun(t.Context(), &orchestratorv1.PauseRunRequest{Run: name})
		_, resume := r.client.ResumeRun(t.Context(), &orchestratorv1.ResumeRunRequest{Run: name})
		_, cancel := r.client.CancelRun(t.Context(), &orchestratorv1.CancelRunRequest{Run: name})
		_, forget := r.client.DeleteRun(t.Context(), &orchestratorv1.DeleteRunRequest{Run: name})
		for _, err := range []error{pause, resume, cancel, forget} {
			r.refused(err, corev1.ErrorReason_ERROR_REASON_RUN_TRACKED)
		}
	}
	_, err := r.client.PauseRun(t.Context(), &orchestratorv1.PauseRunRequest{Run: "zzz"})
	r.refused(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND)
}
