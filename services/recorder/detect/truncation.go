package detect

import "github.com/provenir/provenir/services/recorder/metric"

const truncatedCritical = 0.8

// truncation watches the share of rollouts that hit the token limit: they are judged unfinished.
//
// A run whose first steps cut every rollout samples a fixed number of tokens. That is how it was set up and no change, so
// it is worth a word and no alarm. One rollout in ten that meets an end token by accident does not change that; when more
// than one in five end by themselves, the policy does end, and the usual limits hold for the rest of the attempt.
type truncation struct {
	S struct {
		Seen bool `json:"seen"`
		Ends bool `json:"ends"` // rollouts of this attempt end by themselves
	}
}

func (*truncation) name() string    { return "truncation" }
func (*truncation) kinds() []string { return []string{"truncation"} }
func (*truncation) reads() []string { return []string{metric.TruncatedFrac} }
func (d *truncation) state() any    { return &d.S }
func (d *truncation) reset()        { forget(&d.S) }

func (d *truncation) step(f *frame) {
	x, ok := f.get(metric.TruncatedFrac)
	if !ok {
		return
	}
	ended, hasEnded := f.get(metric.TerminatedMean)
	if first := !d.S.Seen; first && (x < 1 || hasEnded && ended > 0) || x <= truncatedCritical {
		d.S.Ends = true
	}
	d.S.Seen = true
	limit, level := f.profile.limits["truncated_max"], Warn
	if x > truncatedCritical {
		level = Critical
	}
	note := "share of rollouts cut at the token limit"
	mean, hasMean := f.get(metric.LengthMean)
	switch {
	case !d.S.Ends:
		level, note = Info, "cut from the first step on: the run samples a fixed number of tokens"
	case hasEnded && hasMean && ended > 0 && mean > 2*ended:
		note = "cut rollouts are more than twice as long as those that end by themselves"
	}
	f.above("truncation", metric.TruncatedFrac, x, limit, level, 0, note)
}
