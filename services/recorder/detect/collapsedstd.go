package detect

import "github.com/provenir/provenir/services/recorder/metric"

// collapsedStd watches a reported spread that has gone: of rewards over the batch, or of advantages.
type collapsedStd struct {
	kind, metric, setting string
	level                 Severity
}

// rewardStdCollapse is a warning by itself: a batch of equal rewards may be a batch that is solved.
func rewardStdCollapse() *collapsedStd {
	return &collapsedStd{"reward_std_collapse", metric.RewardStd, "reward_std_min", Warn}
}

func advantageCollapse() *collapsedStd {
	return &collapsedStd{"advantage_collapse", metric.AdvantageStd, "advantage_std_min", Critical}
}

func (d *collapsedStd) name() string    { return d.kind }
func (d *collapsedStd) kinds() []string { return []string{d.kind} }
func (d *collapsedStd) reads() []string { return []string{d.metric} }
func (*collapsedStd) state() any        { return &struct{}{} }
func (*collapsedStd) reset()            {}

func (d *collapsedStd) step(f *frame) {
	x, ok := f.get(d.metric)
	if !ok {
		return
	}
	limit := f.profile.limits[d.setting]
	s := Signal{Kind: d.kind, Metric: d.metric, Clear: x >= limit/clearShare,
		Evidence: Evidence{Value: x, HasValue: true, Limit: limit, HasLimit: true, Note: "the spread is gone"}}
	if x < limit {
		s.Level = d.level
		if f.isOpen("zero_signal") {
			s.Level = Critical
		}
	}
	f.signal(s)
}
