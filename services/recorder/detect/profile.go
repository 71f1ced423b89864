package detect

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Config are a run's settings for its detectors.
type Config struct {
	Method   string             // sft, dpo, grpo, …; empty is unknown and treated as RL
	Beta     *float64           // coefficient of the KL term; nil is unknown
	Limits   map[string]float64 // by name, over the defaults
	Disabled []string           // kinds
	// RewardRange is the width of the range of rewards; nil is undeclared, and then rewards outside of 0 to 1 cannot be
	// compared with a held-out score.
	RewardRange *float64
}

// defaults are the limits that a run may set, by the names that configurations have used from the start.
var defaults = map[string]float64{
	"kl_max": 0.5, "kl_min": 1e-6, "entropy_min": 0.01, "entropy_drop_frac": 0.5, "length_explosion_ratio": 3,
	"advantage_std_min": 1e-4, "reward_std_min": 1e-4, "grad_norm_max": 100, "reward_spike_z": 4, "truncated_max": 0.3,
	"zero_signal_max": 0.8, "unscored_max": 0.2, "reward_range": 1,
}

// fractions may not pass 1.
var fractions = []string{"entropy_drop_frac", "truncated_max", "zero_signal_max", "unscored_max"}

// Profile is a checked configuration.
type Profile struct {
	method   string
	beta     float64
	betaSet  bool
	limits   map[string]float64
	disabled map[string]bool
	rangeSet bool
}

// ConfigError names the setting that is wrong.
type ConfigError struct {
	Field  string
	Reason string
}

func (e *ConfigError) Error() string { return "detectors: " + e.Field + ": " + e.Reason }

// NewProfile checks a configuration.
func NewProfile(c Config) (*Profile, error) {
	p := &Profile{method: strings.ToLower(c.Method), limits: maps.Clone(defaults), disabled: map[string]bool{}}
	if c.Beta != nil {
		if math.IsNaN(*c.Beta) || *c.Beta < 0 || math.IsInf(*c.Beta, 0) {
			return nil, &ConfigError{"kl_coefficient", fmt.Sprintf("%g; it is a finite number, at least 0", *c.Beta)}
		}
		p.beta, p.betaSet = *c.Beta, true
	}
	for name, v := range c.Limits {
		if _, ok := defaults[name]; !ok {
			return nil, &ConfigError{"limits." + name, "unknown; one of " + strings.Join(slices.Sorted(maps.Keys(defaults)), ", ")}
		}
		if math.IsNaN(v) || math.IsInf(v, 0) || v <= 0 {
			return nil, &ConfigError{"limits." + name, fmt.Sprintf("%g; a limit is finite and above 0", v)}
		}
		if slices.Contains(fractions, name) && v > 1 {
			return nil, &ConfigError{"limits." + name, fmt.Sprintf("%g; it is a share, at most 1", v)}
		}
		p.limits[name] = v
	}
	if c.RewardRange != nil {
		if x := *c.RewardRange; math.IsNaN(x) || math.IsInf(x, 0) || x <= 0 {
			return nil, &ConfigError{"reward_range", fmt.Sprintf("%g; a range is finite and above 0", x)}
		}
		p.limits["reward_range"] = *c.RewardRange
	}
	_, set := c.Limits["reward_range"]
	p.rangeSet = set || c.RewardRange != nil
	known := Kinds()
	for _, k := range c.Disabled {
		if !slices.Contains(known, k) {
			return nil, &ConfigError{"disabled", fmt.Sprintf("no detector finds %q; one of %s", k, strings.Join(known, ", "))}
		}
		p.disabled[k] = true
	}
	return p, nil
}

// of is the method that a step followed: its stage's own, else the run's.
func (p *Profile) of(s *Sample) string {
	if s.Objective != "" {
		return strings.ToLower(s.Objective)
	}
	return p.method
}

// relativeGradients tells that absolute gradient limits do not apply: healthy DPO runs have norms in the hundreds.
func relativeGradients(method string) bool { return method == "dpo" }

// imitates tells that the policy learns demonstrations by heart: its entropy falls and its distance from the reference
// grows because that is what is asked of it, and nothing is sampled that could be rewarded.
func imitates(method string) bool { return method == "sft" }

// rewards tells whether the method samples and scores.
func rewards(method string) bool {
	switch method {
	case "sft", "dpo", "reward_model", "rm":
		return false
	}
	return true
}
