package loop

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/orchestrator/journal"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// outcomes of the states that a run ends in.
var outcomes = map[run.State]trainerv1.Outcome{
	run.Succeeded: trainerv1.Outcome_OUTCOME_COMPLETED, run.Stopped: trainerv1.Outcome_OUTCOME_STOPPED,
	run.Cancelled: trainerv1.Outcome_OUTCOME_STOPPED, run.Failed: trainerv1.Outcome_OUTCOME_CRASHED,
}

// end writes the last record, then seals.
func (a *attempt) end(ctx context.Context, state run.State) error {
	c := journal.Close{State: int32(state), Checkpoint: a.checkpoint, Chain: a.chain, Steps: a.step,
		Rollouts: a.pump.Rollouts, Scored: a.pump.Scored, Clocked: a.pump.Clocked}
	if err := a.close(ctx, c); err != nil {
		return err
	}
	return a.seal(ctx, c)
}

func (a *attempt) close(ctx context.Context, c journal.Close) error {
	err := a.append(ctx, recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE, &orchestratorv1.RunClose{Outcome: outcomes[run.State(c.State)],
		Chain: c.Chain, Checkpoint: c.Checkpoint, Steps: c.Steps, Rollouts: c.Rollouts, Scored: c.Scored, TimeDependent: c.Clocked,
		State: run.State(c.State)}, nil)
	if err != nil {
		return err
	}
	if err := a.durable(ctx); err != nil {
		return fmt.Errorf("record the end: %w", err)
	}
	if err := a.Fault.At(PointClose); err != nil {
		return err
	}
	return a.Journal.PutClose(ctx, a.DB, a.Run.GetUid(), c)
}

// seal closes the logs and lets governance sign. A run without a seal has not succeeded: while governance is away it
// waits in SEALING.
func (o *Owner) seal(ctx context.Context, c journal.Close) error {
	if err := o.state(ctx, run.Sealing, "sealing"); err != nil {
		return err
	}
	sealed, err := o.Peers.Recorder.SealRun(ctx, &recorderv1.SealRunRequest{Run: o.Run.GetUid(), Epoch: o.grant.Epoch})
	if err != nil {
		return fmt.Errorf("seal the ledger: %w", err)
	}
	if err := o.Fault.At(PointSealed); err != nil {
		return err
	}
	var bom *governancev1.SealedBom
	if len(c.Checkpoint) > 0 { // a run without any checkpoint has its ledger sealed and no passport
		if bom, err = o.sealBom(ctx, c, sealed); err != nil {
			return err
		}
	}
	return o.finish(ctx, c, sealed, bom)
}

func (o *Owner) sealBom(ctx context.Context, c journal.Close, sealed *recorderv1.SealRunResponse) (*governancev1.SealedBom, error) {
	doc, err := o.document(ctx, c, sealed)
	if err != nil {
		return nil, err
	}
	resp, err := o.Peers.Governance.SealBom(ctx, &governancev1.SealBomRequest{RunId: o.Run.GetUid(), Checkpoint: c.Checkpoint,
		Document: doc, AllowPartial: run.State(c.State) != run.Succeeded, RequestId: "seal-" + o.Run.GetUid()})
	if err != nil {
		return nil, fmt.Errorf("seal the BOM: %w", err)
	}
	op := resp.GetOperation()
	for wait := 20 * time.Millisecond; !op.GetDone(); wait = min(2*wait, time.Second) {
		if err := o.sleep(ctx, wait); err != nil {
			return nil, err
		}
		if resp, err = o.Peers.Governance.SealBom(ctx, &governancev1.SealBomRequest{RunId: o.Run.GetUid(), Checkpoint: c.Checkpoint,
			Document: doc, AllowPartial: run.State(c.State) != run.Succeeded, RequestId: "seal-" + o.Run.GetUid()}); err != nil {
			return nil, fmt.Errorf("seal the BOM: %w", err)
		}
		op = resp.GetOperation()
	}
	if e := op.GetError(); e != nil {
		return nil, rpc.Errorf(codes.Code(e.GetCode()), corev1.ErrorReason_ERROR_REASON_INTERNAL, "seal the BOM: %s", e.GetMessage())
	}
	bom := &governancev1.SealedBom{}
	if err := op.GetResponse().UnmarshalTo(bom); err != nil {
		return nil, fmt.Errorf("seal the BOM: %w", err)
	}
	return bom, nil
}

// finish makes the end visible.
func (o *Owner) finish(ctx context.Context, c journal.Close, sealed *recorderv1.SealRunResponse, bom *governancev1.SealedBom) error {
	return o.over(ctx, run.State(c.State), func(r *orchestratorv1.Run) {
		r.Chain, r.FinalCheckpoint = c.Chain, c.Checkpoint
		for _, l := range sealed.GetCheckpoints() {
			if l.GetLog() == recorderv1.Log_LOG_EVENTS {
				r.LedgerCheckpoint, r.EventsRoot = l.GetNote(), l.GetRoot()
			}
		}
		r.Passport, r.PassportFolder = bom.GetPassport(), bom.GetFolder()
	})
}

// over puts the run into the state that it ends in, and tells everybody: an ended run has no owner that could do so later.
func (o *Owner) over(ctx context.Context, state run.State, f func(*orchestratorv1.Run)) error {
	var refused error
	end := &orchestratorv1.Run{Uid: o.Run.GetUid(), State: state}
	err := o.Board.Update(ctx, func(r *orchestratorv1.Run) {
		if refused = run.Next(r.GetState(), state); refused != nil {
			return
		}
		r.State, r.Progress.Phase, r.Progress.Waiting = state, "", ""
		r.EndTime = timestamppb.New(o.Clock.Now())
		if state != run.Failed {
			r.Failure = nil // of a try to seal that succeeded later
		}
		f(r)
		end.Passport = r.GetPassport()
	}, func(tx store.Tx) error {
		body, err := proto.Marshal(end)
		if err != nil {
			return err
		}
		return outbox.Add(ctx, tx, o.message(o.Run.GetUid()+".finished", "finished", body, "provenir.orchestrator.v1.Run"))
	})
	return firstError(err, refused)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
