package orchestrator

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"google.golang.org/protobuf/types/known/timestamppb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/run"
)

func TestCreateRunIsIdempotent(t *testing.T) {
	r := newRig(t, database(t), clock.NewFake(time.Unix(1000, 0)), nil)
	first := r.create("once")
	if again := r.create("once"); again.GetUid() != first.GetUid() {
		t.Errorf("the same request made %s and %s", first.GetUid(), again.GetUid())
	}
	if n, err := outbox.Pending(t.Context(), r.db); err != nil || n != 1 {
		t.Errorf("%d messages, %v: one run was created", n, err)
	}
	other := spec()
	other.Seed = 9
	_, err := r.client.CreateRun(t.Context(), &orchestratorv1.CreateRunRequest{Spec: other, RequestId: "once"})
	r.refused(err, corev1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED)
	if a, b := r.create(""), r.create(""); a.GetUid() == b.GetUid() {
		t.Error("two requests without an id made one run")
	}
	theirs, err := r.CreateRun(as(t.Context(), "other"), &orchestratorv1.CreateRunRequest{Spec: spec(), RequestId: "once"})
	if err != nil || theirs.GetRun().GetUid() == first.GetUid() || !strings.HasPrefix(theirs.GetRun().GetName(), "tenants/other/runs/") {
		t.Errorf("another tenant's request: %v, %v", theirs, err)
	}
}

func TestCreateRunRefuses(t *testing.T) {
	r := newRig(t, database(t), clock.NewFake(time.Unix(1000, 0)), nil)
	for _, c := range []struct {
		name string
		bad  func(*orchestratorv1.RunSpec)
		why  corev1.ErrorReason
		says string
	}{
		{"no algorithm", func(s *orchestratorv1.RunSpec) { s.Algorithm = 0 }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "algorithm"},
		{"no steps", func(s *orchestratorv1.RunSpec) { s.Hyper.MaxSteps = 0 }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "max_steps"},
		{"no verifier", func(s *orchestratorv1.RunSpec) { s.Verifier = nil }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "without a verdict there is no reward"},
		{"a dataset by name", func(s *orchestratorv1.RunSpec) { s.Train.Digest = []byte("mine") }, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "digest"},
		{"what the trainer refuses", func(s *orchestratorv1.RunSpec) {
			r.planner.refusal = rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_ENGINE_LACKS_ALGORITHM, "trl has it")
		}, corev1.ErrorReason_ERROR_REASON_ENGINE_LACKS_ALGORITHM, "grpo stage: ENGINE_LACKS_ALGORITHM: trl has it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := spec()
			c.bad(s)
			_, err := r.client.CreateRun(t.Context(), &orchestratorv1.CreateRunRequest{Spec: s})
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("says %v, and not %q", err, c.says)
			}
			r.refused(err, c.why)
		})
	}
	r.planner.refusal = nil
	got, err := r.client.CreateRun(t.Context(), &orchestratorv1.CreateRunRequest{Spec: spec(), ValidateOnly: true})
	if err != nil || got.GetRun().GetUid() != "" || r.planner.plans == 0 {
		t.Errorf("validate_only: %v, %v", got, err)
	}
	list, err := r.client.ListRuns(t.Context(), &orchestratorv1.ListRunsRequest{})
	if err != nil || len(list.GetRuns()) != 0 {
		t.Errorf("%d runs are there, %v", len(list.GetRuns()), err)
	}
}

func TestNamesOfRuns(t *testing.T) {
	c := clock.NewFake(time.Unix(1000, 0))
	r := newRig(t, database(t), c, nil)
	_, err := r.client.GetRun(t.Context(), &orchestratorv1.GetRunRequest{Run: "@last"})
	r.refused(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND)
	a := r.create("")
	c.Advance(time.Second)
	b := r.create("")
	for _, x := range []struct{ name, uid string }{
		{a.GetUid(), a.GetUid()}, {"@last", b.GetUid()}, {b.GetUid()[:25], b.GetUid()},
	} {
		got, err := r.client.GetRun(t.Context(), &orchestratorv1.GetRunRequest{Run: x.name})
		if err != nil || got.GetRun().GetUid() != x.uid {
			t.Errorf("%s is %v, %v", x.name, got.GetRun().GetUid(), err)
		}
		if got.GetRun().GetProgress().GetOutbox() != 2 {
			t.Errorf("%d messages wait for NATS, want 2", got.GetRun().GetProgress().GetOutbox())
		}
	}
	for name, why := range map[string]corev1.ErrorReason{
		a.GetUid()[:1]:       corev1.ErrorReason_ERROR_REASON_RUN_AMBIGUOUS,
		"zzz":                corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND,
		a.GetUid() + "0":     corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND,
		"%":                  corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND,
		"' OR 1=1 --":        corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND,
		"":                   corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
		a.GetName() + "/../": corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND,
	} {
		_, err := r.client.GetRun(t.Context(), &orchestratorv1.GetRunRequest{Run: name})
		r.refused(err, why)
	}
	for name, call := range map[string]func(context.Context) error{
		"get": func(ctx context.Context) error {
			_, err := r.GetRun(ctx, &orchestratorv1.GetRunRequest{Run: a.GetUid()})
			return err
		},
		"pause": func(ctx context.Context) error {
			_, err := r.PauseRun(ctx, &orchestratorv1.PauseRunRequest{Run: a.GetUid()})
			return err
		},
		"cancel": func(ctx context.Context) error {
			_, err := r.CancelRun(ctx, &orchestratorv1.CancelRunRequest{Run: a.GetUid()})
			return err
		},
		"delete": func(ctx context.Context) error {
			_, err := r.DeleteRun(ctx, &orchestratorv1.DeleteRunRequest{Run: a.GetUid()})
			return err
		},
	} {
		if err := call(as(t.Context(), "other")); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND) {
			t.Errorf("%s of another tenant's run: %v", name, err)
		}
	}
}

// Pages do not repeat or leave out a run, although runs come and go between them; a token is of one list.
func TestPagesOfRuns(t *testing.T) {
	c := clock.NewFake(time.Unix(1000, 0))
	r := newRig(t, database(t), c, nil)
	var made []string
	for i := range 7 {
		if i%2 == 0 { // some at the same time
			c.Advance(time.Second)
		}
		made = append(made, r.create("").GetUid())
	}
	r.become(made[1], run.Failed)
	var got []string
	token := ""
	for page := 0; ; page++ {
		list, err := r.client.ListRuns(t.Context(), &orchestratorv1.ListRunsRequest{PageSize: 2, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range list.GetRuns() {
			got = append(got, x.GetUid())
		}
		if token = list.GetNextPageToken(); token == "" {
			break
		}
		if page == 0 {
			c.Advance(time.Second)
			r.create("")
			if _, err := r.client.DeleteRun(t.Context(), &orchestratorv1.DeleteRunRequest{Run: made[1]}); err != nil {
				t.Fatal(err)
			}
		}
	}
	seen := map[string]int{}
	for _, uid := range got {
		seen[uid]++
	}
	for i, uid := range made {
		if want := map[bool]int{true: 0, false: 1}[i == 1]; seen[uid] != want {
			t.Errorf("run %d was listed %d times, want %d", i, seen[uid], want)
		}
	}
	first, err := r.client.ListRuns(t.Context(), &orchestratorv1.ListRunsRequest{PageSize: 2})
	if err != nil {
		t.Fatal(err)
	}
	good := first.GetNextPageToken()
	for name, req := range map[string]*orchestratorv1.ListRunsRequest{
		"another filter": {PageToken: good, States: []run.State{run.Pending}}, "nonsense": {PageToken: "nonsense"}, "cut": {PageToken: good[:len(good)-1]},
		"another place": {PageToken: made[0] + good[26:]},
	} {
		if _, err := r.client.ListRuns(t.Context(), req); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.ListRuns(as(t.Context(), "other"), &orchestratorv1.ListRunsRequest{PageToken: good}); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN) {
		t.Errorf("another tenant: %v", err)
	}
}

func TestListsByState(t *testing.T) {
	r := newRig(t, database(t), clock.NewFake(time.Unix(1000, 0)), nil)
	a, b, c := r.create(""), r.create(""), r.create("")
	r.become(b.GetUid(), run.Starting, run.Running)
	r.become(c.GetUid(), run.Cancelled)
	for _, x := range []struct {
		states []run.State
		want   int
	}{{nil, 3}, {[]run.State{run.Pending}, 1}, {[]run.State{run.Running, run.Cancelled}, 2}, {[]run.State{run.Failed}, 0}} {
		got, err := r.client.ListRuns(t.Context(), &orchestratorv1.ListRunsRequest{States: x.states})
		if err != nil || len(got.GetRuns()) != x.want {
			t.Errorf("%v: %d runs, %v; want %d", x.states, len(got.GetRuns()), err, x.want)
		}
	}
	alive, tenants, err := r.board.Alive(t.Context(), run.Ended)
	if err != nil || len(alive) != 2 || alive[0].GetUid() != min(a.GetUid(), b.GetUid()) || tenants[0] != "default" {
		t.Errorf("%d are alive, %v", len(alive), err)
	}
}

func TestListsByAlgorithmAndTime(t *testing.T) {
	fake := clock.NewFake(time.Unix(1000, 0))
	r := newRig(t, database(t), fake, nil)
	first := r.create("")
	fake.Advance(time.Hour)
	r.create("")
	at := func(s int64) *timestamppb.Timestamp { return &timestamppb.Timestamp{Seconds: s} }
	for name, x := range map[string]struct {
		req  *orchestratorv1.ListRunsRequest
		want int
	}{
		"its algorithm":     {&orchestratorv1.ListRunsRequest{Algorithms: []trainerv1.Algorithm{first.GetSpec().GetAlgorithm()}}, 2},
		"another":           {&orchestratorv1.ListRunsRequest{Algorithms: []trainerv1.Algorithm{trainerv1.Algorithm_ALGORITHM_DPO}}, 0},
		"one of two":        {&orchestratorv1.ListRunsRequest{Algorithms: []trainerv1.Algorithm{trainerv1.Algorithm_ALGORITHM_DPO, first.GetSpec().GetAlgorithm()}}, 2},
		"from its time":     {&orchestratorv1.ListRunsRequest{CreatedAfter: at(1000)}, 2},
		"later":             {&orchestratorv1.ListRunsRequest{CreatedAfter: at(1001)}, 1},
		"before the second": {&orchestratorv1.ListRunsRequest{CreatedBefore: at(1000 + 3600)}, 1},
		"between the two":   {&orchestratorv1.ListRunsRequest{CreatedAfter: at(1001), CreatedBefore: at(2000)}, 0},
	} {
		got, err := r.client.ListRuns(t.Context(), x.req)
		if err != nil || len(got.GetRuns()) != x.want {
			t.Errorf("%s: %d runs, %v; want %d", name, len(got.GetRuns()), err, x.want)
		}
	}
	if _, err := r.client.ListRuns(t.Context(), &orchestratorv1.ListRunsRequest{CreatedAfter: &timestamppb.Timestamp{Nanos: -1}}); err == nil {
		t.Error("a broken time was taken")
	}
	page, err := r.client.ListRuns(t.Context(), &orchestratorv1.ListRunsRequest{PageSize: 1, CreatedAfter: at(1000)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.client.ListRuns(t.Context(), &orchestratorv1.ListRunsRequest{PageSize: 1, PageToken: page.GetNextPageToken()}); err == nil {
		t.Error("the token of another list was taken")
	}
}

func TestOnlyAnEndedRunIsDeleted(t *testing.T) {
	r := newRig(t, database(t), clock.NewFake(time.Unix(1000, 0)), nil)
	uid := r.create("").GetUid()
	for _, s := range []run.State{run.Pending, run.Starting, run.Running, run.Gating, run.Paused, run.Sealing} {
		r.become(uid, s)
		_, err := r.client.DeleteRun(t.Context(), &orchestratorv1.DeleteRunRequest{Run: uid})
		r.refused(err, corev1.ErrorReason_ERROR_REASON_RUN_STATE_INVALID)
	}
	r.become(uid, run.Succeeded)
	for name, call := range map[string]func() error{
		"pause": func() error {
			_, err := r.client.PauseRun(t.Context(), &orchestratorv1.PauseRunRequest{Run: uid})
			return err
		},
		"resume": func() error {
			_, err := r.client.ResumeRun(t.Context(), &orchestratorv1.ResumeRunRequest{Run: uid})
			return err
		},
		"cancel": func() error {
			_, err := r.client.CancelRun(t.Context(), &orchestratorv1.CancelRunRequest{Run: uid})
			return err
		},
	} {
		if err := call(); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_SEALED) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := r.client.DeleteRun(t.Context(), &orchestratorv1.DeleteRunRequest{Run: uid}); err != nil {
		t.Fatal(err)
	}
	_, err := r.client.GetRun(t.Context(), &orchestratorv1.GetRunRequest{Run: uid})
	r.refused(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND)
	if left, _, err := r.board.Events(t.Context(), uid, 0, 10); err != nil || len(left) != 0 {
		t.Errorf("%d events are left, %v", len(left), err)
	}
}

// A cancel cannot be taken back: what follows it is not heard.
func TestCancelIsFinal(t *testing.T) {
	r := newRig(t, database(t), clock.NewFake(time.Unix(1000, 0)), nil)
	uid := r.create("").GetUid()
	calls := errors.Join(
		func() error {
			_, err := r.client.PauseRun(t.Context(), &orchestratorv1.PauseRunRequest{Run: uid})
			return err
		}(),
		func() error {
			_, err := r.client.CancelRun(t.Context(), &orchestratorv1.CancelRunRequest{Run: uid})
			return err
		}(),
		func() error {
			_, err := r.client.ResumeRun(t.Context(), &orchestratorv1.ResumeRunRequest{Run: uid})
			return err
		}())
	if calls != nil {
		t.Fatal(calls)
	}
	if asked, err := r.board.Asked(t.Context(), uid); err != nil || asked != "cancel" {
		t.Errorf("asked %q, %v", asked, err)
	}
}

// While NATS is away messages wait, visibly, and go out in order when it is back: the run's making and its end.
func TestBadInputNATSDown(t *testing.T) {
	var mu sync.Mutex
	away, sent := true, []string{}
	gone := make(chan struct{})
	publish := func(_ context.Context, m outbox.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if away {
			return errors.New("no route to NATS")
		}
		if sent = append(sent, m.Headers["ce-type"]); len(sent) == 2 {
			close(gone)
		}
		return nil
	}
	r := newRig(t, database(t), &rush{now: time.Unix(1000, 0)}, publish)
	uid := r.create("").GetUid()
	r.run()
	r.until(uid, func(x *orchestratorv1.Run) bool { return x.GetProgress().GetWaiting() != "" })
	if _, err := r.client.CancelRun(t.Context(), &orchestratorv1.CancelRunRequest{Run: uid}); err != nil {
		t.Fatal(err)
	}
	r.until(uid, func(x *orchestratorv1.Run) bool { return run.Ended(x.GetState()) })
	got, err := r.client.GetRun(t.Context(), &orchestratorv1.GetRunRequest{Run: uid})
	if err != nil || got.GetRun().GetProgress().GetOutbox() == 0 {
		t.Errorf("%d messages wait, %v", got.GetRun().GetProgress().GetOutbox(), err)
	}
	mu.Lock()
	away = false
	mu.Unlock()
	<-gone
	if want := []string{"dev.provenir.run.created", "dev.provenir.run.finished"}; !slices.Equal(sent, want) {
		t.Errorf("sent %v, want %v", sent, want)
	}
}
