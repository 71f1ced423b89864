package loop

import (
	"context"
	"fmt"

	"google.golang.org/protobuf/proto"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/orchestrator/gate"
	"github.com/provenir/provenir/services/orchestrator/journal"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// append records messages as deterministic bytes.
func (a *attempt) append(ctx context.Context, t recorderv1.RecordType, payload, volatile proto.Message) error {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(payload)
	if err != nil {
		return err
	}
	r := &recorderv1.Record{Type: t, Payload: b}
	if volatile != nil {
		if r.Volatile, err = proto.Marshal(volatile); err != nil {
			return err
		}
	}
	return a.ledger.Append(ctx, r)
}

// durable waits until everything appended is on disk.
func (a *attempt) durable(ctx context.Context) error {
	if err := a.ledger.Flush(); err != nil {
		return err
	}
	return a.ledger.Durable(ctx, a.ledger.Next())
}

// runOpen writes the first record. It holds no id, name or time: two equal runs share it.
func (a *attempt) runOpen(ctx context.Context) error {
	spec := a.Run.GetSpec()
	return a.append(ctx, recorderv1.RecordType_RECORD_TYPE_RUN_OPEN, &orchestratorv1.RunOpen{Format: "provenir.run/v1",
		Seed: spec.GetSeed(), Algorithm: spec.GetAlgorithm(), Stages: uint32(len(a.stages))}, nil)
}

// runStage starts the trainer, writes the stage's header unless it is there, and makes its steps.
func (a *attempt) runStage(ctx context.Context, data dataset) error {
	entry, begun, err := a.Journal.Stage(ctx, a.Run.GetUid(), a.stage.Index)
	if err != nil {
		return err
	}
	if begun && a.step == entry.FirstStep && a.branch == 0 && entry.FirstSeq > a.ledger.Recorded() {
		begun = false // the recorder has lost the header: it is written again
	}
	if !begun {
		entry = journal.Stage{Stage: a.stage.Index, FirstStep: a.stage.FirstStep, HeaderSeq: a.ledger.Next(), Base: a.checkpoint, Chain: a.chain}
		if a.stage.Index == 0 {
			entry.Base, entry.Chain = nil, nil
		}
	}
	start := &trainerv1.Start{RunId: a.Run.GetUid(), Spec: a.stage.Spec, Stage: a.stage.Index, FirstStep: a.stage.FirstStep,
		CheckpointSteps: a.stage.EvalSteps, Chain: entry.Chain, Base: entry.Base,
		AnnounceBase: !begun && a.stage.EvalBefore && a.stage.Index == 0}
	if begun {
		start.Resume = &trainerv1.ResumePoint{Step: a.step, Branch: a.branch}
		if a.branch > 0 {
			start.Resume.Checkpoint = a.gate.BestCheckpoint
		}
		if a.step == entry.FirstStep && a.branch == 0 {
			a.gate, a.checkpoint = entry.Gate, entry.Checkpoint
			a.ledger.Seek(entry.FirstSeq)
		}
	}
	if a.trainer, err = startTrainer(ctx, a.Peers.Trainer, a.grant.Epoch, start); err != nil {
		return fmt.Errorf("start the trainer: %w", err)
	}
	defer a.trainer.close()
	a.pump.Payer = a.trainer
	if err := a.awaitReady(ctx); err != nil {
		return err
	}
	if !begun {
		if err := a.header(ctx, entry, data); err != nil {
			return err
		}
	} else if err := a.rewind(ctx, entry); err != nil {
		return err
	}
	if err := a.state(ctx, run.Running, "training"); err != nil {
		return err
	}
	return a.steps(ctx)
}

func (a *attempt) awaitReady(ctx context.Context) error {
	for {
		m, err := a.trainer.next(ctx)
		if err != nil {
			return fmt.Errorf("start the trainer: %w", err)
		}
		switch b := m.GetBody().(type) {
		case *trainerv1.TrainResponse_Ready:
			a.ready = b.Ready
			return nil
		case *trainerv1.TrainResponse_Heartbeat, *trainerv1.TrainResponse_Event:
		case *trainerv1.TrainResponse_Finished:
			return finishedError(b.Finished)
		default:
			return fmt.Errorf("the trainer sent %T before ready", b)
		}
	}
}

// header writes CONFIG, DATA_ORDER and, before the main stage, the starting policy's evaluation. Then the stage is in the
// journal: a restart goes to its steps.
func (a *attempt) header(ctx context.Context, entry journal.Stage, data dataset) error {
	spec := a.Run.GetSpec()
	declared, err := run.Declared(spec)
	if err != nil {
		return err
	}
	config := &orchestratorv1.ConfigRecord{Stage: a.stage.Index, Declared: declared, Effective: a.ready.GetSemantic(),
		Differs: a.ready.GetDeclaredVsEffective(), Repeatable: a.ready.GetRepeatable(), Base: a.ready.GetBaseDigest(),
		Tokenizer: a.ready.GetTokenizerDigest(), VerifierDigest: a.judge.GetVerifierDigest(), HeldoutDigest: a.judge.GetHeldoutDigest(),
		Parameters: a.ready.GetParameters()}
	config.Differs = semanticDiffs(config.GetDiffers())
	volatile := &orchestratorv1.ConfigVolatile{Env: a.ready.GetEnv(), Engine: a.ready.GetEngine(),
		Threads: a.ready.GetEffective().GetThreads(), Device: a.ready.GetEffective().GetDevice()}
	if err := a.append(ctx, recorderv1.RecordType_RECORD_TYPE_CONFIG, config, volatile); err != nil {
		return err
	}
	order := &orchestratorv1.DataOrder{Stage: a.stage.Index, Dataset: a.stage.Spec.GetDataset(), OrderDigest: a.ready.GetOrderDigest(),
		Eval: spec.GetEval(), SharedRows: data.shared}
	if err := a.append(ctx, recorderv1.RecordType_RECORD_TYPE_DATA_ORDER, order, nil); err != nil {
		return err
	}
	if a.stage.EvalBefore {
		if err := a.before(ctx); err != nil {
			return err
		}
	}
	if err := a.durable(ctx); err != nil {
		return fmt.Errorf("record the stage's header: %w", err)
	}
	if err := a.Fault.At(PointHeader); err != nil {
		return err
	}
	entry.FirstSeq, entry.Spec, entry.Gate, entry.Checkpoint = a.ledger.Next(), a.ready.GetSpecDigest(), a.gate, a.checkpoint
	if err := a.Journal.PutStage(ctx, a.DB, a.Run.GetUid(), entry); err != nil {
		return err
	}
	return a.Fault.At(PointJournal)
}

// before evaluates the policy that the main stage starts from.
func (a *attempt) before(ctx context.Context) error {
	if a.stage.Index == 0 { // no stage before it has left a checkpoint: the trainer saves the starting weights
		saved, err := a.awaitCheckpoint(ctx)
		if err != nil {
			return err
		}
		if err := a.append(ctx, recorderv1.RecordType_RECORD_TYPE_MODEL_CHECKPOINT, saved, nil); err != nil {
			return err
		}
		a.checkpoint = saved.GetDigest()
	}
	e, err := a.evaluate(ctx, true)
	if err != nil {
		return err
	}
	_, a.gate, _ = gate.Decide(a.Run.GetSpec().GetGate(), gate.Input{Step: a.step, Branch: a.branch, Evaluation: e,
		Checkpoint: a.checkpoint, Next: a.step}, a.gate)
	return nil
}

// rewind goes to the step that the trainer can repeat from, which may be earlier than the journal's. Its records are
// there already and are compared one by one.
func (a *attempt) rewind(ctx context.Context, entry journal.Stage) error {
	if string(a.ready.GetSpecDigest()) != string(entry.Spec) {
		return diverged("the stage's effective spec is %x now and was %x when it began", a.ready.GetSpecDigest(), entry.Spec)
	}
	if b := a.ready.GetBranch(); b != a.branch {
		return diverged("the trainer resumes on branch %d, the run is on branch %d", b, a.branch)
	}
	at := a.ready.GetResumeStep()
	if at > a.step {
		return diverged("the trainer resumes at step %d, after step %d which is not recorded", at, a.step)
	}
	if at == a.step {
		return nil
	}
	first, ok, err := a.Journal.At(ctx, a.Run.GetUid(), a.branch, at)
	if err != nil {
		return err
	}
	if !ok {
		return diverged("the trainer resumes at step %d of branch %d, which was never recorded", at, a.branch)
	}
	a.ledger.Seek(first.FirstSeq)
	a.step = at
	return a.stateBefore(ctx, entry)
}

// stateBefore restores gate state and counts as they were before the step.
func (a *attempt) stateBefore(ctx context.Context, entry journal.Stage) error {
	prev, ok, err := a.Journal.Before(ctx, a.Run.GetUid(), a.branch, a.step)
	if err != nil {
		return err
	}
	a.gate, a.checkpoint, a.chain = prev.Gate, prev.Checkpoint, prev.Chain
	a.pump.Rollouts, a.pump.Scored, a.pump.Clocked = prev.Rollouts, prev.Scored, prev.Clocked
	if a.step == entry.FirstStep && a.branch == 0 { // the stage's header came in between
		a.gate, a.checkpoint = entry.Gate, entry.Checkpoint
		return nil
	}
	if !ok {
		return diverged("no row of the journal leads to step %d of branch %d", a.step, a.branch)
	}
	return nil
}
