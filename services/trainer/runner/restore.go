package runner

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/types/known/timestamppb"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/trainer/engine"
)

// eventDamaged is the engine event of a snapshot that could not be used.
const eventDamaged = "snapshot_damaged"

// restore goes to the resume point. A damaged snapshot is passed over for the one before it, and said; one of another
// spec, base, dataset or tokenizer is refused: beginning anew would leave the run with two different beginnings. Without
// any snapshot the stage begins again: everything up to the point is executed once more and has the digests that are
// recorded already.
func (r *run) restore(ctx context.Context) ([]*trainerv1.EngineEvent, error) {
	at := r.Start.GetResume()
	if at == nil {
		return nil, nil
	}
	found, err := r.Snapshots.At(r.state.Stage, at.GetBranch(), at.GetStep())
	if err != nil {
		return nil, err
	}
	var damaged []*trainerv1.EngineEvent
	var last error
	for _, s := range found {
		err := s.Err
		if err == nil {
			err = r.load(ctx, s.State, s.Folder)
		}
		if err == nil {
			return damaged, nil
		}
		if engine.ReasonOf(err) != "CHECKPOINT_CORRUPT" {
			return nil, fmt.Errorf("resume from %s: %w", s.Name, err)
		}
		r.Log.Warn("a snapshot is damaged; the one before it is tried", "run", r.Start.GetRunId(), "snapshot", s.Name, "error", err.Error())
		damaged = append(damaged, &trainerv1.EngineEvent{Kind: eventDamaged, Detail: s.Name + ": " + err.Error(), At: timestamppb.New(r.Clock.Now())})
		last = err
	}
	switch {
	case len(at.GetCheckpoint()) > 0:
		return damaged, r.goBack(ctx, at.GetCheckpoint(), at.GetBranch())
	case last != nil:
		return nil, fmt.Errorf("resume: none of %d snapshots is whole; remove them to run the stage again from its beginning: %w", len(found), last)
	case at.GetBranch() != 0:
		return nil, &engine.Error{Reason: "CHECKPOINT_NOT_FOUND", Detail: fmt.Sprintf("branch %d has no snapshot and no checkpoint to begin from", at.GetBranch())}
	default:
		return nil, nil
	}
}
