package orchestrator

import (
	"context"
	"encoding/hex"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/services/orchestrator/contrast"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// trial makes the runs of a comparison.
type trial struct {
	*Service
	out      orchestratorv1.OrchestratorService_TrainControlsServer
	plan     contrast.Plan
	id       string
	shuffled *corev1.DatasetRef
	done     int
}

// train makes the runs seed by seed: whoever stops early has whole seeds.
func (t *trial) train(ctx context.Context) ([]contrast.Arm, error) {
	names := t.plan.Arms()
	arms := make([]contrast.Arm, len(names))
	for _, seed := range t.plan.Seeds {
		warmed := ""
		if t.plan.Warms() {
			r, err := t.finish(ctx, contrast.Warmup, seed, t.plan.WarmupRun(seed))
			if err != nil {
				return nil, err
			}
			warmed = hex.EncodeToString(r.GetFinalCheckpoint())
		}
		for i, name := range names {
			spec, err := t.plan.ArmRun(name, seed, warmed, t.shuffled)
			if err != nil {
				return nil, err
			}
			r, err := t.finish(ctx, name, seed, spec)
			if err != nil {
				return nil, err
			}
			arms[i].Name = name
			arms[i].Results = append(arms[i].Results, contrast.Result{Seed: seed, Run: r.GetUid(), Before: accuracy(r, 0), After: accuracy(r, len(r.GetEvaluations())-1)})
		}
	}
	return arms, nil
}

// accuracy is NaN where nothing was measured, which is never a gain of zero.
func accuracy(r *orchestratorv1.Run, i int) float64 {
	if len(r.GetEvaluations()) < 2 {
		return math.NaN()
	}
	e := r.GetEvaluations()[i].GetEstimates()
	if len(e) == 0 || e[0].Value == nil {
		return math.NaN()
	}
	return e[0].GetValue()
}

// finish creates a run, or finds the one of an earlier request, and waits until it has ended. A run that did not come to its end
// has no gain, and nothing can be compared.
func (t *trial) finish(ctx context.Context, arm string, seed uint64, spec *orchestratorv1.RunSpec) (*orchestratorv1.Run, error) {
	created, err := t.CreateRun(ctx, &orchestratorv1.CreateRunRequest{Spec: spec, RequestId: fmt.Sprintf("%s/%s/%d", t.id, arm, seed)})
	if err != nil {
		return nil, fmt.Errorf("%s, seed %d: %w", arm, seed, err)
	}
	uid := created.GetRun().GetUid()
	var told *orchestratorv1.ControlProgress
	for {
		changed := t.board.Changed(uid)
		r, err := t.get(ctx, uid)
		if err != nil {
			return nil, err
		}
		if run.Ended(r.GetState()) {
			t.done++
		}
		now := &orchestratorv1.ControlProgress{Arm: arm, Seed: seed, Run: uid, State: r.GetState(), Step: r.GetProgress().GetStageStep(),
			Steps: spec.GetHyper().GetMaxSteps(), Done: uint32(t.done), Total: uint32(t.plan.Runs())}
		if !proto.Equal(now, told) {
			if err := t.out.Send(&orchestratorv1.TrainControlsResponse{Event: &orchestratorv1.TrainControlsResponse_Progress{Progress: now}}); err != nil {
				return nil, err
			}
			told = now
		}
		switch {
		case r.GetState() == run.Succeeded:
			return r, nil
		case run.Ended(r.GetState()):
			return nil, fmt.Errorf("%w: run %s (%s, seed %d) ended as %s: %s", contrast.ErrNoControls, uid, arm, seed, r.GetState(), r.GetFailure().GetMessage())
		}
		again := t.d.Clock.NewTimer(heartbeat) // a run that another process owns rings no bell here
		select {
		case <-changed:
			again.Stop()
		case <-again.C():
		case <-ctx.Done():
			again.Stop()
			return nil, ctx.Err()
		}
	}
}

func controlReport(r *contrast.Report, margin float64) *orchestratorv1.ControlReport {
	out := &orchestratorv1.ControlReport{Verdict: r.Verdict, Reasons: r.Reasons, Validity: r.Validity, Margin: margin}
	for _, a := range r.Arms {
		arm := &orchestratorv1.ControlArm{Name: a.Name, Gain: estimate(a.Gain), Spurious: a.Spurious}
		if a.Lead != nil {
			arm.Lead = estimate(*a.Lead)
		}
		for _, x := range a.Results {
			arm.Runs = append(arm.Runs, &orchestratorv1.ControlRun{Seed: x.Seed, Run: x.Run, Before: x.Before, After: x.After})
		}
		out.Arms = append(out.Arms, arm)
	}
	return out
}

func estimate(i contrast.Interval) *evaluatorv1.Estimate {
	return &evaluatorv1.Estimate{Value: &i.Mean, Interval: &evaluatorv1.Interval{Low: i.Low, High: i.High}, N: uint64(i.N)}
}
