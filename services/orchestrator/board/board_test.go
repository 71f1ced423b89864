package board_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/orchestrator/board"
)

const (
	running   = orchestratorv1.RunState_RUN_STATE_RUNNING
	succeeded = orchestratorv1.RunState_RUN_STATE_SUCCEEDED
)

var began = time.UnixMilli(1_800_000_000_000)

type rig struct {
	*board.Board
	t     *testing.T
	db    *store.DB
	clock *clock.Fake
	woken int
}

func newRig(t *testing.T) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "o.db"), []store.Migration{board.Migration})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{t: t, db: db, clock: clock.NewFake(began)}
	r.Board = board.New(db, r.clock, func() { r.woken++ })
	return r
}

// make creates a run at a minute.
func (r *rig) make(tenant, uid string, minute int, state orchestratorv1.RunState, a trainerv1.Algorithm) {
	r.t.Helper()
	run := &orchestratorv1.Run{Uid: uid, State: state, Spec: &orchestratorv1.RunSpec{Algorithm: a}, CreateTime: timestamppb.New(began.Add(time.Duration(minute) * time.Minute))}
	if _, err := r.Create(r.t.Context(), tenant, "", []byte{1}, run); err != nil {
		r.t.Fatal(err)
	}
}

func uids(runs []*orchestratorv1.Run) (out []string) {
	for _, r := range runs {
		out = append(out, r.GetUid())
	}
	return out
}

func TestARequestMakesOneRun(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	create := func(tenant, request, digest, uid string) (*orchestratorv1.Run, error) {
		return r.Create(ctx, tenant, request, []byte(digest), &orchestratorv1.Run{Uid: uid, CreateTime: timestamppb.New(began)})
	}
	first, err := create("acme", "q", "d", "aaa")
	if err != nil || first.GetUid() != "aaa" {
		t.Fatalf("%v, %v", first, err)
	}
	if again, err := create("acme", "q", "d", "bbb"); err != nil || again.GetUid() != "aaa" {
		t.Errorf("the same request makes %v, %v", again, err)
	}
	if _, err := create("acme", "q", "other", "ccc"); !errors.Is(err, board.ErrReused) {
		t.Errorf("another request under its id: %v", err)
	}
	if other, err := create("other", "q", "other", "ddd"); err != nil || other.GetUid() != "ddd" {
		t.Errorf("another tenant's request of that id: %v, %v", other, err)
	}
	broken := errors.New("no lease")
	_, err = r.Create(ctx, "acme", "", []byte{1}, &orchestratorv1.Run{Uid: "eee"}, func(store.Tx) error { return broken })
	if _, missing := r.Get(ctx, "acme", "eee"); !errors.Is(err, broken) || !errors.Is(missing, board.ErrNotFound) {
		t.Errorf("half a run stands: %v, %v", err, missing)
	}
}

func TestNamesOfRuns(t *testing.T) {
	r := newRig(t)
	r.make("acme", "abc1", 1, running, 0)
	r.make("acme", "abd2", 3, running, 0)
	r.make("acme", "xyz3", 2, running, 0)
	r.make("other", "zzz4", 9, running, 0)
	for _, tt := range []struct{ tenant, name, want string }{
		{"acme", "abc1", "abc1"}, {"acme", "abc", "abc1"}, {"acme", "x", "xyz3"}, {"acme", "@last", "abd2"}, {"other", "@last", "zzz4"},
		{"acme", "ab", "fits several"}, {"acme", "abc11", "no such run"}, {"acme", "zzz4", "no such run"}, {"nobody", "@last", "no such run"}, {"acme", "~", "no such run"},
	} {
		got, err := r.Get(t.Context(), tt.tenant, tt.name)
		if err == nil && got.GetUid() != tt.want || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s of %s: %s, %v", tt.name, tt.tenant, got.GetUid(), err)
		}
	}
	var several board.Ambiguous
	if _, err := r.Get(t.Context(), "acme", "ab"); !errors.As(err, &several) || !slices.Equal(several.Some, []string{"abd2", "abc1"}) {
		t.Errorf("a prefix of two: %v", err)
	}
}

func TestList(t *testing.T) {
	r := newRig(t)
	for i := range 6 {
		r.make("acme", fmt.Sprintf("r%d", i), i, []orchestratorv1.RunState{running, succeeded}[i%2], []trainerv1.Algorithm{1, 2, 3}[i%3])
	}
	r.make("acme", "same", 3, running, 1) // at the minute of another
	r.make("other", "theirs", 3, running, 1)
	minute := func(n int) time.Time { return began.Add(time.Duration(n) * time.Minute) }
	for _, tt := range []struct {
		name string
		f    board.Filter
		want string
	}{
		{"all", board.Filter{}, "r5 r4 same r3 r2 r1 r0"},
		{"of a state", board.Filter{States: []orchestratorv1.RunState{succeeded}}, "r5 r3 r1"},
		{"of algorithms", board.Filter{Algorithms: []trainerv1.Algorithm{1, 2}}, "r4 same r3 r1 r0"},
		{"of a time", board.Filter{From: minute(2), Before: minute(4)}, "same r3 r2"},
		{"of all these", board.Filter{States: []orchestratorv1.RunState{running}, Algorithms: []trainerv1.Algorithm{1}, From: minute(1)}, "same"},
		{"of nothing", board.Filter{From: minute(99)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for after := (board.Place{}); ; { // pages of two
				page, err := r.List(t.Context(), "acme", tt.f, after, 2)
				if err != nil {
					t.Fatal(err)
				}
				if len(page) == 0 {
					break
				}
				got, after = append(got, uids(page)...), board.PlaceOf(page[len(page)-1])
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%v, want %s", got, tt.want)
			}
		})
	}
	first, err := r.List(t.Context(), "acme", board.Filter{}, board.Place{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Delete(t.Context(), "r4"); err != nil { // the last of that page
		t.Fatal(err)
	}
	next, err := r.List(t.Context(), "acme", board.Filter{}, board.PlaceOf(first[1]), 2)
	if err != nil || !slices.Equal(uids(next), []string{"same", "r3"}) {
		t.Errorf("after a run that is gone comes %v, %v", uids(next), err)
	}
	if events, _, err := r.Events(t.Context(), "r4", 0, 9); err != nil || len(events) > 0 {
		t.Errorf("the stream of a deleted run: %v, %v", events, err)
	}
	alive, tenants, err := r.Alive(t.Context(), func(s orchestratorv1.RunState) bool { return s == succeeded })
	if err != nil || !slices.Equal(uids(alive), []string{"r0", "r2", "same", "theirs"}) || tenants[3] != "other" {
		t.Errorf("alive: %v of %v, %v", uids(alive), tenants, err)
	}
}

// What people should see becomes an event and wakes them; the rest is only kept.
func TestUpdate(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	r.make("acme", "run", 0, running, 0)
	r.clock.Advance(time.Hour)
	updates := []struct {
		name   string
		f      func(*orchestratorv1.Run)
		events int // behind it
	}{
		{"nothing", func(*orchestratorv1.Run) {}, 1},
		{"a step", func(run *orchestratorv1.Run) { run.Progress.Step = 3 }, 1},
		{"a wait", func(run *orchestratorv1.Run) { run.Progress.Waiting = "for the verifier" }, 2},
		{"the end", func(run *orchestratorv1.Run) { run.State = succeeded }, 3},
	}
	for _, u := range updates {
		bell, woken := r.Changed("run"), r.woken
		if err := r.Update(ctx, "run", u.f); err != nil {
			t.Fatal(err)
		}
		select {
		case <-bell:
		default:
			t.Errorf("%s wakes nobody", u.name)
		}
		events, at, err := r.Events(ctx, "run", 0, 9)
		if err != nil || len(events) != u.events || at[len(at)-1] != uint64(u.events) || r.woken != woken+1 {
			t.Errorf("%s: %d events at %v, woken %d times, %v", u.name, len(events), at, r.woken-woken, err)
		}
	}
	got, err := r.Get(ctx, "acme", "run")
	if err != nil || got.GetEtag() != "4" || got.GetProgress().GetStep() != 3 || !got.GetUpdateTime().AsTime().Equal(began.Add(time.Hour)) {
		t.Errorf("%v, %v", got, err)
	}
	broken := errors.New("the journal is full")
	if err := r.Update(ctx, "run", func(run *orchestratorv1.Run) { run.State = running }, func(store.Tx) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if after, err := r.Get(ctx, "acme", "run"); err != nil || after.GetState() != succeeded {
		t.Errorf("half a change stands: %v, %v", after, err)
	}
	if err := r.Update(ctx, "nobody", func(*orchestratorv1.Run) {}); err == nil {
		t.Error("a run that is not there was updated")
	}
	if later, at, err := r.Events(ctx, "run", 1, 1); err != nil || len(later) != 1 || at[0] != 2 {
		t.Errorf("events after the first: %v at %v, %v", later, at, err)
	}
}

// A cancel stays: a pause that comes after it would keep a run alive that somebody ended.
func TestAsked(t *testing.T) {
	r, ctx := newRig(t), t.Context()
	r.make("acme", "run", 0, running, 0)
	run := r.Of("run")
	for _, step := range []struct {
		ask  func(context.Context) error
		want string
	}{
		{run.Hold, "pause"},
		{func(ctx context.Context) error { return r.Ask(ctx, "run", "") }, ""},
		{func(ctx context.Context) error { return r.Ask(ctx, "run", "cancel") }, "cancel"},
		{run.Hold, "cancel"},
	} {
		if err := step.ask(ctx); err != nil {
			t.Fatal(err)
		}
		if got, err := run.Asked(ctx); err != nil || got != step.want {
			t.Errorf("asked %q, want %q, %v", got, step.want, err)
		}
	}
}
