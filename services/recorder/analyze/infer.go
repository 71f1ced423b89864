package analyze

import (
	"math"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/recorder/metric"
)

// dpoStart is the loss of a policy that still is its reference: ln 2, for every pair.
const dpoNear = 1e-3

// inferMethod tells what kind of training wrote the rows: pairs, rewards, or neither.
func inferMethod(m *metric.Mapper, rows []*record) string {
	rewarded, paired, first, seen := false, false, 0.0, false
	for _, r := range rows {
		for _, k := range slices.Concat(keysOf(r), r.nulls) {
			name, _ := m.Name(k)
			switch {
			case strings.HasPrefix(name, "dpo."):
				paired = true
			case metric.Rewarding(name), name == metric.KLRef, strings.HasPrefix(name, "advantage."), strings.HasPrefix(name, "clip."), strings.HasPrefix(name, "group."):
				rewarded = true
			}
		}
		for _, v := range r.values {
			if name, _ := m.Name(v.Key); name == metric.LossPolicy && !seen {
				first, seen = v.X, true
			}
		}
	}
	switch {
	case paired, seen && !rewarded && math.Abs(first-math.Ln2) < dpoNear:
		return "dpo"
	case rewarded:
		return "grpo"
	}
	return "sft"
}

// proxyKeys and heldoutKeys are names under which logs keep a paid and a true reward, the surest first.
var (
	proxyKeys   = []string{"proxy_reward", "reward/g", "reward/compilable_g", metric.ProxyMean}
	heldoutKeys = []string{"heldout_reward", "true_reward", "held_out", "reward/f", "reward/correctness_f", metric.HeldoutMean}
)

// Roles are the keys of the two channels of a log; empty where it has none.
type Roles struct{ Proxy, Heldout string }

// inferRoles takes what the header says, else what the keys suggest. Without a proxy of its own the mean reward is what
// was paid.
func inferRoles(given Roles, m *metric.Mapper, keys []string) Roles {
	has := func(k string) bool { return slices.Contains(keys, k) }
	roles := given
	if i := slices.IndexFunc(heldoutKeys, has); roles.Heldout == "" && i >= 0 {
		roles.Heldout = heldoutKeys[i]
	}
	if i := slices.IndexFunc(proxyKeys, has); roles.Proxy == "" && i >= 0 {
		roles.Proxy = proxyKeys[i]
	}
	if roles.Proxy == "" {
		for _, k := range keys {
			if name, _ := m.Name(k); name == metric.RewardMean {
				roles.Proxy = k
				break
			}
		}
	}
	return roles
}
