package runner

import (
	"context"
	"fmt"
	"math"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/trainer/engine"
)

// rl is a step of a group method: sample, send, be rewarded, learn.
func (r *run) rl(ctx context.Context, w *watch) (*corev1.StepFacts, error) {
	want := int(r.Plan.Spec.GetSampling().GetPromptsPerStep())
	rounds := uint32(1)
	if r.Plan.Row.DropFlat {
		rounds = r.Plan.Spec.GetObjective().GetMaxGenBatches()
	}
	f := r.newFacts()
	var all []*rollout
	groups, need := 0, want
	for round := uint32(0); round < rounds && need > 0; round++ {
		fresh, err := r.sampleRound(ctx, need, groups, round)
		if err != nil {
			return nil, err
		}
		w.lap(&w.timing.Sample)
		// While verdicts are on their way: the reference, and how far sampler and trainer disagree.
		if err := r.reference(ctx, fresh); err != nil {
			return nil, err
		}
		if round == 0 {
			if err := r.mismatch(ctx, fresh, f); err != nil {
				return nil, err
			}
		}
		w.lap(&w.timing.Score)
		if err := r.await(ctx, fresh); err != nil {
			return nil, err
		}
		w.lap(&w.timing.Wait)
		all, groups = append(all, fresh...), groups+need
		f.refills = round
		signal, err := r.signalGroups(all)
		if err != nil {
			return nil, err
		}
		need = want - signal
	}
	r.forget(all)
	l, err := r.advantages(all)
	if err != nil {
		return nil, err
	}
	h := r.inject(r.Plan.Hyper(r.stageStep()), &l)
	var res engine.StepResult
	var trained uint64
	switch {
	case l.advantages.Scored == 0:
		res.Reason = "NO_SCORED"
	case l.advantages.WithSignal == 0:
		res.Reason = "NO_SIGNAL" // an update would follow the KL term alone
	default:
		if res, trained, err = r.update(ctx, l, h); err != nil {
			return nil, err
		}
	}
	w.lap(&w.timing.Train)
	return f.rl(all, l, res, trained, h), nil
}

func (r *run) stageStep() uint64 { return r.state.NextStep - r.Start.GetFirstStep() }

// scoreChunk rows are scored at once: more would only grow the session's arena.
const scoreChunk = 64

func (r *run) sequences(x []*rollout) []engine.Sequence {
	out := make([]engine.Sequence, len(x))
	for i := range x {
		out[i] = engine.Sequence{Tokens: x[i].tokens(), Start: len(x[i].text.prompt)}
	}
	return out
}

// reference scores the rows under the frozen policy, where the objective has a KL term.
func (r *run) reference(ctx context.Context, fresh []*rollout) error {
	if r.Plan.Row.Params.KL == 0 {
		return nil
	}
	for from := 0; from < len(fresh); from += scoreChunk {
		part := fresh[from:min(from+scoreChunk, len(fresh))]
		scores, err := r.Engine.Score(ctx, engine.ScoreRequest{Sequences: r.sequences(part), Reference: true,
			Temperature: r.Plan.Spec.GetSampling().GetTemperature()})
		if err != nil {
			return fmt.Errorf("reference of step %d: %w", r.state.NextStep, err)
		}
		for i := range part {
			part[i].ref = scores[i].LogProbs
		}
	}
	return nil
}

// mismatch compares the sampler's log probs with the trainer's on 64 rows: k1 and k3 of KL(sampler‖trainer) by token.
func (r *run) mismatch(ctx context.Context, fresh []*rollout, f *facts) error {
	part := fresh[:min(scoreChunk, len(fresh))]
	scores, err := r.Engine.Score(ctx, engine.ScoreRequest{Sequences: r.sequences(part), Temperature: r.Plan.Spec.GetSampling().GetTemperature()})
	if err != nil {
		return fmt.Errorf("mismatch of step %d: %w", r.state.NextStep, err)
	}
	n, k1, k3, mean, top := 0., 0., 0., 0., 0.
	for i, x := range part {
		for t, s := range x.out.LogProbs {
			d := float64(scores[i].LogProbs[t]) - float64(s) // log(trainer/sampler)
			k1, k3 = k1-d, k3+math.Exp(d)-1-d
			mean, top, n = mean+math.Abs(d), math.Max(top, math.Abs(d)), n+1
		}
	}
	if n == 0 {
		return nil
	}
	f.set("mismatch.kl_k1", k1/n)
	f.set("mismatch.kl_k3", k3/n)
	f.set("mismatch.logp_absdiff.mean", mean/n)
	f.set("mismatch.logp_absdiff.max", top)
	return nil
}
