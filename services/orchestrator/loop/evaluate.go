package loop

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/orchestrator/run"
)

func (a *attempt) evalDue(facts *corev1.StepFacts) bool {
	return slices.Contains(a.stage.EvalSteps, facts.GetStageStep()+1)
}

// evaluate lets the newest checkpoint answer the held-out set, and records what came out. An evaluation that is recorded
// already is not made again.
func (a *attempt) evaluate(ctx context.Context, baseline bool) (*evaluatorv1.Evaluation, error) {
	if err := a.state(ctx, run.Gating, "evaluating"); err != nil {
		return nil, err
	}
	e, err := a.recordedEval(ctx)
	if err != nil {
		return nil, err
	}
	if e == nil {
		if e, err = a.freshEval(ctx, baseline); err != nil {
			return nil, err
		}
	}
	if err := a.append(ctx, recorderv1.RecordType_RECORD_TYPE_EVAL, e, nil); err != nil {
		return nil, err
	}
	if err := a.durable(ctx); err != nil {
		return nil, fmt.Errorf("record the evaluation of step %d: %w", a.step, err)
	}
	if err := a.Fault.At(PointEval); err != nil {
		return nil, err
	}
	err = a.Board.Update(ctx, func(r *orchestratorv1.Run) {
		if !slices.ContainsFunc(r.GetEvaluations(), func(x *evaluatorv1.Evaluation) bool { return proto.Equal(x, e) }) {
			r.Evaluations = append(r.Evaluations, e)
		}
	})
	if err != nil {
		return nil, err
	}
	if err := a.tell(ctx, &orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Evaluation{Evaluation: e}}); err != nil {
		return nil, err
	}
	return e, a.state(ctx, run.Running, "training")
}

func (a *attempt) recordedEval(ctx context.Context) (*evaluatorv1.Evaluation, error) {
	seq := a.ledger.Next()
	if seq >= a.ledger.Recorded() {
		return nil, nil
	}
	events, err := a.recorded(ctx, seq, seq+1)
	if err != nil {
		return nil, err
	}
	if len(events) != 1 || events[0].GetType() != recorderv1.RecordType_RECORD_TYPE_EVAL {
		return nil, diverged("record %d is no evaluation", seq)
	}
	e := &evaluatorv1.Evaluation{}
	if err := proto.Unmarshal(events[0].GetPayload(), e); err != nil {
		return nil, fmt.Errorf("record %d: %w", seq, err)
	}
	return e, nil
}

func (a *attempt) freshEval(ctx context.Context, baseline bool) (*evaluatorv1.Evaluation, error) {
	spec := a.Run.GetSpec()
	req := &evaluatorv1.EvaluateRequest{Dataset: spec.GetEval(), Metrics: []string{run.Metric(spec)}, Verifier: run.Strictest(spec),
		Checkpoint: hex.EncodeToString(a.checkpoint), MaxTokens: spec.GetLimits().GetEvalMaxTokens(), Limit: spec.GetLimits().GetEvalLimit()}
	if req.MaxTokens == 0 {
		req.MaxTokens = spec.GetHyper().GetSampling().GetMaxTokens()
	}
	if len(a.gate.BestRows) > 0 {
		req.Baselines = append(req.Baselines, a.gate.BestRows)
	}
	if first := a.gate.FirstRows; len(first) > 0 && string(first) != string(a.gate.BestRows) {
		req.Baselines = append(req.Baselines, first)
	}
	resp, err := a.Peers.Evaluator.Evaluate(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("evaluate the checkpoint of step %d: %w", a.step, err)
	}
	e := resp.GetEvaluation()
	e.Step, e.Branch, e.Stage, e.Baseline = a.step, a.branch, a.stage.Index, baseline
	return e, nil
}
