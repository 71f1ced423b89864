package detect

import "github.com/provenir/provenir/services/recorder/metric"

const truncatedCritical = 0.8

// truncation watches the share of rollouts that hit the token limit: they are judged unfinished.
type truncation struct{}

func (*truncation) name() string    { return "truncation" }
func (*truncation) kinds() []string { return []string{"truncation"} }
func (*truncation) reads() []string { return []string{metric.TruncatedFrac} }
func (*truncation) state() any      { return &struct{}{} }
func (*truncation) reset()          {}

func (*truncation) step(f *frame) {
	x, ok := f.get(metric.TruncatedFrac)
	if !ok {
		return
	}
	limit, level := f.profile.limits["truncated_max"], Warn
	if x > truncatedCritical {
		level = Critical
	}
	note := "share of rollouts cut at the token limit"
	mean, hasMean := f.get(metric.LengthMean)
	if ended, ok := f.get(metric.TerminatedMean); ok && hasMean && ended > 0 && mean > 2*ended {
		note = "cut rollouts are more than twice as long as those that end by themselves"
	}
	f.above("truncation", metric.TruncatedFrac, x, limit, level, 0, note)
}
