package detect

import "github.com/provenir/provenir/services/recorder/metric"

// bound is a limit of one measure of the distance between the policy that samples and the one that learns. wide is the
// limit where tokens are sampled with top-p or top-k: 7.5 to 8 % of their ratios lie outside of 0.9 to 1.1 without any
// fault, so limits are twice as far from what no distance gives.
type bound struct {
	name           string // metric
	warn, critical float64
	wideWarn, wide float64
	below          bool // the value may not fall under its limit
	magnitude      bool // the sign says nothing
	note           string
}

// mismatch is one kind with its measures. Sources: verl's rollout correction (IS, ESS, χ², k1), NeMo-RL's guides (1.05),
// arXiv 2506.13585 (Pearson 0.9 → 0.99 after a head in FP32).
type mismatch struct {
	kind    string
	metrics []string
	bounds  []bound
}

// none is no limit of that severity.
const none = 0

func mismatches() []detector {
	all := []detector{&mismatchKL{}}
	for _, m := range []*mismatch{
		{kind: "mismatch_ess", bounds: []bound{{metric.MismatchESS, 0.5, 0.3, 0.25, 0.15, true, false, "effective share of the samples"}}},
		{kind: "mismatch_chi2", bounds: []bound{{metric.MismatchChi2, 1, none, 2, none, false, false, "χ² of the tokens' ratios"}}},
		{kind: "mismatch_is", bounds: []bound{
			{metric.MismatchISMean, 2, none, 4, none, false, false, "mean importance ratio"},
			{metric.MismatchISMean, 0.5, none, 0.25, none, true, false, "mean importance ratio"},
			{metric.MismatchISStd, 1, none, 2, none, false, false, "spread of the importance ratios"},
		}},
		{kind: "mismatch_prob_error", bounds: []bound{{metric.MismatchMult, 1.05, none, 1.1, none, false, false, "mean factor between both probabilities"}}},
		{kind: "mismatch_logp", bounds: []bound{{metric.MismatchAbsMean, 0.1, 1, 0.2, 2, false, true, "mean difference of log-probabilities"}}},
		{kind: "mismatch_pearson", bounds: []bound{{metric.MismatchPearson, 0.95, 0.9, 0.9, 0.8, true, false, "correlation of both probabilities"}}},
	} {
		for _, b := range m.bounds {
			m.metrics = append(m.metrics, b.name)
		}
		all = append(all, m)
	}
	return all
}

func (d *mismatch) name() string    { return d.kind }
func (d *mismatch) kinds() []string { return []string{d.kind} }
func (d *mismatch) reads() []string { return d.metrics }
func (*mismatch) state() any        { return &struct{}{} }
func (*mismatch) reset()            {}

func (d *mismatch) step(f *frame) {
	for i := 0; i < len(d.bounds); {
		b := &d.bounds[i]
		x, ok := f.get(b.name)
		s := Signal{Kind: d.kind, Metric: b.name, Clear: true}
		for ; i < len(d.bounds) && d.bounds[i].name == b.name; i++ { // a measure with two limits has one signal
			d.bounds[i].judge(f.profile.truncated, x, &s)
		}
		if ok {
			f.signal(s)
		}
	}
}

// judge raises s to what this limit says of x.
func (b *bound) judge(truncated bool, x float64, s *Signal) {
	if b.magnitude && x < 0 {
		x = -x
	}
	warn, critical, note := b.warn, b.critical, b.note
	if truncated {
		warn, critical, note = b.wideWarn, b.wide, b.note+"; limits are doubled for top-p or top-k sampling"
	}
	level, limit, clear := None, warn, x <= clearShare*warn
	over := func(limit float64) bool { return x > limit }
	if b.below {
		clear, over = x >= min(warn/clearShare, (1+warn)/2), func(limit float64) bool { return x < limit }
	}
	if over(warn) {
		level = Warn
	}
	if critical != none && over(critical) {
		level, limit = Critical, critical
	}
	s.Clear = s.Clear && clear
	if level >= s.Level && (level > None || !s.Evidence.HasLimit) {
		s.Level = level
		s.Evidence = Evidence{Value: x, HasValue: true, Limit: limit, HasLimit: true, Note: note}
	}
}
