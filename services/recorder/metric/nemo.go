package metric

// nemo is NeMo-RL's names. Its percentages go from 0 to 100.
func nemo() *Table {
	return &Table{Engine: "nemo", prefixes: []string{"train/", "performance/", "timing/train/"}, rules: []rule{
		{key: "reward", to: RewardMean, common: true},
		{key: "baseline_reward/pct_1", to: "group.frac_all_right", scale: .01},
		{key: "baseline_reward/pct_0", to: "group.frac_all_wrong", scale: .01},
		{key: "advantages/mean", to: "advantage.mean"},
		{key: "advantages/max", to: "advantage.max"},
		{key: "advantages/min", to: "advantage.min"},
		{key: "advantages/std", to: AdvantageStd},
		{key: "approx_entropy", to: "policy.entropy_sampled", tags: Tags{Unit: "nats"}},
		{key: "kl_penalty", to: KLRef, tags: Tags{Estimator: "k3", Reduction: "token_mean", Unit: "nats"}},
		{key: "gen_kl_error", to: MismatchK3, tags: Tags{Estimator: "k3", Unit: "nats"}},
		{key: "policy_kl_error", to: MismatchK3, tags: Tags{Estimator: "k3", Unit: "nats"}},
		{key: "token_mult_prob_error", to: MismatchMult},
		{key: "sampling_importance_ratio", to: MismatchISMean},
		{key: "probs_ratio_clamped", to: "ratio.clamped"}, // a value of the ratio, no share of clipped tokens
		{key: "probs_ratio_min", to: RatioMin},
		{key: "probs_ratio_max", to: RatioMax},
		{key: "probs_ratio", to: "ratio.mean"},
		{key: "mean_gen_tokens_per_sample", to: LengthMean},
		{key: "truncation_rate", to: TruncatedFrac},
		{key: "grad_norm", to: GradNorm, common: true},
		{key: "lr", to: LearningRate, common: true},
		{key: "loss", to: LossPolicy, common: true},
		{key: "avg_trajectory_age", to: StalenessMean},
		{key: "total_step_time", to: StepSeconds},
		{key: "total_num_tokens", to: "tokens.total"},
	}, sums: []sum{{to: FracZeroStd, keys: []string{"baseline_reward/pct_0", "baseline_reward/pct_1"}, scale: .01}}}
}
