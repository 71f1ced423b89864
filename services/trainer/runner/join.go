package runner

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/trainer/engine"
)

// await waits until every rollout of a round has its reward or its reason. Rewards come in any order and may come again,
// also after their round or step is over; one for a rollout that was never sent, or a second different one, ends the
// stage: paying for something else than was sampled is worse than stopping.
func (r *run) await(ctx context.Context, round []*rollout) error {
	for _, x := range round {
		r.sent[x.id] = x
	}
	for missing := len(round); missing > 0; {
		batch, err := r.link.Rewards(ctx)
		if err != nil {
			return err
		}
		for _, payload := range batch.GetRewards() {
			var paid corev1.RewardBatch
			if err := proto.Unmarshal(payload, &paid); err != nil {
				return fmt.Errorf("reward of step %d: %w", batch.GetStep(), err)
			}
			for _, reward := range paid.GetRewards() {
				x := r.sent[reward.GetRolloutId()]
				fresh, err := take(x, reward)
				if err != nil {
					return err
				}
				if fresh {
					missing--
				}
			}
		}
	}
	quarantine(round)
	return r.Fault.At(PointRewarded)
}

// remembered steps: a reward may come again while the trainer is already some steps further.
const remembered = 8

// forget keeps of the last steps what tells a repeated reward from a wrong one, and lets go of what is older.
func (r *run) forget(last []*rollout) {
	ids := make([]string, len(last))
	for i, x := range last {
		ids[i] = x.id
		r.sent[x.id] = &rollout{id: x.id, digest: x.digest, paid: x.paid}
	}
	if r.past = append(r.past, ids); len(r.past) > remembered {
		for _, id := range r.past[0] {
			delete(r.sent, id)
		}
		r.past = r.past[1:]
	}
}

func take(x *rollout, reward *corev1.Reward) (fresh bool, err error) {
	switch {
	case x == nil || !bytes.Equal(reward.GetRolloutDigest(), x.digest[:]):
		return false, &engine.Error{Reason: "VERDICT_UNKNOWN_ROLLOUT", Detail: reward.GetRolloutId() + " was not sent lately with that digest"}
	case x.paid == nil:
		x.paid, x.reward = reward, finite(reward)
		x.masked = reward.GetUse() != corev1.TrainUse_TRAIN_USE_USE
		return true, nil
	case proto.Equal(x.paid, reward):
		return false, nil
	default:
		return false, &engine.Error{Reason: "VERDICT_CONFLICT", Detail: reward.GetRolloutId() + " was rewarded twice with different verdicts"}
	}
}

// finite makes a reward that is no number what it is: an unscored rollout. Counted as scored it would make the mean of its
// step no number either.
func finite(reward *corev1.Reward) *corev1.Reward {
	if x := reward.GetScored().GetReward(); !math.IsNaN(x) && !math.IsInf(x, 0) {
		return reward
	}
	out := proto.CloneOf(reward)
	out.Verdict = &corev1.Reward_Unscored{Unscored: &corev1.Unscored{Reason: corev1.UnscoredReason_UNSCORED_REASON_NON_FINITE,
		Detail: "the reward is no finite number"}}
	return out
}

// quarantine masks the whole group of a rollout whose use says so.
func quarantine(round []*rollout) {
	groups := map[string]bool{}
	for _, x := range round {
		if x.reward.GetUse() == corev1.TrainUse_TRAIN_USE_QUARANTINE_GROUP {
			groups[x.group] = true
		}
	}
	for _, x := range round {
		x.masked = x.masked || groups[x.group]
	}
}
