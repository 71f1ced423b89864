package detect

import "github.com/provenir/provenir/services/recorder/metric"

// collapsedStd watches reported spreads that have gone: of rewards over the batch, and of advantages.
type collapsedStd struct{}

func (*collapsedStd) name() string    { return "collapsed_std" }
func (*collapsedStd) kinds() []string { return []string{"reward_std_collapse", "advantage_collapse"} }
func (*collapsedStd) reads() []string { return []string{metric.RewardStd, metric.AdvantageStd} }
func (*collapsedStd) state() any      { return &struct{}{} }
func (*collapsedStd) reset()          {}

func (*collapsedStd) step(f *frame) {
	level := Warn
	if f.isOpen("zero_signal") {
		level = Critical
	}
	below(f, "reward_std_collapse", metric.RewardStd, f.profile.limits["reward_std_min"], level)
	below(f, "advantage_collapse", metric.AdvantageStd, f.profile.limits["advantage_std_min"], Critical)
}

func below(f *frame, kind, name string, limit float64, level Severity) {
	x, ok := f.get(name)
	if !ok {
		return
	}
	s := Signal{Kind: kind, Metric: name, Clear: x >= limit/clearShare,
		Evidence: Evidence{Value: x, HasValue: true, Limit: limit, HasLimit: true, Note: "the spread is gone"}}
	if x < limit {
		s.Level = level
	}
	f.signal(s)
}
