package metric

// trl is TRL's GRPO, SFT and DPO trainers. Sources: TRL 1.16's log rows as measured on a tiny model.
func trl() *Table {
	return &Table{Engine: "trl", rules: trlRules(Tags{Estimator: "k3", Reduction: "token_mean", Unit: "nats"})}
}

// unsloth patches TRL: the same names, but its KL is a mean over sequences of their means, and old versions write
// completion_length.
func unsloth() *Table {
	kl := Tags{Estimator: "k3", Reduction: "mean_of_sequence_means", Unit: "nats"}
	return &Table{Engine: "unsloth", rules: append([]rule{{key: "completion_length", to: LengthMean}}, trlRules(kl)...)}
}

func trlRules(kl Tags) []rule {
	return []rule{
		{key: "reward", to: RewardMean, common: true},
		{key: "reward_std", to: RewardStd, tags: Tags{Reduction: "batch"}}, // over the batch, not the mean of the groups
		{key: "rewards/chosen", to: "dpo.chosen"},
		{key: "rewards/rejected", to: "dpo.rejected"},
		{key: "rewards/margins", to: "dpo.margin"},
		{key: "rewards/accuracies", to: "dpo.accuracy"},
		{key: "rewards/*/mean", to: componentPrefix + "*"},
		// Groups with one scored row or none are not counted in it.
		{key: "frac_reward_zero_std", to: FracZeroStd},
		{key: "entropy", to: Entropy, tags: Tags{Reduction: "token_mean", Unit: "nats"}, common: true},
		{key: "kl", to: KLRef, tags: kl, common: true},
		{key: "sampling/sampling_logp_difference/mean", to: MismatchAbsMean},
		{key: "sampling/sampling_logp_difference/max", to: "mismatch.logp_absdiff.max"},
		// In the mode sequence_mask a 0 is a sequence that was dropped.
		{key: "sampling/importance_sampling_ratio/min", to: "mismatch.is_ratio.min", tags: Tags{Scope: "after_mask"}, ambiguous: true},
		{key: "sampling/importance_sampling_ratio/mean", to: MismatchISMean, tags: Tags{Scope: "after_mask"}},
		{key: "sampling/importance_sampling_ratio/max", to: "mismatch.is_ratio.max", tags: Tags{Scope: "after_mask"}},
		{key: "clip_ratio/low_mean", to: ClipLow},
		{key: "clip_ratio/high_mean", to: ClipHigh},
		{key: "clip_ratio/region_mean", to: ClipRegion},
		{key: "completions/mean_length", to: LengthMean},
		{key: "completions/min_length", to: "length.min"},
		{key: "completions/max_length", to: "length.max"},
		{key: "completions/clipped_ratio", to: TruncatedFrac},
		{key: "completions/mean_terminated_length", to: TerminatedMean, ambiguous: true}, // 0 where none ended by itself
		{key: "grad_norm", to: GradNorm, common: true},
		{key: "learning_rate", to: LearningRate, common: true},
		{key: "loss", to: LossPolicy, common: true},
		{key: "policy_loss", to: LossPolicy, common: true},
		{key: "tools/call_frequency", to: "tools.calls"},
		{key: "tools/failure_frequency", to: "tools.failures"},
		{key: "step_time", to: StepSeconds},
		{key: "num_tokens", to: "tokens.total"},
	}
}
