package detect

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// setting is a limit that a run may set. No value means that there is no limit unless one is set.
type setting struct {
	value float64
	unset bool // without a default
	share bool // at most 1
	whole bool // a number of things
	least float64
}

// settings are all limits by the names that configurations have used from the start. Those of the last block are read by
// other judges of the run (trajectories, diagnosis, slices); they are checked here and kept, so that one configuration
// serves all of them.
var settings = map[string]setting{
	"kl_max": {value: 0.5}, "kl_min": {value: 1e-6}, "entropy_min": {value: 0.01}, "entropy_drop_frac": {value: 0.5, share: true},
	"length_explosion_ratio": {value: 3}, "advantage_std_min": {value: 1e-4}, "reward_std_min": {value: 1e-4},
	"grad_norm_max": {value: 100}, "reward_spike_z": {value: 4}, "truncated_max": {value: 0.3, share: true},
	"zero_signal_max": {value: 0.8, share: true}, "unscored_max": {value: 0.2, share: true}, "reward_range": {value: 1},
	"clip_max": {value: 0.3, share: true}, "mismatch_kl_max": {value: 0.1}, "staleness_max": {unset: true},

	"window": {value: 20, whole: true, least: 2}, "repetition_ngram": {value: 4, whole: true, least: 1},
	"repetition_ratio_max": {value: 0.5, share: true}, "proxy_true_gap": {value: 0.3}, "plateau_window": {value: 5, whole: true, least: 2},
	"hacking_rate_max": {value: 0.1, share: true}, "stale_data_days": {value: 180}, "slice_failure_max": {value: 0.5, share: true},
	"min_examples_per_slice": {value: 50, whole: true, least: 1},
}

// limitsOf checks what was set, over the defaults.
func limitsOf(given map[string]float64) (map[string]float64, error) {
	limits := map[string]float64{}
	for name, s := range settings {
		if !s.unset {
			limits[name] = s.value
		}
	}
	for _, name := range slices.Sorted(maps.Keys(given)) { // the same fault is named whatever the order of a map
		if err := checkLimit(name, given[name]); err != nil {
			return nil, err
		}
		limits[name] = given[name]
	}
	return limits, nil
}

func checkLimit(name string, v float64) error {
	s, known := settings[name]
	switch field := "limits." + name; {
	case !known:
		return &ConfigError{field, "unknown; one of " + strings.Join(slices.Sorted(maps.Keys(settings)), ", ")}
	case math.IsNaN(v) || math.IsInf(v, 0) || v <= 0:
		return &ConfigError{field, fmt.Sprintf("%g; a limit is finite and above 0", v)}
	case s.share && v > 1:
		return &ConfigError{field, fmt.Sprintf("%g; it is a share, at most 1", v)}
	case s.whole && v != math.Trunc(v):
		return &ConfigError{field, fmt.Sprintf("%g; it is a whole number", v)}
	case v < s.least:
		return &ConfigError{field, fmt.Sprintf("%g; it is at least %g", v, s.least)}
	}
	return nil
}
