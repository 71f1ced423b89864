package metric

// own is the names of our own tracker, which are those that callers have used from the start; canonical names are known
// whatever the engine.
func own() *Table {
	return &Table{Engine: "provenir", rules: []rule{
		{key: "reward_mean", to: RewardMean},
		{key: "reward_std", to: RewardStd, common: true},
		{key: "kl", to: KLRef, tags: Tags{Unit: "nats"}, common: true},
		{key: "entropy", to: Entropy, tags: Tags{Unit: "nats"}, common: true},
		{key: "response_length_mean", to: LengthMean},
		{key: "advantage_std", to: AdvantageStd},
		{key: "grad_norm", to: GradNorm, common: true},
		{key: "learning_rate", to: LearningRate, common: true},
		{key: "loss", to: LossPolicy, common: true},
	}}
}
