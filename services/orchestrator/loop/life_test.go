package loop

import (
	"context"
	"slices"
	"strings"
	"testing"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// A run from its lease to its seal: checks before the ledger, the ledger before the engine, CONFIG after Ready; each reward
// after its record, each decision after the step's records; RUN_CLOSE last, then the ledger's seal, then the BOM.
func TestARunFromBeginningToEnd(t *testing.T) {
	r := newRig(t)
	r.evals()
	r.spec.Hyper.MaxSteps = 2
	got := r.play(run.Succeeded)
	round := []string{"ROLLOUT", "ROLLOUT", "ROLLOUT", "ROLLOUT", "VERDICT", "VERDICT", "VERDICT", "VERDICT", "REWARD", "REWARD"}
	want := slices.Concat(
		[]string{"validate rl", "check tasks", "validate eval", "recorder open", "verifier open"},
		[]string{"RUN_OPEN", "CONFIG", "DATA_ORDER", "MODEL_CHECKPOINT", "EVAL"},
		round, []string{"paid", "STEP", "decision PROCEED"},
		round, []string{"paid", "STEP", "MODEL_CHECKPOINT", "evaluate", "EVAL", "GATE", "decision PROCEED"},
		[]string{"RUN_CLOSE", "seal ledger", "seal bom"})
	lines := r.all()
	// Records before the first step are not waited for one by one: the engine's start and the first evaluation may be written
	// down before they are. Each comes before what it makes.
	for call, makes := range map[string]string{"start stage 0": "CONFIG", "evaluate": "EVAL"} {
		at := slices.Index(lines, call)
		if at < 0 || at > slices.Index(lines, makes) {
			t.Fatalf("%s is not before %s: %v", call, makes, lines)
		}
		lines = slices.Delete(lines, at, at+1)
	}
	if !slices.Equal(lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
	if got.GetPassport() == "" || got.GetLedgerCheckpoint() != "note" || len(got.GetEvaluations()) != 2 || got.GetEndTime() == nil || got.GetFailure() != nil {
		t.Errorf("the run that people see: %v", got)
	}
	c := unmarshal(t, r.rec.find(recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE)[0], &orchestratorv1.RunClose{})
	if c.GetSteps() != 2 || c.GetRollouts() != 8 || c.GetScored() != 8 || c.GetState() != run.Succeeded || string(c.GetCheckpoint()) != string(got.GetFinalCheckpoint()) {
		t.Errorf("RUN_CLOSE %v", c)
	}
	if seen := r.seen(); !slices.Equal(seen, []string{"PENDING", "STARTING", "GATING", "RUNNING", "GATING", "RUNNING", "SEALING", "SUCCEEDED"}) {
		t.Errorf("watchers saw %q", seen)
	}
}

// A warm-up is a stage of its own: the second begins from the checkpoint that ended the first, and steps count on.
func TestTwoStages(t *testing.T) {
	r := newRig(t)
	r.evals()
	r.spec.Warmup = &orchestratorv1.Warmup{Steps: 3, BatchSize: 2}
	r.spec.Hyper.MaxSteps = 2
	r.play(run.Succeeded)
	if n := len(r.tr.begun()); n != 2 {
		t.Fatalf("%d starts", n)
	}
	second := r.tr.begun()[1]
	if second.GetFirstStep() != 3 || second.GetStage() != 1 || string(second.GetBase()) != string(digest("checkpoint", 0, 0, 2)) || len(second.GetChain()) == 0 {
		t.Errorf("the second stage starts with %v", second)
	}
	var evals []string
	for _, x := range r.rec.types() {
		if x == "CONFIG" || x == "EVAL" || x == "STEP" || x == "ROLLOUT" {
			if len(evals) == 0 || evals[len(evals)-1] != x {
				evals = append(evals, x)
			}
		}
	}
	if want := []string{"CONFIG", "STEP", "CONFIG", "EVAL", "ROLLOUT", "STEP", "ROLLOUT", "STEP", "EVAL"}; !slices.Equal(evals, want) {
		t.Errorf("got %v, want %v", evals, want)
	}
}

// NATS is away for the whole life of these runs: nothing waits for it, the outbox grows.
func TestARunGoesOnWithoutNATS(t *testing.T) {
	r := newRig(t)
	r.play(run.Succeeded)
	n, err := outbox.Pending(t.Context(), r.db)
	if err != nil || n != 5 { // four steps and the end
		t.Errorf("%d messages wait, %v; want 5", n, err)
	}
}

// A role that is away is waited for, visibly, wherever the run stands, and nothing of the log is lost or doubled.
func TestARoleThatIsAway(t *testing.T) {
	calm := newRig(t)
	calm.evals()
	calm.play(run.Succeeded)
	for _, c := range []struct {
		name string
		fail func(*rig)
	}{
		{"evaluator, at the check", func(r *rig) { r.eval.fail("validate", 2, away()) }},
		{"evaluator, at an evaluation", func(r *rig) { r.eval.fail("evaluate", 2, away()) }},
		{"recorder, at open", func(r *rig) { r.rec.fail("open", 3, away()) }},
		{"recorder, at a step", func(r *rig) { r.rec.fail("STEP", 1, away()) }},
		{"recorder, at a reward", func(r *rig) { r.rec.fail("REWARD", 1, away()) }},
		{"recorder, at a gate", func(r *rig) { r.rec.fail("GATE", 1, away()) }},
		{"recorder, at the end", func(r *rig) { r.rec.fail("RUN_CLOSE", 1, away()) }},
		{"recorder, at the seal", func(r *rig) { r.rec.fail("seal", 2, away()) }},
		{"recorder, when it is read", func(r *rig) { r.rec.fail("STEP", 1, away()); r.rec.fail("timing", 1, away()) }},
		{"verifier, at open", func(r *rig) { r.ver.fail("open", 2, away()) }},
		{"verifier, at a verdict", func(r *rig) { r.ver.fail("verdict", 1, away()) }},
		{"trainer, at start", func(r *rig) { r.tr.fail("start", 2, away()) }},
		{"trainer, at a step", func(r *rig) { r.tr.fail("step 2", 1, away()) }},
		{"governance, at the seal", func(r *rig) { r.gov.fail("seal", 3, away()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.evals()
			c.fail(r)
			got := r.play(run.Succeeded)
			if a, b := r.rec.types(), calm.rec.types(); !slices.Equal(a, b) {
				t.Errorf("the log is %v\nundisturbed %v", a, b)
			}
			for i, rec := range r.rec.all() {
				if string(rec.GetPayload()) != string(calm.rec.all()[i].GetPayload()) {
					t.Errorf("record %d, %s, differs from that of an undisturbed run", i, name(rec))
				}
			}
			if !slices.ContainsFunc(r.seen(), func(s string) bool { return strings.Contains(s, "waits for a role of the mesh") }) {
				t.Errorf("nobody could see that it waited: %q", r.seen())
			}
			if got.GetProgress().GetWaiting() != "" {
				t.Errorf("it still waits for %s", got.GetProgress().GetWaiting())
			}
		})
	}
}

// The end and its message are there together or not at all: an ended run has no owner that could send it later.
func TestTheEndIsToldWithTheEnd(t *testing.T) {
	r := newRig(t)
	r.create()
	r.killed(PointSealed, 1)
	if _, err := r.db.Exec(t.Context(), `ALTER TABLE outbox RENAME TO away`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	lived := make(chan error, 1)
	go func() { lived <- r.live(ctx, nil) }()
	r.await("SEALING")
	cancel()
	if err := <-lived; err == nil || run.Ended(r.get().GetState()) {
		t.Errorf("the run is %s and nobody was told", r.get().GetState())
	}
	if _, err := r.db.Exec(t.Context(), `ALTER TABLE away RENAME TO outbox`); err != nil {
		t.Fatal(err)
	}
	if err := r.live(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if got := r.get(); got.GetState() != run.Succeeded {
		t.Errorf("%s, %v", got.GetState(), got.GetFailure())
	}
	if n, err := outbox.Pending(t.Context(), r.db); err != nil || n != 5 {
		t.Errorf("%d messages, %v", n, err)
	}
}
