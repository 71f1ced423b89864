package metric

// tinker is the Tinker cookbook's names, and those of recipes that log a paid and a true reward beside it.
func tinker() *Table {
	return &Table{Engine: "tinker", rules: []rule{
		{key: "env/all/reward/total", to: RewardMean},
		{key: "reward/mean", to: RewardMean},
		{key: "env/all/by_group/frac_all_good", to: "group.frac_all_right"},
		{key: "env/all/by_group/frac_all_bad", to: "group.frac_all_wrong"},
		{key: "by_group/frac_all_good", to: "group.frac_all_right"},
		{key: "by_group/frac_all_bad", to: "group.frac_all_wrong"},
		{key: "policy/entropy", to: Entropy, tags: Tags{Unit: "nats"}},
		{key: "optim/entropy", to: "policy.entropy_sampled", tags: Tags{Unit: "nats"}},
		{key: "kl_policy_base", to: KLRef, tags: Tags{Unit: "nats"}},
		{key: "optim/kl_policy_base", to: KLRef, tags: Tags{Unit: "nats"}},
		{key: "kl_pre_post_v1", to: KLUpdate, tags: Tags{Estimator: "k1", Unit: "nats"}},
		{key: "optim/kl_pre_post_v1", to: KLUpdate, tags: Tags{Estimator: "k1", Unit: "nats"}},
		{key: "optim/kl_sample_train_v1", to: MismatchK1, tags: Tags{Estimator: "k1", Unit: "nats"}},
		{key: "optim/kl_sample_train_v2", to: "mismatch.kl_k2", tags: Tags{Estimator: "k2", Unit: "nats"}},
		{key: "env/all/ac_tokens_per_turn", to: LengthMean},
		{key: "env/all/turns_per_episode", to: "length.turns"},
		{key: "turns_per_episode", to: "length.turns"},
		{key: "optim/lr", to: LearningRate, common: true},
		{key: "time/total", to: StepSeconds},
		{key: "env/*/reward/total", to: componentPrefix + "*"},
	}, sums: []sum{
		{to: FracZeroStd, keys: []string{"env/all/by_group/frac_all_good", "env/all/by_group/frac_all_bad"}},
		{to: FracZeroStd, keys: []string{"by_group/frac_all_good", "by_group/frac_all_bad"}},
	}}
}
