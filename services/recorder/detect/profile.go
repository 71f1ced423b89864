package detect

import (
	"fmt"
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
	// Model names the model; families whose healthy runs start at a low entropy are known.
	Model string
	// NumIterations is how often each batch of rollouts is used; nil is unknown. With 1 every probability ratio is 1.
	NumIterations *uint32
	// TruncatedSampling says that tokens were sampled with top-p or top-k: limits of mismatch double, and findings say so.
	TruncatedSampling bool
	// Declared and Effective are settings by field, as they were written down and as the engine says that it uses them.
	Declared, Effective map[string]string
}

// Profile is a checked configuration.
type Profile struct {
	method   string
	beta     float64
	betaSet  bool
	limits   map[string]float64
	disabled map[string]bool
	rangeSet bool

	lowEntropy bool   // healthy runs of the model's family start low
	iterations uint32 // 0 is unknown
	truncated  bool
	compared   bool // some setting was both declared and reported
	differ     []Difference
}

// ConfigError names the setting that is wrong.
type ConfigError struct {
	Field  string
	Reason string
}

func (e *ConfigError) Error() string { return "detectors: " + e.Field + ": " + e.Reason }

// NewProfile checks a configuration.
func NewProfile(c Config) (*Profile, error) {
	limits, err := limitsOf(c.Limits)
	if err != nil {
		return nil, err
	}
	p := &Profile{method: strings.ToLower(c.Method), limits: limits, disabled: map[string]bool{}, lowEntropy: startsLow(c.Model), truncated: c.TruncatedSampling}
	p.differ, p.compared = compareConfig(c.Declared, c.Effective)
	if c.NumIterations != nil {
		if *c.NumIterations == 0 {
			return nil, &ConfigError{"num_iterations", "0; each batch is used at least once"}
		}
		p.iterations = *c.NumIterations
	}
	if c.Beta != nil {
		if math.IsNaN(*c.Beta) || *c.Beta < 0 || math.IsInf(*c.Beta, 0) {
			return nil, &ConfigError{"kl_coefficient", fmt.Sprintf("%g; it is a finite number, at least 0", *c.Beta)}
		}
		p.beta, p.betaSet = *c.Beta, true
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

// Limit is a setting by its name, as it was set or by default; ok is false where there is none.
func (p *Profile) Limit(name string) (v float64, ok bool) {
	v, ok = p.limits[name]
	return v, ok
}

// lowFamilies are models whose healthy runs start below the entropy that is worth a word elsewhere: a run of
// Qwen3-4B-Instruct was seen to begin at 0.11 nats and to dip below 0.1.
var lowFamilies = []string{"qwen"}

func startsLow(model string) bool {
	model = strings.ToLower(model)
	return slices.ContainsFunc(lowFamilies, func(family string) bool { return strings.Contains(model, family) })
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
