package metric

// skyRL is SkyRL's names.
func skyRL() *Table {
	return &Table{Engine: "skyrl", prefixes: []string{"train/"}, rules: []rule{
		{key: "reward/avg_raw_reward", to: RewardMean},
		{key: "policy/policy_entropy", to: Entropy, tags: Tags{Unit: "nats"}},
		{key: "loss/avg_kl", to: KLRef, tags: Tags{Unit: "nats"}},
		{key: "policy/policy_kl", to: KLRef, tags: Tags{Unit: "nats"}},
		{key: "policy/rollout_train_logprobs_abs_diff_mean", to: MismatchAbsMean, tags: Tags{Unit: "nats"}},
		{key: "policy/rollout_train_logprobs_abs_diff_max", to: "mismatch.logp_absdiff.max", tags: Tags{Unit: "nats"}},
		{key: "is_ratio_min", to: "mismatch.is_ratio.min"},
		{key: "is_ratio_mean", to: MismatchISMean},
		{key: "is_ratio_max", to: "mismatch.is_ratio.max"},
		{key: "policy/is_ratio_min", to: "mismatch.is_ratio.min"},
		{key: "policy/is_ratio_mean", to: MismatchISMean},
		{key: "policy/is_ratio_max", to: "mismatch.is_ratio.max"},
		{key: "policy/ppo_clip_ratio", to: ClipRegion},
		{key: "loss_metrics/clip_ratio", to: ClipRegion},
		{key: "*/clip_ratio", to: ClipRegion},
		{key: "generate/avg_num_tokens", to: LengthMean},
		{key: "policy/grad_norm", to: GradNorm},
		{key: "policy/raw_grad_norm", to: GradNorm},
		{key: "policy/policy_lr", to: LearningRate},
		{key: "policy/policy_loss", to: LossPolicy},
		{key: "timing/step", to: StepSeconds, common: true},
	}}
}
