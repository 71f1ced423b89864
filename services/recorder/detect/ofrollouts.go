package detect

// OfRollouts lists the kinds that only a look at the rollouts themselves can find: package inspect does, live. A log of
// metrics has none, and is never called clean of what nobody looked for.
func OfRollouts() []string {
	return []string{"degenerate_share", "hack_rate", "length_reward_corr", "template_reuse"}
}
