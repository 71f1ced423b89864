package metric_test

import (
	"math"
	"slices"
	"testing"

	"github.com/provenir/provenir/services/recorder/metric"
)

// The names that each engine documents for the same quantities.
func TestEngineTables(t *testing.T) {
	tests := []struct {
		engine, key string
		x           float64
		name        string
		want        float64
		tags        metric.Tags
	}{
		{"trl", "reward", .5, metric.RewardMean, .5, metric.Tags{}},
		{"trl", "rewards/frac_digit/mean", .5, "reward.component.frac_digit", .5, metric.Tags{}},
		{"trl", "rewards/frac_digit/std", .5, "raw.rewards/frac_digit/std", .5, metric.Tags{}},
		{"trl", "rewards/chosen", -3, "dpo.chosen", -3, metric.Tags{}},
		{"trl", "kl", .1, metric.KLRef, .1, metric.Tags{Estimator: "k3", Reduction: "token_mean", Unit: "nats"}},
		{"trl", "eval_reward", .5, metric.RewardMean, .5, metric.Tags{Scope: "eval"}},
		{"trl", "digit_rows", 3, "raw.digit_rows", 3, metric.Tags{}},
		{"trl", "clip_ratio/region_mean", .2, metric.ClipRegion, .2, metric.Tags{}},
		{"unsloth", "kl", .1, metric.KLRef, .1, metric.Tags{Estimator: "k3", Reduction: "mean_of_sequence_means", Unit: "nats"}},
		{"unsloth", "completion_length", 12, metric.LengthMean, 12, metric.Tags{}},
		{"verl", "critic/score/mean", .5, metric.RewardMean, .5, metric.Tags{}},
		{"verl", "critic/rewards/mean", .4, "reward.shaped", .4, metric.Tags{}},
		{"verl", "actor/entropy_loss", .4, metric.Entropy, .4, metric.Tags{Unit: "nats"}},
		{"verl", "val-core/gsm8k/reward/mean@4", .4, "reward.component.gsm8k.reward.mean@4", .4, metric.Tags{Scope: "eval"}},
		{"verl", "training/rollout_probs_diff_max", .4, "mismatch.prob_absdiff.max", .4, metric.Tags{}},
		{"prime", "math/reward/mean", .4, metric.RewardMean, .4, metric.Tags{}},
		{"prime", "mismatch_kl/all/mean", .01, metric.MismatchK3, .01, metric.Tags{Estimator: "k3", Unit: "nats"}},
		{"prime", "is_truncated/mean", 0, metric.TruncatedFrac, 0, metric.Tags{}},
		{"nemo", "baseline_reward/pct_1", 25, "group.frac_all_right", .25, metric.Tags{}},
		{"nemo", "train/token_mult_prob_error", 1.01, metric.MismatchMult, 1.01, metric.Tags{}},
		{"nemo", "probs_ratio_clamped", 1.02, "ratio.clamped", 1.02, metric.Tags{}},
		{"openrlhf", "dynamic_filtering_pass_rate", .25, metric.FracZeroStd, .75, metric.Tags{}},
		{"openrlhf", "vllm_kl", .01, metric.MismatchK1, .01, metric.Tags{Estimator: "k1", Unit: "nats"}},
		{"skyrl", "reward/avg_raw_reward", .3, metric.RewardMean, .3, metric.Tags{}},
		{"skyrl", "policy/rollout_train_logprobs_abs_diff_mean", .3, metric.MismatchAbsMean, .3, metric.Tags{Unit: "nats"}},
		{"tinker", "optim/kl_sample_train_v2", .3, "mismatch.kl_k2", .3, metric.Tags{Estimator: "k2", Unit: "nats"}},
		{"tinker", "env/gsm8k/reward/total", .3, "reward.component.gsm8k", .3, metric.Tags{}},
		{"provenir", "reward_mean", .3, metric.RewardMean, .3, metric.Tags{}},
		{"provenir", "policy.entropy", 2, metric.Entropy, 2, metric.Tags{}},
		{"verl", "policy.entropy", 2, metric.Entropy, 2, metric.Tags{}},
	}
	for _, tt := range tests {
		t.Run(tt.engine+" "+tt.key, func(t *testing.T) {
			table, ok := metric.Engine(tt.engine)
			if !ok {
				t.Fatal("no table")
			}
			got := metric.NewMapper(table).Row([]metric.Raw{{Key: tt.key, X: tt.x}})
			if len(got) != 1 || got[0].Name != tt.name || math.Abs(got[0].X-tt.want) > 1e-12 || got[0].Tags != tt.tags || got[0].Raw != tt.key {
				t.Errorf("got %+v, want %s = %v %+v", got, tt.name, tt.want, tt.tags)
			}
		})
	}
}

// Two keys of one meaning: the surer stands, the other stays raw, in whichever order they come.
func TestOneMeaningOneValue(t *testing.T) {
	table, _ := metric.Engine("verl")
	a, b := metric.Raw{Key: "actor/kl_loss", X: .2}, metric.Raw{Key: "actor/reward_kl_penalty", X: .9}
	for _, in := range [][]metric.Raw{{a, b}, {b, a}} {
		got := metric.NewMapper(table).Row(in)
		if len(got) != 2 || got[0].Name != metric.KLRef || got[0].X != .2 || got[1].Name != "raw.actor/reward_kl_penalty" {
			t.Errorf("of %v: %+v", in, got)
		}
	}
}

func TestAmbiguousZeroIsAbsent(t *testing.T) {
	table, _ := metric.Engine("trl")
	m := metric.NewMapper(table)
	if got := m.Row([]metric.Raw{{Key: "completions/mean_terminated_length", X: 0}}); len(got) != 0 || m.Ambiguous != 1 {
		t.Errorf("got %+v, %d ambiguous", got, m.Ambiguous)
	}
}

func TestSums(t *testing.T) {
	tests := []struct {
		engine string
		in     []metric.Raw
		want   float64
		ok     bool
	}{
		{"prime", []metric.Raw{{Key: "solved_none", X: .25}, {Key: "solved_all", X: .5}}, .75, true},
		{"prime", []metric.Raw{{Key: "solved_none", X: .25}}, 0, false}, // half of it says nothing
		{"nemo", []metric.Raw{{Key: "train/baseline_reward/pct_0", X: 25}, {Key: "train/baseline_reward/pct_1", X: 50}}, .75, true},
		{"tinker", []metric.Raw{{Key: "env/all/by_group/frac_all_good", X: .25}, {Key: "env/all/by_group/frac_all_bad", X: .25}}, .5, true},
	}
	for _, tt := range tests {
		table, _ := metric.Engine(tt.engine)
		i := slices.IndexFunc(metric.NewMapper(table).Row(tt.in), func(v metric.Value) bool { return v.Name == metric.FracZeroStd })
		if (i >= 0) != tt.ok {
			t.Errorf("%s %v: there %v", tt.engine, tt.in, i >= 0)
			continue
		}
		if i >= 0 {
			if v := metric.NewMapper(table).Row(tt.in)[i]; math.Abs(v.X-tt.want) > 1e-12 {
				t.Errorf("%s: %v, want %v", tt.engine, v.X, tt.want)
			}
		}
	}
}

func TestGuess(t *testing.T) {
	tests := []struct {
		name string
		keys []string
		want string
		ok   bool
	}{
		{"trl grpo", []string{"loss", "grad_norm", "reward", "reward_std", "completions/mean_length", "entropy"}, "trl", true},
		{"trl sft", []string{"loss", "grad_norm", "learning_rate", "num_tokens"}, "trl", true},
		{"verl", []string{"critic/score/mean", "actor/entropy", "response_length/mean"}, "verl", true},
		{"tinker", []string{"reward/mean", "optim/lr", "time/total", "policy/entropy"}, "tinker", true},
		{"skyrl", []string{"reward/avg_raw_reward", "policy/policy_loss", "generate/avg_num_tokens"}, "skyrl", true},
		{"openrlhf", []string{"policy_loss", "kl", "response_length", "actor_lr", "vllm_kl"}, "openrlhf", true},
		{"nemo", []string{"reward", "loss", "token_mult_prob_error", "mean_gen_tokens_per_sample"}, "nemo", true},
		{"prime", []string{"reward/all/mean", "entropy/all/mean", "optim/grad_norm"}, "prime", true},
		{"canonical", []string{"reward.mean", "kl.ref"}, "provenir", true},
		{"read alike by several", []string{"kl", "entropy"}, "provenir", true},
		{"nothing known", []string{"foo", "bar"}, "", true},
		{"read differently by two", []string{"response_length/clip_ratio"}, "verl", false},
		{"two engines", []string{"critic/score/mean", "reward/avg_raw_reward"}, "verl", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, all, ok := metric.Guess(tt.keys); got != tt.want || ok != tt.ok {
				t.Errorf("Guess = %q, %v, %v; want %q, %v", got, all, ok, tt.want, tt.ok)
			}
		})
	}
}

// Every target of a table is a name that the vocabulary knows: else no detector would ever read it.
func TestTargetsAreKnown(t *testing.T) {
	for _, table := range metric.Tables() {
		for _, to := range table.Targets() {
			if _, ok := metric.Lookup(to); !ok {
				t.Errorf("%s maps to %s, which the vocabulary does not know", table.Engine, to)
			}
		}
	}
}
