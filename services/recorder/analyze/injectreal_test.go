package analyze_test

import (
	"path/filepath"
	"testing"

	"github.com/provenir/provenir/services/recorder/detect"
)

// realAt is late enough for a metric to count as one that the run has (20 reports), and early enough to see what follows.
const realAt = 24

func realInjections() []injection {
	nan := bare("NaN")
	return []injection{
		{name: "reward NaN", change: set("reward/mean", nan), kind: "non_finite", level: detect.Critical},
		{name: "entropy infinite for 3 steps", change: func(row cells, since int) {
			if since < 3 {
				row["policy/entropy"] = bare("Infinity")
			}
		}, kind: "non_finite", level: detect.Warn},
		{name: "entropy no longer logged", change: func(row cells, _ int) { delete(row, "policy/entropy") }, kind: "metric_vanished", level: detect.Warn},
		{name: "reward no longer logged", change: func(row cells, _ int) { delete(row, "reward/mean") }, kind: "metric_vanished", level: detect.Critical},
		{name: "a step repeated with other content", rows: repeated, kind: "step_repeat", level: detect.Critical},
		{name: "4 steps missing", rows: skipped, kind: "step_gap", level: detect.Warn},
		{name: "reward as a percentage", change: scale("reward/mean", constantly(100)), kind: "reward_spike", level: detect.Warn, also: []string{"reward_decline"}},
		{name: "verifier out, rewards 0, steps 5 × as fast", change: func(row cells, since int) {
			row["reward/mean"], row["reward/g"], row["reward/f"], row["reward/g_minus_f"] = 0.0, 0.0, 0.0, 0.0
			scale("time/total", constantly(0.2))(row, since)
		}, kind: "reward_outage", level: detect.Critical, also: []string{"reward_spike", "reward_decline"}},
		{name: "verifier out, rewards null", change: all(set("reward/mean", nil), set("reward/g", nil), set("reward/f", nil)),
			kind: "reward_outage", level: detect.Critical, also: []string{"metric_vanished"}},
		{name: "entropy falls to 0.4 of itself", change: scale("policy/entropy", constantly(0.4)), kind: "entropy_collapse", level: detect.Critical, also: []string{"entropy_drift"}},
		{name: "steps 20 × as slow", change: scale("time/total", constantly(20)), kind: "throughput_stall", level: detect.Warn},
	}
}

// The same faults in rows of real runs: all that have one attempt and are long enough. The document has the slowest.
func TestInjectionReal(t *testing.T) {
	var table []string
	for _, in := range realInjections() {
		worst := hit{onset: -1}
		for _, file := range []string{"__llama-3.2-3b__Easy-g-llmjudge-long", "__llama-3.2-3b__Hard-g-llmjudge-long", llama + "100f_g__Hard", llama + "100f_g__Medium",
			llama + "f_g__Easy", llama + "f_g__Hard", llama + "f_g__Medium", llama + "g__Easy", llama + "g__Medium"} {
			h := play(t, file, func() []cells { return parsed(t, filepath.Join("grpo-runs", "rl-leetcode"+file+".jsonl")) }, realAt, in)
			worst.onset, worst.opened = max(worst.onset, h.onset), max(worst.opened, h.opened)
		}
		table = append(table, in.line(worst))
	}
	documented(t, table)
}
