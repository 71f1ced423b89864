package trainer_test

import (
	"slices"
	"strings"
	"testing"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// at decides once at a step, and goes on everywhere else.
func at(step uint64, d func() *trainerv1.StepDecision) func(uint64) *trainerv1.StepDecision {
	done := false
	return func(s uint64) *trainerv1.StepDecision {
		if s != step || done {
			return &trainerv1.StepDecision{Decision: trainerv1.Decision_DECISION_PROCEED}
		}
		done = true
		return d()
	}
}

func plainly(d trainerv1.Decision) func() *trainerv1.StepDecision {
	return func() *trainerv1.StepDecision { return &trainerv1.StepDecision{Decision: d} }
}

func TestDecisions(t *testing.T) {
	r := newRoom(t)
	whole := r.orchestrate(r.grpo(5, nil), newRun(t)).must()
	for _, c := range []struct {
		name        string
		decision    trainerv1.Decision
		outcome     trainerv1.Outcome
		steps       int
		checkpoints []uint64
	}{
		{"proceed", trainerv1.Decision_DECISION_PROCEED, trainerv1.Outcome_OUTCOME_COMPLETED, 5, []uint64{1, 3, 4}},
		{"pause, then proceed", trainerv1.Decision_DECISION_PAUSE, trainerv1.Outcome_OUTCOME_COMPLETED, 5, []uint64{1, 3, 4}},
		{"stop", trainerv1.Decision_DECISION_STOP, trainerv1.Outcome_OUTCOME_STOPPED, 3, []uint64{1}},
		{"save and stop", trainerv1.Decision_DECISION_SAVE_AND_STOP, trainerv1.Outcome_OUTCOME_STOPPED, 3, []uint64{1, 2}},
	} {
		o := r.orchestrate(r.grpo(5, nil), newRun(t))
		o.decide = at(2, plainly(c.decision))
		seen := o.must()
		var saved []uint64
		for _, s := range seen.checkpoints {
			saved = append(saved, s.GetStep())
		}
		if seen.finished.GetOutcome() != c.outcome || !slices.Equal(seen.chains, whole.chains[:c.steps]) || !slices.Equal(saved, c.checkpoints) {
			t.Errorf("%s: %s after %d steps with checkpoints at %v", c.name, seen.finished.GetOutcome(), len(seen.chains), saved)
		}
		if last := seen.checkpoints[len(seen.checkpoints)-1]; string(seen.finished.GetCheckpoint()) != string(last.GetDigest()) {
			t.Errorf("%s: finished does not name the last checkpoint", c.name)
		}
	}
}

func TestADecisionOfNoKindCrashesTheStage(t *testing.T) {
	r := newRoom(t)
	o := r.orchestrate(r.grpo(5, nil), newRun(t))
	o.decide = at(2, plainly(99))
	if seen, err := o.run(t.Context()); err == nil || seen.finished != nil && seen.finished.GetOutcome() != trainerv1.Outcome_OUTCOME_CRASHED {
		t.Errorf("%v, %v", seen.finished, err)
	}
}

// A rollback opens a branch whose random streams differ; else the same failure would come back bit for bit.
func TestRollbackOpensABranch(t *testing.T) {
	r := newRoom(t)
	o := r.orchestrate(r.grpo(5, nil), newRun(t))
	o.decide = at(3, func() *trainerv1.StepDecision {
		return &trainerv1.StepDecision{Decision: trainerv1.Decision_DECISION_ROLLBACK, Checkpoint: o.seen.checkpoints[0].GetDigest()}
	})
	seen := o.must()
	var steps []uint64
	for _, f := range seen.facts {
		steps = append(steps, uint64(f.GetBranch())*100+f.GetStep())
	}
	if want := []uint64{0, 1, 2, 3, 102, 103, 104}; !slices.Equal(steps, want) {
		t.Fatalf("steps %v, want %v (branch × 100 + step)", steps, want)
	}
	if seen.facts[2].GetCursor() != seen.facts[4].GetCursor() || seen.facts[2].GetPolicyBefore() != seen.facts[4].GetPolicyBefore() {
		t.Error("the branch began elsewhere than at the checkpoint")
	}
	same := true
	for i := range 24 {
		a, b := seen.rollouts[2*24+i], seen.rollouts[4*24+i]
		if !strings.HasPrefix(b.GetRolloutId(), "b1.s2.") {
			t.Fatalf("rollout %s", b.GetRolloutId())
		}
		same = same && string(a.GetTokens()) == string(b.GetTokens())
	}
	if same {
		t.Error("the branch sampled the same answers")
	}
}

func TestRollbackToNoCheckpointOfThisStage(t *testing.T) {
	r := newRoom(t)
	foreign := r.orchestrate(r.grpo(2, func(s *trainerv1.TrainSpec) { s.Seed = 99 }), newRun(t)).must()
	for _, c := range []struct {
		name, want string
		digest     []byte
	}{
		{"one that is not there", "CHECKPOINT_NOT_FOUND", make([]byte, 32)},
		{"one of another run", "CHECKPOINT_MISMATCH", foreign.checkpoints[0].GetDigest()},
	} {
		o := r.orchestrate(r.grpo(5, nil), newRun(t))
		o.decide = at(1, func() *trainerv1.StepDecision {
			return &trainerv1.StepDecision{Decision: trainerv1.Decision_DECISION_ROLLBACK, Checkpoint: c.digest}
		})
		seen, err := o.run(t.Context())
		if !rpc.Is(err, reason(c.want)) || seen.finished.GetFailure().GetCode() != c.want {
			t.Errorf("%s: %v and %v", c.name, err, seen.finished)
		}
	}
}

// The checkpoint that ended the stage before has that stage's state; going back to it begins this stage anew.
func TestRollbackToTheBaseOfALaterStage(t *testing.T) {
	r := newRoom(t)
	run := newRun(t)
	first := r.orchestrate(r.sft(3), run).must()
	second := func() *orchestrator {
		o := r.orchestrate(r.grpo(4, nil), run)
		o.start.Spec.Model = nil
		o.start.Stage, o.start.FirstStep, o.start.Chain, o.start.Base = 1, 3, first.finished.GetChain(), first.finished.GetCheckpoint()
		return o
	}
	o := second()
	o.decide = at(4, func() *trainerv1.StepDecision {
		return &trainerv1.StepDecision{Decision: trainerv1.Decision_DECISION_ROLLBACK, Checkpoint: o.start.GetBase()}
	})
	seen := o.must()
	if len(seen.facts) != 6 || seen.facts[2].GetStep() != 3 || seen.facts[2].GetBranch() != 1 || seen.facts[2].GetPolicyBefore() != seen.facts[0].GetPolicyBefore() {
		t.Fatalf("%d steps, the third is %v", len(seen.facts), seen.facts[2])
	}
	if seen.facts[2].GetCursor() != seen.facts[0].GetCursor() || seen.chains[2] == seen.chains[0] {
		t.Error("the branch does not begin where the stage did, or has the same chain")
	}
	// A crash right after the rollback, before a snapshot of the branch: the same steps again.
	again := second()
	again.start.Resume = &trainerv1.ResumePoint{Step: 3, Branch: 1, Checkpoint: o.start.GetBase()}
	replay := again.must()
	if replay.ready.GetBranch() != 1 || !slices.Equal(replay.chains, seen.chains[len(seen.chains)-len(replay.chains):]) {
		t.Errorf("resumed on branch %d with other digests", replay.ready.GetBranch())
	}
}
