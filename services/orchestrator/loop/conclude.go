package loop

import (
	"context"
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/outbox"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/orchestrator/journal"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// Topic is the NATS subject of a run's event.
func Topic(tenant, uid, event string) string {
	return "provenir.v1." + tenant + ".run." + uid + "." + event
}

// tell publishes one event of the watch stream by itself.
func (o *Owner) tell(ctx context.Context, e *orchestratorv1.WatchRunResponse) error {
	if err := o.Board.Publish(ctx, o.DB, e); err != nil {
		return err
	}
	o.Board.Published()
	return nil
}

// conclude writes the step into the journal, waits while the run is held, and answers the trainer.
func (a *attempt) conclude(ctx context.Context, facts *corev1.StepFacts, timing *corev1.StepTiming, d *orchestratorv1.GateDecision, findings []*recorderv1.Anomaly) error {
	row := journal.Step{Step: facts.GetStep(), Branch: a.branch, Stage: a.stage.Index, FirstSeq: a.firstSeq, NextSeq: a.ledger.Next(),
		Gate: a.gate, ResumeStep: facts.GetStep() + 1, NextBranch: a.branch, Checkpoint: a.checkpoint, Chain: a.chain,
		Rollouts: a.pump.Rollouts, Scored: a.pump.Scored, Clocked: a.pump.Clocked}
	answer := &trainerv1.StepDecision{Step: facts.GetStep(), Decision: trainerv1.Decision_DECISION_PROCEED, AnomalyIds: d.GetAnomalies()}
	switch d.GetAction() {
	case orchestratorv1.GateAction_GATE_ACTION_STOP:
		answer.Decision, row.End = trainerv1.Decision_DECISION_SAVE_AND_STOP, int32(run.Stopped)
	case orchestratorv1.GateAction_GATE_ACTION_ROLLBACK:
		answer.Decision, answer.Checkpoint = trainerv1.Decision_DECISION_ROLLBACK, d.GetCheckpoint()
		row.ResumeStep, row.NextBranch = a.gate.BestNext, a.branch+1
	case orchestratorv1.GateAction_GATE_ACTION_PAUSE:
		if err := a.Board.Hold(ctx); err != nil {
			return err
		}
	}
	last := facts.GetStageStep()+1 == a.stage.Spec.GetMaxSteps()
	if row.End == 0 && !last {
		cancelled, err := a.hold(ctx, answer)
		if err != nil {
			return err
		}
		if cancelled {
			answer.Decision, answer.Checkpoint, row.End = trainerv1.Decision_DECISION_SAVE_AND_STOP, nil, int32(run.Cancelled)
			row.ResumeStep, row.NextBranch = facts.GetStep()+1, a.branch
		}
	}
	if err := a.write(ctx, row, facts, timing, d, findings); err != nil {
		return err
	}
	if err := a.Fault.At(PointJournal); err != nil {
		return err
	}
	if err := a.trainer.decide(answer); err != nil {
		return fmt.Errorf("answer the trainer: %w", err)
	}
	a.step, a.branch, a.firstSeq, a.ending = row.ResumeStep, row.NextBranch, a.ledger.Next(), run.State(row.End)
	return a.Fault.At(PointDecided)
}

// hold waits while somebody wants the run paused; it says whether it was cancelled. A restart while it is held comes back
// here, because the step's journal row is written after.
func (a *attempt) hold(ctx context.Context, answer *trainerv1.StepDecision) (cancelled bool, err error) {
	held := false
	for {
		changed := a.Board.Changed()
		asked, err := a.Board.Asked(ctx)
		if err != nil {
			return false, err
		}
		if asked != "pause" {
			if held && asked == "" {
				err = a.announce(ctx, "resumed", run.Running, "training")
			}
			return asked == "cancel", err
		}
		if !held {
			held = true
			if err := a.announce(ctx, "paused", run.Paused, ""); err != nil {
				return false, err
			}
			pause := &trainerv1.StepDecision{Step: answer.GetStep(), Decision: trainerv1.Decision_DECISION_PAUSE}
			if err := a.trainer.decide(pause); err != nil {
				return false, err
			}
		}
		look := a.Clock.NewTimer(longestWait) // any process may take the call that ends the pause, and only ours rings
		select {
		case <-changed:
			look.Stop()
		case <-look.C():
		case <-ctx.Done():
			look.Stop()
			return false, context.Cause(ctx)
		}
	}
}

// announce changes the state and sends the event out.
func (o *Owner) announce(ctx context.Context, event string, to run.State, phase string) error {
	if err := o.state(ctx, to, phase); err != nil {
		return err
	}
	body, err := proto.Marshal(&orchestratorv1.Run{Uid: o.Run.GetUid(), State: to})
	if err != nil {
		return err
	}
	id := fmt.Sprintf("%s.%s.%d", o.Run.GetUid(), event, o.Clock.Now().UnixNano())
	if err := outbox.Add(ctx, o.DB, o.message(id, event, body, "provenir.orchestrator.v1.Run")); err != nil {
		return err
	}
	o.Board.Published()
	return nil
}

func (o *Owner) message(id, event string, body []byte, schema string) outbox.Message {
	return outbox.Message{ID: id, Subject: Topic(o.Tenant, o.Run.GetUid(), event), Body: body, Headers: map[string]string{
		"Provenir-Schema": schema, "ce-specversion": "1.0", "ce-id": id, "ce-type": "dev.provenir.run." + event,
		"ce-source": "/runs/" + o.Run.GetUid(), "content-type": "application/protobuf"}}
}

// write puts the journal row, the watch event and the outgoing message into one transaction: none is there without the
// others.
func (a *attempt) write(ctx context.Context, row journal.Step, facts *corev1.StepFacts, timing *corev1.StepTiming, d *orchestratorv1.GateDecision, findings []*recorderv1.Anomaly) error {
	shown := proto.CloneOf(facts)
	line := &orchestratorv1.StepRow{Facts: shown, Timing: timing, Findings: findings, OpenAnomalies: uint32(len(findings)), StageName: a.stage.Name, HeldoutRows: a.second.Rows}
	if a.second.Rows > 0 {
		line.HeldoutReward = proto.Float64(a.second.Sum / float64(a.second.Rows))
	}
	body, err := proto.Marshal(line)
	if err != nil {
		return err
	}
	id := fmt.Sprintf("%s.%d.%d", a.Run.GetUid(), row.Branch, row.Step)
	err = a.DB.Within(ctx, func(tx store.Tx) error {
		if err := a.Journal.PutStep(ctx, tx, a.Run.GetUid(), row); err != nil {
			return err
		}
		if err := a.Board.Publish(ctx, tx, &orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Step{Step: line}}); err != nil {
			return err
		}
		if len(d.GetReasons()) > 0 {
			if err := a.Board.Publish(ctx, tx, &orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Gate{Gate: d}}); err != nil {
				return err
			}
		}
		return outbox.Add(ctx, tx, a.message(id, "step", body, "provenir.orchestrator.v1.StepRow"))
	})
	if err != nil {
		return fmt.Errorf("journal of step %d: %w", row.Step, err)
	}
	a.Board.Published()
	return a.Board.Update(ctx, func(r *orchestratorv1.Run) {
		p := r.Progress
		p.Stage, p.Stages, p.StageName, p.Branch = a.stage.Index, uint32(len(a.stages)), a.stage.Name, row.NextBranch
		p.Step, p.StageStep, p.StageSteps = row.Step+1, facts.GetStageStep()+1, facts.GetStageSteps()
		if len(d.GetReasons()) == 0 {
			return
		}
		r.Decisions = append(r.Decisions, d)
		for _, why := range d.GetReasons() {
			if strings.HasPrefix(why, "no_signal") {
				r.Warnings = append(r.Warnings, "NO_SIGNAL "+why)
			}
		}
	})
}
