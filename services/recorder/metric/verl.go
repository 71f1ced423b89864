package metric

// verl is verl's metric names, those of its rollout correction included.
func verl() *Table {
	return &Table{Engine: "verl", rules: []rule{
		{key: "critic/score/mean", to: RewardMean},
		{key: "critic/rewards/mean", to: "reward.shaped"}, // after the KL penalty
		{key: "critic/advantages/mean", to: "advantage.mean"},
		{key: "critic/advantages/max", to: "advantage.max"},
		{key: "critic/advantages/min", to: "advantage.min"},
		{key: "critic/advantages/std", to: AdvantageStd},
		{key: "critic/vf_loss", to: "value.loss"},
		{key: "critic/vf_clipfrac", to: "value.clip"},
		{key: "critic/vf_explained_var", to: "value.explained_variance"},
		{key: "actor/entropy", to: Entropy, tags: Tags{Unit: "nats"}},
		{key: "actor/entropy_loss", to: Entropy, tags: Tags{Unit: "nats"}}, // the old name; it is the entropy, no loss
		{key: "actor/kl_loss", to: KLRef, tags: Tags{Estimator: "k3", Reduction: "token_mean", Unit: "nats"}},
		{key: "actor/reward_kl_penalty", to: KLRef, tags: Tags{Estimator: "k1", Unit: "nats"}},
		{key: "actor/ppo_kl", to: KLUpdate, tags: Tags{Estimator: "k1", Unit: "nats"}},
		{key: "rollout_corr/kl", to: MismatchK1, tags: Tags{Estimator: "k1", Unit: "nats"}},
		{key: "rollout_corr/k3_kl", to: MismatchK3, tags: Tags{Estimator: "k3", Unit: "nats"}},
		{key: "rollout_corr/rollout_is_min", to: "mismatch.is_ratio.min"},
		{key: "rollout_corr/rollout_is_mean", to: MismatchISMean},
		{key: "rollout_corr/rollout_is_max", to: "mismatch.is_ratio.max"},
		{key: "rollout_corr/rollout_is_std", to: MismatchISStd},
		{key: "rollout_corr/rollout_is_eff_sample_size", to: MismatchESS},
		{key: "rollout_corr/chi2_token", to: MismatchChi2},
		{key: "rollout_corr/chi2_seq", to: "mismatch.chi2_seq"},
		{key: "training/rollout_probs_diff_mean", to: "mismatch.prob_absdiff.mean"}, // of probabilities, not of their logarithms
		{key: "training/rollout_probs_diff_max", to: "mismatch.prob_absdiff.max"},
		{key: "training/rollout_actor_probs_pearson_corr", to: MismatchPearson},
		{key: "actor/pg_clipfrac", to: ClipRegion},
		{key: "actor/pg_clipfrac_lower", to: "clip.dual"},
		{key: "response_length/mean", to: LengthMean},
		{key: "response_length/max", to: "length.max"},
		{key: "response_length/min", to: "length.min"},
		{key: "response_length/clip_ratio", to: TruncatedFrac},
		{key: "actor/grad_norm", to: GradNorm},
		{key: "actor/lr", to: LearningRate},
		{key: "actor/pg_loss", to: LossPolicy},
		{key: "training/off_policy/trajectory_staleness/mean", to: StalenessMean},
		{key: "training/off_policy/trajectory_staleness/max", to: StalenessMax},
		{key: "tool_call_counts/mean", to: "tools.calls"},
		{key: "num_turns/mean", to: "length.turns"},
		{key: "perf/time_per_step", to: StepSeconds},
		{key: "perf/total_num_tokens", to: "tokens.total"},
		{key: "val-core/*", to: componentPrefix + "*", tags: Tags{Scope: "eval"}},
		{key: "val-aux/*", to: componentPrefix + "*", tags: Tags{Scope: "eval"}},
		{key: "core/*", to: componentPrefix + "*", tags: Tags{Scope: "eval"}}, // what is left of val-core and val-aux
		{key: "aux/*", to: componentPrefix + "*", tags: Tags{Scope: "eval"}},
	}}
}
