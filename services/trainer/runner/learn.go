package runner

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/trainer/chain"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/objective"
)

// learned is what a step's rollouts came to.
type learned struct {
	advantages objective.Result // over every row that was sampled
	used       []*rollout       // rows of the optimizer batch, flat groups of dapo left out
	advantage  []float64        // of used
	shaped     float64          // mean reward after the length penalty; NaN without one
	filtered   uint64
}

// advantages turns rewards into advantages over all rounds of the step. The overlong penalty is added to the reward
// before the group statistics, as DAPO does.
func (r *run) advantages(all []*rollout) (learned, error) {
	row, s := r.Plan.Row, r.Plan.Spec
	rewards := make([]objective.Reward, len(all))
	shaped, scored := 0.0, 0
	for i, x := range all {
		rewards[i].Group = x.at
		paid, ok := x.reward.GetVerdict().(*corev1.Reward_Scored)
		if !ok || x.masked {
			continue
		}
		rewards[i].Scored, rewards[i].Value = true, paid.Scored.GetReward()
		if row.Overlong {
			penalty, err := objective.Overlong(len(x.out.Tokens), int(s.GetSampling().GetMaxTokens()),
				int(s.GetObjective().GetOverlongCache()), s.GetObjective().GetOverlongFactor())
			if err != nil {
				return learned{}, err
			}
			rewards[i].Value += penalty
		}
		shaped += rewards[i].Value
		scored++
	}
	adv, err := objective.Advantages(row.Estimator, rewards, objective.AdvantageParams{})
	if err != nil {
		return learned{}, err
	}
	l := learned{advantages: adv, shaped: math.NaN()}
	if row.Overlong && scored > 0 {
		l.shaped = shaped / float64(scored)
	}
	signal := map[int]bool{}
	for i, x := range all {
		if adv.Advantages[i] != 0 {
			signal[x.at] = true
		}
	}
	for i, x := range all {
		if row.DropFlat && !signal[x.at] {
			l.filtered++
			continue
		}
		if row.MaskTruncated && x.out.Stop == engine.StopLength {
			x.masked = true
		}
		l.used, l.advantage = append(l.used, x), append(l.advantage, adv.Advantages[i])
	}
	return l, nil
}

// signalGroups counts groups of the rounds so far that teach something; dapo refills until it has enough.
func (r *run) signalGroups(all []*rollout) (int, error) {
	l, err := r.advantages(all)
	return l.advantages.WithSignal, err
}

// update makes the optimizer steps of one RL step: one a minibatch, each with weights over its own rows.
func (r *run) update(ctx context.Context, l learned, h engine.Hyper) (engine.StepResult, uint64, error) {
	size := int(r.Plan.Spec.GetMinibatch())
	if size < len(l.used) {
		r.shuffle(l)
	}
	var total engine.StepResult
	var trained uint64
	var parts []weighted
	for from := 0; from < len(l.used); from += size {
		to := min(from+size, len(l.used))
		batch, tokens, err := r.batch(l.used[from:to], l.advantage[from:to])
		if err != nil {
			return total, 0, err
		}
		if tokens == 0 {
			continue
		}
		res, err := r.Engine.Step(ctx, batch, h)
		if err != nil {
			return total, 0, fmt.Errorf("train step %d: %w", r.state.NextStep, err)
		}
		parts = append(parts, weighted{float64(to - from), res.Metrics})
		trained += tokens
		total.Applied = total.Applied || res.Applied
		if !res.Applied {
			total.Reason = res.Reason
			break // what follows would build on a batch that was refused
		}
	}
	total.Metrics = merge(parts)
	return total, trained, nil
}

// shuffle spreads the rows of a group over the minibatches: one that held whole groups only would pull the policy towards
// a few prompts at a time. The order depends on seed, branch and step, never on timing.
func (r *run) shuffle(l learned) {
	h := chain.Hash([]byte("provenir/minibatch/v1"), binary.LittleEndian.AppendUint64(nil, r.Plan.Spec.GetSeed()),
		binary.LittleEndian.AppendUint32(nil, r.state.Branch), binary.LittleEndian.AppendUint64(nil, r.state.NextStep))
	rng := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(h[:8]), binary.LittleEndian.Uint64(h[8:16])))
	rng.Shuffle(len(l.used), func(i, j int) {
		l.used[i], l.used[j] = l.used[j], l.used[i]
		l.advantage[i], l.advantage[j] = l.advantage[j], l.advantage[i]
	})
}

func (r *run) batch(used []*rollout, advantage []float64) (engine.Batch, uint64, error) {
	mask := make([][]bool, len(used))
	var tokens uint64
	for i, x := range used {
		mask[i] = make([]bool, len(x.out.Tokens))
		if _, scored := x.reward.GetVerdict().(*corev1.Reward_Scored); !scored || x.masked {
			continue
		}
		for t := range mask[i] {
			mask[i][t] = true
			tokens++
		}
	}
	if tokens == 0 {
		return engine.Batch{}, 0, nil
	}
	weights, err := objective.Weights(r.Plan.Row.Params.Aggregation, mask, r.Plan.Row.Params.MaxLen)
	if err != nil {
		return engine.Batch{}, 0, err
	}
	var b engine.Batch
	for i, x := range used {
		b.Rows = append(b.Rows, engine.TrainRow{Tokens: x.tokens(), Start: len(x.text.prompt), Weight: weights[i],
			Advantage: float32(advantage[i]), Old: x.out.LogProbs, Ref: x.ref})
	}
	return b, tokens, nil
}

type weighted struct {
	rows    float64
	metrics map[string]float64
}

// merge averages metrics over minibatches by their rows; maxima stay maxima, and first_dev is the first minibatch's: later
// ones are off-policy by then.
func merge(parts []weighted) map[string]float64 {
	out := map[string]float64{}
	if len(parts) == 0 {
		return out
	}
	for name, first := range parts[0].metrics {
		switch name {
		case "ratio.first_dev":
			out[name] = first
			continue
		case "ratio.max":
			for _, p := range parts {
				first = math.Max(first, p.metrics[name])
			}
			out[name] = first
			continue
		}
		sum, n := 0.0, 0.0
		for _, p := range parts {
			if v, ok := p.metrics[name]; ok {
				sum, n = sum+v*p.rows, n+p.rows
			}
		}
		out[name] = sum / n
	}
	return out
}
