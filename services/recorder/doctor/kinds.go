package doctor

import (
	"maps"
	"slices"
	"strings"
)

// Categories in the order that breaks a tie.
const (
	Eval      = "eval"
	Reward    = "reward"
	Algorithm = "algorithm"
	Engine    = "engine"
	Data      = "data"
	None      = "none"
)

var categories = []string{Eval, Reward, Algorithm, Engine, Data, None}

// Kinds of evidence that are no incidents.
const (
	kindContamination = "contamination"
	kindDisagreement  = "heldout_disagrees"
	kindHackRate      = "hack_rate"
	kindNonFinite     = "reward_non_finite"
	kindPlateau       = "reward_plateau"
	kindDecline       = "reward_decline"
	kindSlices        = "failing_slices"
	kindStale         = "stale_data"
	kindRising        = "reward_rising"
	kindCeiling       = "reward_ceiling"
)

// family is a group of kinds that say the same; they share a weight, because a fault raises several of them at once.
type family struct{ name, category string }

var families = map[string]family{
	kindContamination: {"contamination", Eval}, kindDisagreement: {"disagreement", Eval},
	"proxy_divergence": {"divergence", Reward}, kindHackRate: {"hacking", Reward}, "degenerate_share": {"hacking", Reward},
	"template_reuse": {"hacking", Reward}, "length_reward_corr": {"hacking", Reward},
	"reward_outage": {"outage", Reward}, kindNonFinite: {"outage", Reward},
	"entropy_collapse": {"entropy", Algorithm}, "entropy_drift": {"entropy", Algorithm}, "entropy_explosion": {"entropy", Algorithm},
	"kl_blowup": {"kl", Algorithm}, "kl_creep": {"kl", Algorithm}, "kl_collapse": {"kl", Algorithm},
	"grad_explosion": {"grad", Algorithm}, "grad_high": {"grad", Algorithm}, "grad_vanished": {"grad", Algorithm}, "non_finite": {"grad", Algorithm},
	"advantage_collapse": {"signal", Algorithm}, "reward_std_collapse": {"signal", Algorithm}, "zero_signal": {"signal", Algorithm},
	"length_explosion": {"length", Algorithm}, "length_collapse": {"length", Algorithm}, "length_creep": {"length", Algorithm}, "truncation": {"length", Algorithm},
	"clip_high": {"clip", Algorithm}, "mismatch": {"mismatch", Algorithm},
	"throughput_stall": {"stall", Engine}, "staleness": {"staleness", Engine}, "ratio_insane": {"ratio", Engine}, "config_mismatch": {"config", Engine},
	"metric_vanished": {"log", Engine}, "metric_invalid": {"log", Engine},
	"step_gap": {"steps", Engine}, "step_repeat": {"steps", Engine}, "step_regress": {"steps", Engine}, "step_frozen": {"steps", Engine},
	"ledger": {"storage", Engine}, "divergent_replay": {"storage", Engine}, "disk_low": {"storage", Engine},
	kindPlateau: {"trend", Data}, kindDecline: {"trend", Data}, kindSlices: {"slices", Data}, kindStale: {"age", Data},
	kindRising: {"rising", None}, kindCeiling: {"ceiling", None},
}

// noted are kinds that go with many faults and with none: they are listed and weigh nothing.
var noted = []string{"reward_spike"}

func familyOf(kind string) (family, bool) {
	if strings.HasPrefix(kind, "mismatch_") {
		kind = "mismatch"
	}
	f, ok := families[kind]
	return f, ok
}

// Known says whether a kind of anomaly means anything to the doctor.
func Known(kind string) bool {
	_, ok := familyOf(kind)
	return ok || slices.Contains(noted, kind)
}

// Kinds lists those that a caller may name.
func Kinds() []string {
	return slices.Sorted(slices.Values(append(slices.Collect(maps.Keys(families)), noted...)))
}

// edges are known ways from a fault to what follows from it: family by family, or a kind.
var edges = map[string][]string{
	"mismatch":      {"grad", "kl", "entropy"},
	"grad":          {"kl", "entropy"},
	"kl":            {"entropy"},
	"outage":        {kindDecline, kindPlateau, "signal"},
	"signal":        {kindPlateau},
	"truncation":    {"length", "signal"},
	"divergence":    {kindDisagreement},
	"contamination": {kindDisagreement},
	"ratio":         {"grad", "kl"},
	"config":        {"grad", "kl", "length"},
	"staleness":     {"mismatch"},
}

// leads says whether a cause is known to bring about another.
func leads(from, to *Cause) bool {
	for _, name := range []string{from.family, from.Kind} {
		for _, next := range edges[name] {
			if (next == to.family || next == to.Kind) && from.Kind != to.Kind {
				return true
			}
		}
	}
	return false
}

// CategoryOf gives the category of a family, or nothing.
func CategoryOf(name string) string {
	for _, f := range families {
		if f.name == name {
			return f.category
		}
	}
	return ""
}

// Families lists the groups of kinds that have a weight each.
func Families() []string {
	var out []string
	for _, f := range families {
		out = append(out, f.name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Categories lists them in the order that breaks a tie.
func Categories() []string { return slices.Clone(categories) }
