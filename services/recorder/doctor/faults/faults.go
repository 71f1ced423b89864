// Package faults simulates runs with one known fault each, and fits the doctor's weights to them.
//
// A fault is a cause with the incidents that it brings about, each with a chance, after a delay. Runs also miss incidents,
// raise ones that mean nothing, and have noisy rewards of many lengths. The chances are set by hand after the design's table
// of detectors; they are no measurement of the world, and so neither is the confidence that comes of them.
package faults

import "github.com/provenir/provenir/services/recorder/doctor"

// symptom is an incident that a fault may raise.
type symptom struct {
	kind   string
	chance float64
	late   int // steps behind the fault, at most
}

// shape is what the reward does from the fault on.
type shape uint8

const (
	rises shape = iota
	stays
	falls
	drops // to nothing, at once
	solved
)

type fault struct {
	name, category string
	shapes         []shape
	symptoms       []symptom

	contaminated, opposed bool    // evaluation
	hacked                float64 // chance that the rate of hacked rollouts is known, and high
	stale, slices         float64 // chances
}

var catalogue = []fault{
	{name: "contaminated", category: doctor.Eval, shapes: []shape{rises, stays, falls}, contaminated: true},
	{name: "channels disagree", category: doctor.Eval, shapes: []shape{rises, falls}, opposed: true},
	{name: "hacked", category: doctor.Reward, shapes: []shape{rises, solved}, hacked: 0.7, symptoms: []symptom{{"proxy_divergence", 0.9, 0}, {"entropy_drift", 0.3, 15}, {"template_reuse", 0.3, 15}}},
	{name: "outage", category: doctor.Reward, shapes: []shape{drops}, symptoms: []symptom{{"reward_outage", 0.95, 0}, {"zero_signal", 0.5, 3}, {"reward_std_collapse", 0.4, 3}}},
	{name: "entropy collapse", category: doctor.Algorithm, shapes: []shape{stays, rises, falls}, symptoms: []symptom{{"entropy_collapse", 0.95, 0}, {"zero_signal", 0.4, 15}, {"kl_creep", 0.3, 10}}},
	{name: "too fast", category: doctor.Algorithm, shapes: []shape{falls, stays, drops}, symptoms: []symptom{{"kl_blowup", 0.9, 3}, {"grad_explosion", 0.6, 0}, {"entropy_explosion", 0.3, 10}, {"non_finite", 0.2, 10}}},
	{name: "no signal", category: doctor.Algorithm, shapes: []shape{stays}, symptoms: []symptom{{"zero_signal", 0.95, 0}, {"advantage_collapse", 0.5, 3}, {"reward_std_collapse", 0.5, 3}}},
	{name: "mismatch", category: doctor.Algorithm, shapes: []shape{falls, stays, rises}, symptoms: []symptom{{"mismatch_kl", 0.95, 0}, {"grad_high", 0.4, 10}, {"kl_blowup", 0.3, 15}}},
	{name: "length", category: doctor.Algorithm, shapes: []shape{stays, falls}, symptoms: []symptom{{"truncation", 0.95, 0}, {"length_explosion", 0.5, 5}, {"zero_signal", 0.2, 10}}},
	{name: "clip", category: doctor.Algorithm, shapes: []shape{stays, falls}, symptoms: []symptom{{"clip_high", 0.95, 0}, {"kl_creep", 0.4, 10}}},
	{name: "stall", category: doctor.Engine, shapes: []shape{rises, stays}, symptoms: []symptom{{"throughput_stall", 0.95, 0}, {"step_frozen", 0.2, 2}}},
	{name: "stale rollouts", category: doctor.Engine, shapes: []shape{rises, stays, falls}, symptoms: []symptom{{"staleness", 0.95, 0}, {"mismatch_ess", 0.4, 10}}},
	{name: "other settings", category: doctor.Engine, shapes: []shape{stays, falls}, symptoms: []symptom{{"config_mismatch", 0.95, 0}, {"kl_blowup", 0.3, 20}, {"truncation", 0.2, 10}}},
	{name: "log-prob bug", category: doctor.Engine, shapes: []shape{stays, falls}, symptoms: []symptom{{"ratio_insane", 0.95, 0}, {"grad_explosion", 0.4, 10}, {"kl_blowup", 0.3, 15}}},
	{name: "logging", category: doctor.Engine, shapes: []shape{rises, stays}, symptoms: []symptom{{"metric_vanished", 0.9, 0}, {"metric_invalid", 0.5, 5}}},
	{name: "steps", category: doctor.Engine, shapes: []shape{rises, stays}, symptoms: []symptom{{"step_repeat", 0.8, 0}, {"step_gap", 0.5, 5}, {"divergent_replay", 0.3, 5}}},
	{name: "data ran dry", category: doctor.Data, shapes: []shape{stays, falls}, stale: 0.4, slices: 0.5},
	{name: "healthy", category: doctor.None, shapes: []shape{rises}, stale: 0.1},
	{name: "solved", category: doctor.None, shapes: []shape{solved}, stale: 0.1},
}

// alarms are raised now and then in runs where nothing is behind them.
var alarms = []string{"entropy_drift", "kl_creep", "grad_high", "length_creep", "truncation", "metric_vanished", "throughput_stall", "step_gap", "reward_spike", "clip_high"}
