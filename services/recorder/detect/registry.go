package detect

import "slices"

// Version is the rules' version. It is in every finding's uid, so a changed rule never meets an old one's deduplication.
const Version = 4

// detector is one family of rules over one kind of quantity.
type detector interface {
	// name keys its state in a snapshot.
	name() string
	// kinds are those that it may raise.
	kinds() []string
	// reads lists metrics of which at least one must be reported for the family to see anything; empty for families that
	// read rows or whatever there is.
	reads() []string
	// step judges one step.
	step(f *frame)
	// reset forgets windows and baselines at a new attempt or stage.
	reset()
	// state is a pointer to all that it remembers; plain data.
	state() any
}

// registry makes all detectors, in the order in which they run. Tags run first, since others begin anew by what they
// find; then the reward trend, which others read.
func registry() []detector {
	return slices.Concat([]detector{
		&tags{}, &rewardTrend{}, &nonFinite{}, &invalid{}, &vanished{}, &steps{}, &kl{}, &entropy{}, &length{}, &truncation{},
		&zeroSignal{}, rewardStdCollapse(), advantageCollapse(), &rewardSpike{}, &outage{}, &grad{}, &proxyDivergence{},
		&clip{}, &ratio{}, &staleness{}, &stepTime{}, &configMismatch{},
	}, mismatches())
}

// ofRL tells the families that judge how a policy explores and is paid. They say nothing about a stage that imitates.
func ofRL(d detector) bool {
	switch d.(type) {
	case *rewardTrend, *kl, *entropy, *length, *truncation, *zeroSignal, *collapsedStd, *rewardSpike, *outage, *proxyDivergence,
		*clip, *ratio, *staleness, *mismatch, *mismatchKL:
		return true
	}
	return false
}

// Kinds lists every kind that can be raised, sorted, the stall watch's and those of rollouts included.
func Kinds() []string {
	kinds := append([]string{KindStall}, OfRollouts()...)
	for _, d := range registry() {
		kinds = append(kinds, d.kinds()...)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds) // the clock's kind has a detector of reported step times too
}
