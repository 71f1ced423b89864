package loop

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/lease"
	"github.com/provenir/provenir/services/orchestrator/pump"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// A process dies at each point of a run, at its first pass and at its last; the next one makes the same log and pays the
// same rewards.
func TestKilledAtEachPoint(t *testing.T) {
	for _, c := range []struct {
		name  string
		mood  func(*rig)
		state run.State
	}{
		{"two stages", func(r *rig) { r.spec.Warmup = &orchestratorv1.Warmup{Steps: 2, BatchSize: 2} }, run.Succeeded},
		{"a rollback to the start", func(r *rig) { r.spec.Gate.OnCritical, r.rec.finds = roll, criticalAt(2) }, run.Succeeded},
		{"a stop", func(r *rig) { r.spec.Gate.OnCritical, r.rec.finds = stop, criticalAt(1) }, run.Stopped},
	} {
		t.Run(c.name, func(t *testing.T) {
			make := func(t *testing.T) *rig {
				r := newRig(t)
				r.evals()
				c.mood(r)
				r.create()
				return r
			}
			calm, count := make(t), faultline.New("", 0, nil)
			if err := calm.live(t.Context(), count); err != nil {
				t.Fatal(err)
			}
			if s := calm.get().GetState(); s != c.state {
				t.Fatalf("undisturbed it is %s", s)
			}
			for p, n := range count.Hits() {
				for _, pass := range slices.Compact([]int{1, n}) {
					t.Run(fmt.Sprintf("%s#%d", p, pass), func(t *testing.T) {
						r := make(t)
						r.killed(p, pass)
						if err := r.live(t.Context(), nil); err != nil {
							t.Fatal(err)
						}
						if got := r.get(); got.GetState() != c.state || got.GetPassport() != calm.get().GetPassport() {
							t.Errorf("the run is %s (%v), passport %q", got.GetState(), got.GetFailure(), got.GetPassport())
						}
						sameLog(t, r, calm)
					})
				}
			}
		})
	}
}

func sameLog(t *testing.T, r, calm *rig) {
	t.Helper()
	if a, b := r.rec.types(), calm.rec.types(); !slices.Equal(a, b) {
		t.Fatalf("the log is %v\nundisturbed %v", a, b)
	}
	for i, rec := range r.rec.all() {
		if string(rec.GetPayload()) != string(calm.rec.all()[i].GetPayload()) {
			t.Errorf("record %d, %s, differs from that of an undisturbed run", i, name(rec))
		}
	}
}

// A restart begins at the earliest of what journal, recorder and trainer have whole.
func TestTheEarliestPointCounts(t *testing.T) {
	for _, c := range []struct {
		name   string
		lose   func(*rig)
		resume uint64 // what the trainer is asked for
	}{
		{"all have everything", func(*rig) {}, 3},
		{"the trainer has lost its last snapshots", func(r *rig) { r.tr.forget = 1 }, 3},
		{"the recorder has lost its last step", func(r *rig) { r.rec.log = r.rec.log[:len(r.rec.log)-1] }, 2},
		{"the recorder has half a step less", func(r *rig) { r.rec.log = r.rec.log[:len(r.rec.log)-15] }, 1},
		{"the recorder has only the header", func(r *rig) { r.rec.log = r.rec.log[:3] }, 0},
		{"the recorder has lost all", func(r *rig) { r.rec.log = nil }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			calm := newRig(t)
			calm.play(run.Succeeded)
			r := newRig(t)
			r.create()
			r.killed(PointDecided, 3) // steps 0 to 2 are in the journal
			if n := r.rec.types(); n[len(n)-1] != "STEP" {
				t.Fatalf("the log ends with %s", n[len(n)-1])
			}
			r.rec.lock.Lock()
			c.lose(r)
			r.rec.lock.Unlock()
			if err := r.live(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			if got := r.get(); got.GetState() != run.Succeeded {
				t.Fatalf("%s: %v", got.GetState(), got.GetFailure())
			}
			sameLog(t, r, calm)
			if again := r.tr.begun()[1]; again.GetResume().GetStep() != c.resume {
				t.Errorf("the trainer was asked for step %d, want %d", again.GetResume().GetStep(), c.resume)
			}
		})
	}
}

// A run that does not repeat itself ends as FAILED/RESUME_DIVERGED, with the first record that differs, and its ledger is
// sealed with what was recorded before.
func TestARunThatDoesNotRepeatItself(t *testing.T) {
	for _, c := range []struct {
		name string
		kill faultline.Point
		lie  func(*rig)
		says string
	}{
		{"other rollouts", PointReport, func(r *rig) { r.tr.drift = "!" }, "record 14: DIVERGENT_REPLAY: RECORD_TYPE_ROLLOUT"},
		{"another effective spec", PointReport, func(r *rig) { r.tr.spec = "new defaults" }, "the stage's effective spec is"},
		{"a report in the middle of a round", pump.PointPaid, func(r *rig) { r.tr.early = true }, "in the middle of a round"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.create()
			r.killed(c.kill, 2)
			c.lie(r)
			before := r.rec.types()
			if err := r.live(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			got := r.get()
			if got.GetState() != run.Failed || got.GetFailure().GetCode() != "RESUME_DIVERGED" {
				t.Fatalf("%s, %v", got.GetState(), got.GetFailure())
			}
			if !strings.Contains(got.GetFailure().GetMessage(), c.says) {
				t.Errorf("says %q, want %q", got.GetFailure().GetMessage(), c.says)
			}
			after := r.rec.types()
			if !slices.Equal(after[:len(before)], before) || after[len(after)-1] != "RUN_CLOSE" || !r.rec.sealed {
				t.Errorf("the log was %v and is %v, sealed %v", before, after, r.rec.sealed)
			}
		})
	}
}

// An engine may crash or get lost three times; then the run fails, and is sealed with what there is.
func TestAnEngineThatCrashes(t *testing.T) {
	for _, c := range []struct {
		name    string
		outcome trainerv1.Outcome
		failure *trainerv1.Failure
		heals   bool
		state   run.State
		code    string
		starts  int
	}{
		{"once", trainerv1.Outcome_OUTCOME_CRASHED, &trainerv1.Failure{Code: "INTERNAL", Message: "out of luck"}, true, run.Succeeded, "", 2},
		{"always", trainerv1.Outcome_OUTCOME_CRASHED, &trainerv1.Failure{Code: "INTERNAL", Message: "out of luck"}, false, run.Failed, "INTERNAL", 4},
		{"lost for ever", trainerv1.Outcome_OUTCOME_LOST, &trainerv1.Failure{Code: "ENGINE_LOST", Message: "no heartbeat"}, false, run.Failed, "ENGINE_LOST", 4},
		{"without a word", trainerv1.Outcome_OUTCOME_LOST, nil, false, run.Failed, "INTERNAL", 4},
		{"for a reason that will not pass", trainerv1.Outcome_OUTCOME_CRASHED, &trainerv1.Failure{Code: "WOULD_NOT_FIT", Message: "a batch of 4 fits"}, false, run.Failed, "WOULD_NOT_FIT", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.tr.crashes[2] = &trainerv1.Finished{Outcome: c.outcome, Failure: c.failure}
			if c.heals {
				delete(r.tr.crashes, 2)
				r.tr.fail("step 2", 1, finishedError(&trainerv1.Finished{Outcome: c.outcome, Failure: c.failure}))
			}
			got := r.play(c.state)
			if got.GetFailure().GetCode() != c.code || len(r.tr.begun()) != c.starts {
				t.Errorf("failed with %v after %d starts, want %q after %d", got.GetFailure(), len(r.tr.begun()), c.code, c.starts)
			}
			if c.state == run.Failed {
				end := unmarshal(t, r.rec.find(recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE)[0], &orchestratorv1.RunClose{})
				if end.GetState() != run.Failed || end.GetOutcome() != trainerv1.Outcome_OUTCOME_CRASHED || end.GetSteps() != 2 || !r.rec.sealed {
					t.Errorf("RUN_CLOSE %v, sealed %v", end, r.rec.sealed)
				}
				if got.GetPassport() != "" || len(r.gov.sealed) != 0 {
					t.Error("a run without a checkpoint has a passport")
				}
			}
		})
	}
}

// An engine that says that it is ready with a stage that it did not make is not believed.
func TestAnEngineThatSkipsItsSteps(t *testing.T) {
	for name, lie := range map[string]func(*engine){"complete": func(e *engine) { e.skips = true }, "stopped": func(e *engine) { e.quits = true }} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			lie(r.tr)
			got := r.play(run.Failed)
			if !strings.Contains(got.GetFailure().GetMessage(), name) && !strings.Contains(got.GetFailure().GetMessage(), strings.ToUpper(name)) {
				t.Errorf("%v", got.GetFailure())
			}
			end := unmarshal(t, r.rec.find(recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE)[0], &orchestratorv1.RunClose{})
			if end.GetSteps() != 0 || end.GetState() != run.Failed {
				t.Errorf("RUN_CLOSE %v: no step was made", end)
			}
		})
	}
}

// The owner of a failed run dies while it ends it. The next one does not train again, and the run ends once.
func TestAFailingRunThatIsKilled(t *testing.T) {
	for _, p := range []faultline.Point{PointClose, PointSealed} {
		t.Run(string(p), func(t *testing.T) {
			r := newRig(t)
			r.tr.crashes[2] = &trainerv1.Finished{Outcome: trainerv1.Outcome_OUTCOME_CRASHED, Failure: &trainerv1.Failure{Code: "WOULD_NOT_FIT", Message: "too large"}}
			r.create()
			r.killed(p, 1)
			delete(r.tr.crashes, 2)
			if err := r.live(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			got := r.get()
			if got.GetState() != run.Failed || got.GetFailure().GetCode() != "WOULD_NOT_FIT" {
				t.Errorf("%s, %v", got.GetState(), got.GetFailure())
			}
			if n := len(r.rec.find(recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE)); n != 1 {
				t.Errorf("the run ended %d times", n)
			}
			if len(r.tr.begun()) != 1 {
				t.Error("it was trained again")
			}
		})
	}
}

// An owner whose lease was taken does nothing more for the run, and does not end it either.
func TestALostLease(t *testing.T) {
	r := newRig(t)
	r.create()
	r.rec.epoch = 7
	if err := r.live(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "LEASE_LOST") && !strings.Contains(err.Error(), "epoch 1 after 7") {
		t.Errorf("got %v", err)
	}
	if got := r.get(); run.Ended(got.GetState()) || got.GetFailure() != nil || len(r.rec.all()) != 0 {
		t.Errorf("the fenced owner left the run %s, %v, with %d records", got.GetState(), got.GetFailure(), len(r.rec.all()))
	}
}

// What an engine says of itself goes to timing, with the restarts: two runs with one history have one log of events.
func TestEngineEventsAreBesideTheLog(t *testing.T) {
	r := newRig(t)
	r.create()
	r.killed(PointDecided, 2)
	if err := r.live(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, rec := range r.rec.beside() {
		kinds[name(rec)]++
	}
	if kinds["ENGINE_EVENT"] != 5 || kinds["RESUME"] != 1 {
		t.Errorf("timing holds %v, want an event a step, one at the checkpoint, and one restart", kinds)
	}
}

// renewing is a clock on which a lease is renewed when the test says so.
type renewing struct {
	clock.Clock
	due chan time.Time
}

func (c *renewing) NewTimer(d time.Duration) clock.Timer {
	if d == lease.Renew {
		return fired(c.due)
	}
	return c.Clock.NewTimer(d)
}

// An owner that finds at a renewal that another one has the run stops in the middle of whatever it does.
func TestARenewalThatFails(t *testing.T) {
	r := newRig(t)
	c := &renewing{Clock: r.clock, due: make(chan time.Time)}
	r.clock = c
	r.create()
	r.ask("pause")
	lived := make(chan error, 1)
	go func() { lived <- r.live(t.Context(), nil) }()
	r.await("PAUSED")
	c.due <- c.Now() // this one is renewed
	if _, err := lease.New(r.db).Acquire(t.Context(), uid, "another process", c.Now(), true); err != nil {
		t.Fatal(err)
	}
	var err error
	select {
	case c.due <- c.Now():
		err = <-lived
	case err = <-lived: // the first renewal came after the other's acquisition
	}
	if !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_LEASE_LOST) {
		t.Errorf("got %v", err)
	}
	if got := r.get(); got.GetState() != run.Paused {
		t.Errorf("the old owner left the run %s", got.GetState())
	}
}
