package detect

// OfRollouts lists the kinds that only a look at the rollouts themselves could find. Detectors of metrics do not make it,
// and a run is never called clean of what nobody looked for.
func OfRollouts() []string {
	return []string{"degenerate_share", "hack_rate", "length_reward_corr", "template_reuse"}
}
