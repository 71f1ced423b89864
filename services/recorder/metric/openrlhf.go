package metric

// openRLHF is OpenRLHF's names.
func openRLHF() *Table {
	return &Table{Engine: "openrlhf", prefixes: []string{"train/"}, rules: []rule{
		{key: "rollout/reward_mean", to: RewardMean},
		{key: "reward", to: RewardMean, common: true},
		{key: "rollout/reward_std", to: RewardStd},
		{key: "dynamic_filtering_pass_rate", to: FracZeroStd, complement: true},
		{key: "rollout/dynamic_filtering_pass_rate", to: FracZeroStd, complement: true},
		{key: "entropy_loss", to: Entropy, tags: Tags{Unit: "nats"}},
		{key: "kl", to: KLRef, tags: Tags{Unit: "nats"}, common: true},
		{key: "ppo_kl", to: KLUpdate, tags: Tags{Unit: "nats"}},
		{key: "vllm_kl", to: MismatchK1, tags: Tags{Estimator: "k1", Unit: "nats"}},
		{key: "logprobs_diff", to: MismatchAbsMean, tags: Tags{Unit: "nats"}},
		{key: "ppo_clip_ratio", to: ClipRegion},
		{key: "response_length", to: LengthMean},
		{key: "rollout/truncated_rate", to: TruncatedFrac},
		{key: "actor_grad_norm", to: GradNorm},
		{key: "actor_lr", to: LearningRate},
		{key: "policy_loss", to: LossPolicy, common: true},
		{key: "timing/step_total", to: StepSeconds},
		{key: "timing/step", to: StepSeconds, common: true},
	}}
}
