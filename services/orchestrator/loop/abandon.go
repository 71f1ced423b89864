package loop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/journal"
	"github.com/provenir/provenir/services/orchestrator/pump"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// abandon ends a run before its end: its ledger is sealed with what there is. While that cannot be done it is tried again.
// Where it is refused for good the run ends as FAILED without a seal and says so; tried for ever it would never end.
func (o *Owner) abandon(ctx context.Context, state run.State, f *trainerv1.Failure) error {
	if f != nil {
		o.Log.ErrorContext(ctx, "run failed", "run", o.Run.GetUid(), "reason", f.GetCode(), "error", f.GetMessage())
		if err := o.Board.Update(ctx, func(r *orchestratorv1.Run) { r.Failure = f }); err != nil {
			return err
		}
	}
	m := &machine{}
	for pause := 200 * time.Millisecond; ; pause = min(pause*2, longestWait) {
		err := o.sealAs(ctx, state)
		if cause := context.Cause(ctx); err != nil && cause != nil {
			return cause
		}
		switch next, why := m.after(err, false); next {
		case done:
			return nil
		case leave:
			return err
		case wait, again:
			if err := errors.Join(o.waiting(ctx, why), o.sleep(ctx, pause)); err != nil {
				return err
			}
		default:
			if f == nil {
				f = failed(err, why)
			} else {
				f = proto.CloneOf(f)
				f.Message += "; and what there is could not be sealed: " + rpc.Message(err)
			}
			return o.over(ctx, run.Failed, func(r *orchestratorv1.Run) { r.Failure = f })
		}
	}
}

// sealAs writes the last record and seals. A run that never began a stage has no ledger to seal.
func (o *Owner) sealAs(ctx context.Context, state run.State) error {
	if c, closed, err := o.Journal.Closed(ctx, o.Run.GetUid()); err != nil {
		return err
	} else if closed {
		return o.seal(ctx, c)
	}
	_, begun, err := o.Journal.Stage(ctx, o.Run.GetUid(), 0)
	if err != nil {
		return err
	}
	if !begun {
		return o.over(ctx, state, func(*orchestratorv1.Run) {})
	}
	a := &attempt{Owner: o}
	if a.ledger, err = pump.OpenLedger(ctx, o.Peers.Recorder, o.Run.GetUid(), o.grant.Epoch, o.recorderSpec(), pump.NewBell()); err != nil {
		return fmt.Errorf("open the ledger: %w", err)
	}
	defer a.ledger.Close()
	if c, ok, err := a.recordedClose(ctx); err != nil {
		return err
	} else if ok {
		return firstError(o.Journal.PutClose(ctx, o.DB, o.Run.GetUid(), c), o.seal(ctx, c))
	}
	last, _, err := o.Journal.Last(ctx, o.Run.GetUid())
	if err != nil {
		return err
	}
	a.ledger.Seek(a.ledger.Recorded()) // after everything that was recorded, whole steps or not
	c := journal.Close{State: int32(state), Checkpoint: last.Checkpoint, Chain: last.Chain, Steps: last.ResumeStep,
		Rollouts: last.Rollouts, Scored: last.Scored, Clocked: last.Clocked}
	if err := a.close(ctx, c); err != nil {
		return err
	}
	return o.seal(ctx, c)
}

// recordedClose reads the last record where it is RUN_CLOSE: its writer died before the journal had it. A second one
// would say that the run ended twice.
func (a *attempt) recordedClose(ctx context.Context) (journal.Close, bool, error) {
	n := a.ledger.Recorded()
	if n == 0 {
		return journal.Close{}, false, nil
	}
	events, err := a.recorded(ctx, n-1, n)
	if err != nil {
		return journal.Close{}, false, fmt.Errorf("read the last record: %w", err)
	}
	if len(events) != 1 || events[0].GetType() != recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE {
		return journal.Close{}, false, nil
	}
	var c orchestratorv1.RunClose
	if err := proto.Unmarshal(events[0].GetPayload(), &c); err != nil {
		return journal.Close{}, false, fmt.Errorf("record %d: %w", n-1, err)
	}
	return journal.Close{State: int32(c.GetState()), Checkpoint: c.GetCheckpoint(), Chain: c.GetChain(), Steps: c.GetSteps(),
		Rollouts: c.GetRollouts(), Scored: c.GetScored(), Clocked: c.GetTimeDependent()}, true, nil
}
