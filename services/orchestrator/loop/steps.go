package loop

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/orchestrator/gate"
)

// steps takes the trainer's frames until the stage ends.
func (a *attempt) steps(ctx context.Context) error {
	a.firstSeq = a.ledger.Next()
	for {
		m, err := a.trainer.next(ctx)
		if err != nil {
			return fmt.Errorf("trainer: %w", err)
		}
		switch b := m.GetBody().(type) {
		case *trainerv1.TrainResponse_Rollouts:
			err = a.rollouts(ctx, b.Rollouts)
		case *trainerv1.TrainResponse_Step:
			err = a.report(ctx, b.Step)
		case *trainerv1.TrainResponse_Event:
			err = a.event(ctx, b.Event)
		case *trainerv1.TrainResponse_Heartbeat:
		case *trainerv1.TrainResponse_Checkpoint:
			err = a.lastCheckpoint(ctx, b.Checkpoint)
		case *trainerv1.TrainResponse_Finished:
			if f := b.Finished; f.GetOutcome() == trainerv1.Outcome_OUTCOME_CRASHED || f.GetOutcome() == trainerv1.Outcome_OUTCOME_LOST {
				return finishedError(f)
			}
			if err := a.finished(b.Finished); err != nil {
				return err
			}
			a.chain = b.Finished.GetChain()
			if len(b.Finished.GetCheckpoint()) > 0 {
				a.checkpoint = b.Finished.GetCheckpoint()
			}
			return nil
		default:
			err = fmt.Errorf("the trainer sent %T", b)
		}
		if err != nil {
			return err
		}
	}
}

// finished checks that a stage ended where it should: an engine that resumes at the end of its data may make no step at all
// and look complete.
func (a *attempt) finished(f *trainerv1.Finished) error {
	switch end := a.stage.FirstStep + a.stage.Spec.GetMaxSteps(); {
	case a.ending != 0:
		return nil
	case f.GetOutcome() != trainerv1.Outcome_OUTCOME_COMPLETED:
		return fmt.Errorf("the trainer finished (%s) and nobody had asked it to", f.GetOutcome())
	case a.step != end:
		return fmt.Errorf("the trainer says that the stage is complete at step %d of %d", a.step, end)
	}
	return nil
}

// lastCheckpoint is the one that a stop asked for.
func (a *attempt) lastCheckpoint(ctx context.Context, c *trainerv1.CheckpointSaved) error {
	if a.ending == 0 {
		return fmt.Errorf("a checkpoint of step %d came without its report", c.GetStep())
	}
	a.checkpoint = c.GetDigest()
	return a.append(ctx, recorderv1.RecordType_RECORD_TYPE_MODEL_CHECKPOINT, c, nil)
}

func (a *attempt) rollouts(ctx context.Context, b *trainerv1.RolloutBatch) error {
	if b.GetStep() != a.step || b.GetBranch() != a.branch {
		return diverged("rollouts of step %d, branch %d came where step %d, branch %d was expected", b.GetStep(), b.GetBranch(), a.step, a.branch)
	}
	if err := a.pump.Add(ctx, b.GetRollouts()); err != nil {
		return err
	}
	if !b.GetLastOfRound() {
		return nil
	}
	return a.pump.Finish(ctx, b.GetStep(), b.GetRound())
}

// event goes to the log of what two equal runs do not share.
func (a *attempt) event(ctx context.Context, e *trainerv1.EngineEvent) error {
	payload, err := proto.Marshal(e)
	if err != nil {
		return err
	}
	_, err = a.Peers.Recorder.AppendBatch(ctx, &recorderv1.AppendBatchRequest{Run: a.Run.GetUid(), Epoch: a.grant.Epoch, Log: recorderv1.Log_LOG_TIMING,
		Records: []*recorderv1.Record{{Type: recorderv1.RecordType_RECORD_TYPE_ENGINE_EVENT, Payload: payload}}})
	return err
}

// report records a step, evaluates and decides where that is due, and answers the trainer.
func (a *attempt) report(ctx context.Context, s *trainerv1.StepReport) error {
	if s.GetStep() != a.step || s.GetBranch() != a.branch {
		return diverged("the report of step %d, branch %d came where step %d, branch %d was expected", s.GetStep(), s.GetBranch(), a.step, a.branch)
	}
	if a.pump.Open() {
		return diverged("the report of step %d came in the middle of a round", s.GetStep())
	}
	var facts corev1.StepFacts
	if err := proto.Unmarshal(s.GetFacts(), &facts); err != nil {
		return fmt.Errorf("facts of step %d: %w", s.GetStep(), err)
	}
	second, err := a.pump.Heldout(ctx)
	if err != nil {
		return fmt.Errorf("second verdicts of step %d: %w", s.GetStep(), err)
	}
	a.second = second
	repeated := a.ledger.Next() < a.ledger.Recorded()
	record := &corev1.StepRecord{Facts: s.GetFacts(), Chain: s.GetChain()}
	if err := a.append(ctx, recorderv1.RecordType_RECORD_TYPE_STEP, record, s.GetTiming()); err != nil {
		return err
	}
	a.chain = s.GetChain()
	var saved []byte
	if s.GetCheckpointFollows() {
		c, err := a.awaitCheckpoint(ctx)
		if err != nil {
			return err
		}
		if err := a.append(ctx, recorderv1.RecordType_RECORD_TYPE_MODEL_CHECKPOINT, c, nil); err != nil {
			return err
		}
		saved, a.checkpoint = c.GetDigest(), c.GetDigest()
	}
	if err := a.durable(ctx); err != nil {
		return fmt.Errorf("record step %d: %w", s.GetStep(), err)
	}
	if err := a.Fault.At(PointReport); err != nil {
		return err
	}
	var eval *evaluatorv1.Evaluation
	if a.evalDue(&facts) {
		if eval, err = a.evaluate(ctx, false); err != nil {
			return err
		}
	}
	findings, err := a.findings(ctx, s.GetStep(), repeated) // after the evaluation, which may raise some too
	if err != nil {
		return err
	}
	d, err := a.takeGate(ctx, &facts, eval, saved, findings)
	if err != nil {
		return err
	}
	return a.conclude(ctx, &facts, s.GetTiming(), d, findings)
}

func (a *attempt) awaitCheckpoint(ctx context.Context) (*trainerv1.CheckpointSaved, error) {
	for {
		m, err := a.trainer.next(ctx)
		if err != nil {
			return nil, fmt.Errorf("wait for a checkpoint: %w", err)
		}
		switch b := m.GetBody().(type) {
		case *trainerv1.TrainResponse_Checkpoint:
			return b.Checkpoint, nil
		case *trainerv1.TrainResponse_Finished:
			return nil, finishedError(b.Finished)
		case *trainerv1.TrainResponse_Heartbeat:
		case *trainerv1.TrainResponse_Event:
			if err := a.event(ctx, b.Event); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("the trainer sent %T in place of its checkpoint", b)
		}
	}
}

// findings are what this step's records raised. The recorder tells them with its acks; for records that were there already
// it raised them in an earlier life, and its list has them.
func (a *attempt) findings(ctx context.Context, step uint64, repeated bool) ([]*recorderv1.Anomaly, error) {
	told := slices.DeleteFunc(a.ledger.Findings(), func(f *recorderv1.Anomaly) bool { return f.GetSeq() < a.firstSeq })
	if !repeated {
		return told, nil // without those of an earlier step that was repeated: its acks may come late, and it had them
	}
	var out []*recorderv1.Anomaly
	req := &recorderv1.ListAnomaliesRequest{Run: a.Run.GetUid(), PageSize: 1000}
	for {
		page, err := a.Peers.Recorder.ListAnomalies(ctx, req)
		if err != nil {
			return nil, err
		}
		for _, f := range page.GetAnomalies() {
			opened := f.GetEvent() == recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN || f.GetEvent() == recorderv1.IncidentEvent_INCIDENT_EVENT_ESCALATE
			if opened && f.GetStep() == step && f.GetAttempt() == a.branch {
				out = append(out, f)
			}
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			return out, nil
		}
	}
}

// takeGate decides and records. A decision that is recorded already is taken as it is: it may have been made from findings
// that a clock decided.
func (a *attempt) takeGate(ctx context.Context, facts *corev1.StepFacts, eval *evaluatorv1.Evaluation, saved []byte, findings []*recorderv1.Anomaly) (*orchestratorv1.GateDecision, error) {
	in := gate.Input{Step: facts.GetStep(), Branch: a.branch, Facts: facts, Evaluation: eval, Checkpoint: saved, Next: facts.GetStep() + 1, Findings: findings}
	before := a.gate
	d, next, due := gate.Decide(a.Run.GetSpec().GetGate(), in, before)
	if seq := a.ledger.Next(); seq < a.ledger.Recorded() {
		events, err := a.recorded(ctx, seq, seq+1)
		if err != nil {
			return nil, err
		}
		if len(events) == 1 && events[0].GetType() == recorderv1.RecordType_RECORD_TYPE_GATE {
			d = &orchestratorv1.GateDecision{}
			if err := proto.Unmarshal(events[0].GetPayload(), d); err != nil {
				return nil, fmt.Errorf("record %d: %w", seq, err)
			}
			next, due = gate.Follow(a.Run.GetSpec().GetGate(), in, before, d), true
		}
	}
	a.gate = next
	if !due {
		return d, nil
	}
	if err := a.append(ctx, recorderv1.RecordType_RECORD_TYPE_GATE, d, nil); err != nil {
		return nil, err
	}
	if err := a.durable(ctx); err != nil {
		return nil, fmt.Errorf("record the gate of step %d: %w", facts.GetStep(), err)
	}
	return d, a.Fault.At(PointGate)
}
