package loop

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/orchestrator/journal"
	"github.com/provenir/provenir/services/orchestrator/run"
)

func journalOf(r *rig) *journal.Journal { return journal.New(r.db) }

// await waits until watchers have seen a line.
func (r *rig) await(line string) {
	r.Helper()
	late := time.NewTimer(20 * time.Second)
	defer late.Stop()
	for {
		changed := r.board.Changed(uid)
		if slices.ContainsFunc(r.seen(), func(s string) bool { return strings.HasPrefix(s, line) }) {
			return
		}
		select {
		case <-changed:
		case <-late.C:
			r.Fatalf("never seen: %s; seen %q", line, r.seen())
		}
	}
}

// Cancel reaches a run wherever it stands: it never needs what the run is waiting for.
func TestCancelAnywhere(t *testing.T) {
	for _, c := range []struct {
		name   string
		mood   func(*rig)
		at     string // when; empty is before it began
		state  run.State
		starts int
		sealed bool
	}{
		{"pending", func(*rig) {}, "", run.Cancelled, 0, false},
		{"waiting for the evaluator", func(r *rig) { r.eval.fail("validate", -1, away()) }, "STARTING waits", run.Cancelled, 0, false},
		{"waiting for the recorder", func(r *rig) { r.rec.fail("open", -1, away()) }, "STARTING waits", run.Cancelled, 0, false},
		{"waiting for the trainer", func(r *rig) { r.tr.fail("start", -1, away()) }, "STARTING waits", run.Cancelled, 0, false},
		{"waiting for an evaluation", func(r *rig) { r.evals(); r.eval.fail("evaluate", -1, away()) }, "GATING waits", run.Cancelled, -1, false},
		{"waiting in the middle of a run", func(r *rig) { r.tr.fail("step 2", -1, away()) }, "RUNNING waits", run.Cancelled, -1, true},
		{"waiting for governance is too late", func(r *rig) { r.gov.fail("seal", 40, away()) }, "SEALING waits", run.Succeeded, 1, true},
		{"paused", func(r *rig) { r.spec.Gate = &orchestratorv1.GateSpec{OnCritical: pause}; r.rec.finds = criticalAt(1) }, "PAUSED", run.Cancelled, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			c.mood(r)
			r.create()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			lived := make(chan error, 1)
			if c.at == "" {
				r.ask("cancel")
			}
			go func() { lived <- r.live(ctx, nil) }()
			if c.at != "" {
				r.await(c.at)
				r.ask("cancel")
			}
			if err := <-lived; err != nil {
				t.Fatal(err)
			}
			got := r.get()
			if got.GetState() != c.state || got.GetFailure() != nil || got.GetEndTime() == nil {
				t.Errorf("%s, %v, ended %v", got.GetState(), got.GetFailure(), got.GetEndTime())
			}
			if c.starts >= 0 && len(r.tr.begun()) != c.starts || r.rec.sealed != c.sealed {
				t.Errorf("%d starts, sealed %v", len(r.tr.begun()), r.rec.sealed)
			}
			if c.sealed {
				end := unmarshal(t, r.rec.find(recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE)[0], &orchestratorv1.RunClose{})
				if end.GetState() != c.state {
					t.Errorf("RUN_CLOSE says %s", end.GetState())
				}
			}
		})
	}
}

func (r *rig) ask(what string) {
	r.Helper()
	if err := r.board.Ask(r.Context(), uid, what); err != nil {
		r.Fatal(err)
	}
}

// Cancel in the middle of a run finishes the step, saves, and seals what it is. Killed at any point of that, the next
// owner ends it the same way, with the checkpoint that was saved.
func TestCancelSavesAndSeals(t *testing.T) {
	calm := newRig(t)
	calm.pauseAt(1)
	calm.create()
	lived := make(chan error, 1)
	go func() { lived <- calm.live(t.Context(), nil) }()
	calm.await("PAUSED")
	calm.ask("cancel")
	if err := <-lived; err != nil {
		t.Fatal(err)
	}
	if got := calm.get(); got.GetState() != run.Cancelled || string(got.GetFinalCheckpoint()) != string(digest("checkpoint", 0, 0, 1)) || got.GetPassport() == "" {
		t.Fatalf("%s with checkpoint %x and passport %q", got.GetState(), got.GetFinalCheckpoint(), got.GetPassport())
	}
	if types := calm.rec.types(); !slices.Equal(types[len(types)-3:], []string{"GATE", "MODEL_CHECKPOINT", "RUN_CLOSE"}) {
		t.Errorf("the log ends with %v", types[len(types)-3:])
	}
	for _, p := range []struct {
		name string
		at   func(*rig)
	}{
		{"after the last record", func(r *rig) { r.killed(PointClose, 1) }},
		{"after the seal of the ledger", func(r *rig) { r.killed(PointSealed, 1) }},
	} {
		t.Run(p.name, func(t *testing.T) {
			r := newRig(t)
			r.pauseAt(1)
			r.create()
			go func() {
				r.await("PAUSED")
				r.ask("cancel")
			}()
			p.at(r)
			if err := r.live(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			sameLog(t, r, calm)
			if got := r.get(); got.GetState() != run.Cancelled || string(got.GetFinalCheckpoint()) != string(digest("checkpoint", 0, 0, 1)) {
				t.Errorf("%s with checkpoint %x: %v", got.GetState(), got.GetFinalCheckpoint(), got.GetFailure())
			}
		})
	}
}

// pauseAt makes the gate hold the run after a step.
func (r *rig) pauseAt(step uint64) {
	r.spec.Gate = &orchestratorv1.GateSpec{OnCritical: pause}
	r.rec.finds = criticalAt(step)
}

// Pause is kept over a restart: the step is decided only when somebody resumes.
func TestPauseIsKeptOverARestart(t *testing.T) {
	r := newRig(t)
	r.create()
	r.ask("pause")
	ctx, cancel := context.WithCancel(t.Context())
	lived := make(chan error, 1)
	go func() { lived <- r.live(ctx, nil) }()
	r.await("PAUSED")
	cancel()
	if err := <-lived; err == nil {
		t.Fatal("the run ended while it was paused")
	}
	if slices.Contains(r.tr.told(), goOn) {
		t.Errorf("the trainer was told %v", r.tr.told())
	}
	go func() { lived <- r.live(t.Context(), nil) }()
	r.await("PAUSED")
	// As another process would: the row changes, and nobody rings in this one.
	if _, err := r.db.Exec(t.Context(), `UPDATE runs SET asked = '' WHERE uid = ?`, uid); err != nil {
		t.Fatal(err)
	}
	if err := <-lived; err != nil {
		t.Fatal(err)
	}
	if got := r.get(); got.GetState() != run.Succeeded || got.GetProgress().GetResumes() != 1 {
		t.Errorf("%s after %d resumes", got.GetState(), got.GetProgress().GetResumes())
	}
}
