package runner

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/trainer/chain"
	"github.com/provenir/provenir/services/trainer/checkpoint"
	"github.com/provenir/provenir/services/trainer/engine"
)

// watch measures the phases of a step; it never enters the chain.
type watch struct {
	r      *run
	begin  time.Time
	last   time.Time
	timing corev1.StepTiming
}

func (r *run) newWatch() *watch {
	now := r.Clock.Now()
	return &watch{r: r, begin: now, last: now}
}

// lap adds the time since the last lap to a phase.
func (w *watch) lap(into **durationpb.Duration) {
	now := w.r.Clock.Now()
	*into = durationpb.New((*into).AsDuration() + now.Sub(w.last))
	w.last = now
}

// step makes one optimizer step and waits for what is decided; stop says that the stage ends here.
func (r *run) step(ctx context.Context) (stop bool, err error) {
	at := r.state.NextStep
	if err := r.stall(ctx); err != nil {
		return false, err
	}
	w := r.newWatch()
	var facts *corev1.StepFacts
	if r.Plan.RL {
		facts, err = r.rl(ctx, w)
	} else {
		facts, err = r.sft(ctx, w)
	}
	if err != nil {
		return false, err
	}
	if err := r.Fault.At(PointStepped); err != nil {
		return false, err
	}
	weights := r.Engine.WeightsDigest()
	facts.WeightsDigest = weights[:]
	body, err := marshal(facts)
	if err != nil {
		return false, err
	}
	r.chain = chain.Next(r.chain, body)
	r.state.NextStep, r.state.Chain = at+1, hex.EncodeToString(r.chain[:])
	due := r.checkpointDue(at)
	r.saved = nil
	if due { // before the snapshot, which must know it as the parent of the next one
		if err := r.save(ctx, at); err != nil {
			return false, err
		}
	}
	if r.every > 0 || due {
		if err := r.snapshot(ctx); err != nil {
			return false, err
		}
	}
	w.lap(&w.timing.Save)
	w.timing.Total = durationpb.New(r.Clock.Now().Sub(w.begin))
	report := &trainerv1.StepReport{Facts: body, Chain: r.chain[:], Timing: &w.timing, Step: at, Branch: r.state.Branch, CheckpointFollows: due}
	if err := r.link.Send(ctx, &trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Step{Step: report}}); err != nil {
		return false, err
	}
	if err := r.Fault.At(PointReported); err != nil {
		return false, err
	}
	if due {
		if err := r.tell(ctx); err != nil {
			return false, err
		}
	}
	return r.decide(ctx, at)
}

// checkpointDue: every so many steps of the stage, at the steps that the orchestrator evaluates, and at the last.
func (r *run) checkpointDue(at uint64) bool {
	done := at - r.Start.GetFirstStep() + 1
	return done%uint64(r.Plan.Spec.GetCheckpoint().GetEvery()) == 0 || done == r.Plan.Spec.GetMaxSteps() ||
		slices.Contains(r.Start.GetCheckpointSteps(), done)
}

func (r *run) snapshot(ctx context.Context) error {
	if err := r.Snapshots.Save(r.state, func(to engine.Sink) error { return r.Engine.Save(ctx, to, true) }); err != nil {
		return fmt.Errorf("snapshot before step %d: %w", r.state.NextStep, err)
	}
	return r.Fault.At(PointSnapshot)
}

// announce saves a checkpoint and tells the orchestrator.
func (r *run) announce(ctx context.Context, at uint64) error {
	if err := r.save(ctx, at); err != nil {
		return err
	}
	return r.tell(ctx)
}

// save stores a checkpoint and makes it the parent of the next.
func (r *run) save(ctx context.Context, at uint64) error {
	parent, err := hex.DecodeString(r.state.Parent)
	if err != nil {
		return err
	}
	kind := trainerv1.CheckpointKind_CHECKPOINT_KIND_FULL
	if r.Plan.Spec.GetPeft() != nil {
		kind = trainerv1.CheckpointKind_CHECKPOINT_KIND_ADAPTER
	}
	meta := checkpoint.Meta{Run: r.Start.GetRunId(), Step: at, Branch: r.state.Branch, Stage: r.state.Stage, Parent: parent, Kind: kind}
	saved, err := r.Checkpoints.Save(ctx, meta, func(to engine.Sink) error {
		if err := r.Engine.Save(ctx, to, true); err != nil {
			return err
		}
		return checkpoint.WriteState(to, r.state)
	}, r.Clock.Now())
	if err != nil {
		return err
	}
	if err := r.Fault.At(PointSaved); err != nil {
		return err
	}
	r.saved, r.state.Parent = saved, hex.EncodeToString(saved.GetDigest())
	return nil
}

func (r *run) tell(ctx context.Context) error {
	return r.link.Send(ctx, &trainerv1.TrainResponse{Body: &trainerv1.TrainResponse_Checkpoint{Checkpoint: r.saved}})
}

// decide waits for the orchestrator's word on the step. A decision of another step is a replayed frame and is dropped.
func (r *run) decide(ctx context.Context, at uint64) (stop bool, err error) {
	for {
		d, err := r.link.Decision(ctx)
		if err != nil {
			return false, err
		}
		if d.GetStep() != at {
			continue
		}
		switch d.GetDecision() {
		case trainerv1.Decision_DECISION_PROCEED:
			return false, nil
		case trainerv1.Decision_DECISION_PAUSE: // the session is kept; another decision of this step goes on
		case trainerv1.Decision_DECISION_STOP:
			return true, nil
		case trainerv1.Decision_DECISION_SAVE_AND_STOP:
			if r.saved == nil {
				err = r.announce(ctx, at)
			}
			return true, err
		case trainerv1.Decision_DECISION_ROLLBACK:
			return false, r.rollback(ctx, d.GetCheckpoint())
		default:
			return false, fmt.Errorf("decision %s of step %d is not known", d.GetDecision(), at)
		}
	}
}

// rollback restores weights, optimizer and cursor and opens the next branch: its random streams differ, else the same
// failure would come back bit for bit.
func (r *run) rollback(ctx context.Context, digest []byte) error {
	return r.goBack(ctx, digest, r.state.Branch+1)
}
