package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// told adds an event to a run's stream, as its owner would.
func (r *rig) told(uid string, step uint64) {
	r.Helper()
	e := &orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Step{Step: &orchestratorv1.StepRow{Facts: &corev1.StepFacts{Step: step}}}}
	if err := r.board.Publish(r.Context(), r.db, uid, e); err != nil {
		r.Fatal(err)
	}
	r.board.Ring(uid)
}

// watch reads a stream to its end.
func (r *rig) watch(uid, token string) (events []*orchestratorv1.WatchRunResponse, err error) {
	s, err := r.client.WatchRun(r.Context(), &orchestratorv1.WatchRunRequest{Run: uid, ResumeToken: token})
	if err != nil {
		return nil, err
	}
	for {
		m, err := s.Recv()
		if errors.Is(err, io.EOF) {
			return events, nil
		}
		if err != nil {
			return events, err
		}
		events = append(events, m)
	}
}

// A watch that is cut at any event and taken up with its token shows each event once, in order.
func TestWatchResumesAfterAnyEvent(t *testing.T) {
	r := newRig(t, database(t), clock.NewFake(time.Unix(1000, 0)), nil)
	uid := r.create("").GetUid()
	for step := range uint64(5) {
		r.told(uid, step)
	}
	r.become(uid, run.Cancelled)
	all, err := r.watch(uid, "")
	if err != nil || len(all) != 7 || all[0].GetRun().GetState() != run.Pending || all[6].GetRun().GetState() != run.Cancelled {
		t.Fatalf("%d events, %v", len(all), err)
	}
	for i, e := range all {
		rest, err := r.watch(uid, e.GetResumeToken())
		if err != nil || len(rest) != 6-i {
			t.Fatalf("after event %d come %d, %v", i, len(rest), err)
		}
		for k, x := range rest {
			if x.GetResumeToken() != all[i+1+k].GetResumeToken() || x.GetStep().GetFacts().GetStep() != all[i+1+k].GetStep().GetFacts().GetStep() {
				t.Errorf("after event %d, event %d is another", i, k)
			}
		}
	}
}

func TestWatchRefusesForeignTokens(t *testing.T) {
	db := database(t)
	r := newRig(t, db, clock.NewFake(time.Unix(1000, 0)), nil)
	a, b := r.create("").GetUid(), r.create("").GetUid()
	r.become(a, run.Failed)
	r.become(b, run.Failed)
	events, err := r.watch(a, "")
	if err != nil {
		t.Fatal(err)
	}
	token := events[0].GetResumeToken()
	for name, c := range map[string]struct {
		uid, token string
		why        corev1.ErrorReason
	}{
		"another run": {b, token, corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN},
		"nonsense":    {a, "nonsense", corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN},
		"no run":      {"zzz", token, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND},
	} {
		if _, err := r.watch(c.uid, c.token); !rpc.Is(err, c.why) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What the token points at is gone with its run.
	if _, err := r.client.DeleteRun(t.Context(), &orchestratorv1.DeleteRunRequest{Run: a}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.watch(a, token); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND) {
		t.Errorf("a deleted run: %v", err)
	}
}

// slow is a reader that takes one event and then no more until it is let go. What it would have to hold stays in the
// database.
type slow struct {
	orchestratorv1.OrchestratorService_WatchRunServer
	ctx  context.Context
	took chan struct{}
	free chan struct{}
	got  []*orchestratorv1.WatchRunResponse
}

func (s *slow) Context() context.Context { return s.ctx }

func (s *slow) Send(m *orchestratorv1.WatchRunResponse) error {
	s.got = append(s.got, m)
	if len(s.got) == 1 {
		close(s.took)
		<-s.free
	}
	return nil
}

// A reader that sleeps while a run makes thousands of steps and ends gets all of them, with the end.
func TestASlowReaderMissesNothing(t *testing.T) {
	r := newRig(t, database(t), clock.NewFake(time.Unix(1000, 0)), nil)
	uid := r.create("").GetUid()
	reader := &slow{ctx: as(t.Context(), "default"), took: make(chan struct{}), free: make(chan struct{})}
	watched := make(chan error, 1)
	go func() { watched <- r.WatchRun(&orchestratorv1.WatchRunRequest{Run: uid}, reader) }()
	<-reader.took
	const steps = 1500
	for i := range uint64(steps) {
		r.told(uid, i)
	}
	r.become(uid, run.Cancelled)
	if fast, err := r.watch(uid, ""); err != nil || len(fast) != steps+2 { // others do not wait for it
		t.Errorf("a fast reader got %d events, %v", len(fast), err)
	}
	close(reader.free)
	if err := <-watched; err != nil {
		t.Fatal(err)
	}
	if n := len(reader.got); n != steps+2 || reader.got[n-1].GetRun().GetState() != run.Cancelled {
		t.Fatalf("%d events, want %d with the end", n, steps+2)
	}
	for i, e := range reader.got[1 : steps+1] {
		if e.GetStep().GetFacts().GetStep() != uint64(i) {
			t.Fatalf("event %d is of step %d", i, e.GetStep().GetFacts().GetStep())
		}
	}
}

// ticking is a clock whose timers tell that they were set.
type ticking struct {
	*clock.Fake
	set chan struct{}
}

func (c *ticking) NewTimer(d time.Duration) clock.Timer {
	t := c.Fake.NewTimer(d)
	c.set <- struct{}{}
	return t
}

// While nothing happens a heartbeat comes every five seconds, with a token that is good; an event comes at once.
func TestHeartbeats(t *testing.T) {
	c := &ticking{Fake: clock.NewFake(time.Unix(1000, 0)), set: make(chan struct{}, 100)}
	r := newRig(t, database(t), c, nil)
	uid := r.create("").GetUid()
	ctx, cancel := context.WithCancel(t.Context())
	s, err := r.client.WatchRun(ctx, &orchestratorv1.WatchRunRequest{Run: uid})
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Recv()
	if err != nil || first.GetRun() == nil {
		t.Fatalf("%v, %v", first, err)
	}
	for range 3 {
		<-c.set
		c.Advance(heartbeat)
		beat, err := s.Recv()
		if err != nil || beat.GetEvent() != nil || beat.GetResumeToken() != first.GetResumeToken() {
			t.Fatalf("%v, %v", beat, err)
		}
	}
	<-c.set
	r.told(uid, 1)
	if e, err := s.Recv(); err != nil || e.GetStep() == nil {
		t.Errorf("%v, %v", e, err)
	}
	cancel()
	if _, err := s.Recv(); err == nil {
		t.Error("the stream goes on after its reader left")
	}
}

// Any process may take any call: what it writes down is what the owner reads, and what the owner tells is what it shows.
func TestCallsReachTheOwnerThroughAnotherProcess(t *testing.T) {
	db := database(t)
	owner, other := newRig(t, db, &rush{now: time.Unix(1000, 0)}, nil), newRig(t, db, &rush{now: time.Unix(1000, 0)}, nil)
	uid := other.create("").GetUid()
	owner.run()
	s, err := other.client.WatchRun(t.Context(), &orchestratorv1.WatchRunRequest{Run: uid})
	if err != nil {
		t.Fatal(err)
	}
	cancelled := false
	for {
		m, err := s.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.GetRun().GetProgress().GetWaiting() != "" && !cancelled { // it is owned, and waits for the evaluator
			cancelled = true
			if _, err := other.client.CancelRun(t.Context(), &orchestratorv1.CancelRunRequest{Run: uid}); err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := other.client.GetRun(t.Context(), &orchestratorv1.GetRunRequest{Run: uid})
	if err != nil || got.GetRun().GetState() != run.Cancelled || !cancelled {
		t.Errorf("%v, %v", got.GetRun().GetState(), err)
	}
}

// An owner that stops gives its lease back; one that died keeps it until it runs out. Either way the next one has a higher
// epoch, and it is the only one.
func TestTheNextProcessTakesOver(t *testing.T) {
	for _, died := range []bool{false, true} {
		t.Run(fmt.Sprint("died ", died), func(t *testing.T) {
			db := database(t)
			first := newRig(t, db, &rush{now: time.Unix(1000, 0)}, nil)
			uid := first.create("").GetUid()
			first.run()
			first.until(uid, func(x *orchestratorv1.Run) bool { return x.GetProgress().GetWaiting() != "" })
			first.stop()
			now := time.Unix(1000, 0)
			if died {
				_, err := db.Exec(t.Context(), `UPDATE leases SET expiry = ? WHERE run = ?`, now.Add(time.Minute).UnixMilli(), uid)
				if err != nil {
					t.Fatal(err)
				}
			}
			var before, after uint64
			var owner string
			if err := db.QueryRow(t.Context(), `SELECT epoch, owner FROM leases WHERE run = ?`, uid).Scan(&before, &owner); err != nil {
				t.Fatal(err)
			}
			if owner != first.owner {
				t.Fatalf("%s owns it, and not the first", owner)
			}
			second := newRig(t, db, &rush{now: now}, nil)
			if _, err := second.client.CancelRun(t.Context(), &orchestratorv1.CancelRunRequest{Run: uid}); err != nil {
				t.Fatal(err)
			}
			second.run()
			second.until(uid, func(x *orchestratorv1.Run) bool { return run.Ended(x.GetState()) })
			second.stop()
			if err := db.QueryRow(t.Context(), `SELECT epoch, owner FROM leases WHERE run = ?`, uid).Scan(&after, &owner); err != nil {
				t.Fatal(err)
			}
			if after != before+1 || owner != second.owner {
				t.Errorf("epoch %d after %d", after, before)
			}
			if passed := second.d.Clock.Now().Sub(now); died && passed < time.Minute {
				t.Errorf("it took a running lease after %s", passed)
			}
		})
	}
}

// until follows a run until cond.
func (r *rig) until(uid string, cond func(*orchestratorv1.Run) bool) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	s, err := r.client.WatchRun(ctx, &orchestratorv1.WatchRunRequest{Run: uid})
	if err != nil {
		r.Fatal(err)
	}
	for {
		m, err := s.Recv()
		if err != nil {
			r.Fatalf("it never came to this: %v", err)
		}
		if m.GetRun() != nil && cond(m.GetRun()) {
			return
		}
	}
}

func TestNewNeedsItsNeighbours(t *testing.T) {
	good := newRig(t, database(t), clock.System{}, nil)
	for name, bad := range map[string]func(*Config, *Deps){
		"no database": func(_ *Config, d *Deps) { d.DB = nil },
		"no peer":     func(_ *Config, d *Deps) { d.Peers.Governance = nil },
		"no key":      func(c *Config, _ *Deps) { c.TokenKey = nil },
	} {
		cfg, deps := good.cfg, good.d
		bad(&cfg, &deps)
		if _, err := New(cfg, deps); err == nil {
			t.Errorf("%s: made", name)
		}
	}
	if err := good.Health(t.Context()); err != nil {
		t.Error(err)
	}
	engines, err := good.client.ListBackends(t.Context(), &orchestratorv1.ListBackendsRequest{})
	if err != nil || len(engines.GetEngines()) != 1 {
		t.Errorf("%v, %v", engines, err)
	}
	_ = good.db.Close()
	if err := good.Health(t.Context()); err == nil {
		t.Error("healthy without a database")
	}
}
