package monitor

import (
	"math"
	"slices"

	"github.com/provenir/provenir/services/recorder/metric"
)

// maxPaid bounds the verdicts that are remembered of a step. A step of more rows has no comparison of channels, and says
// so by having none.
const maxPaid = 1 << 17

// extreme is far beyond any reward that means something.
const extreme = 1e100

// channel compares the two verdicts of a step's rollouts: what was paid, and what the held-out verifier said of those
// that were drawn. Only rows that both scored count; an unscored one is no 0.
//
// Verdicts come in the order of rows and second verdicts after them in the same order, so one walk joins them. Ids are
// kept as hashes: a run of 256 rollouts a step holds 4 KiB.
type channel struct {
	Paid []paid  `json:"paid,omitempty"`
	At   int     `json:"at,omitempty"` // where in Paid the next second verdict can be
	Full bool    `json:"full,omitempty"`
	P    float64 `json:"p,omitempty"` // sums over the joined rows
	H    float64 `json:"h,omitempty"`
	N    uint64  `json:"n,omitempty"`
}

type paid struct {
	ID     uint64  `json:"id"`
	Reward float64 `json:"r"`
}

// hashID is FNV-1a; a snapshot holds it, so it may not depend on the process.
func hashID(id []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range id {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h
}

// bounded keeps sums finite: an infinite one is no number of JSON, and the run could not be stored.
func bounded(reward float64) float64 { return min(max(reward, -extreme), extreme) }

// first takes a paid verdict.
func (c *channel) first(v *peeked) {
	switch {
	case !v.scored || math.IsNaN(v.reward) || math.IsInf(v.reward, 0):
	case len(c.Paid) == maxPaid:
		c.Full = true
	default:
		c.Paid = append(c.Paid, paid{hashID(v.rollout), bounded(v.reward)})
	}
}

// second takes a held-out verdict.
func (c *channel) second(v *peeked) {
	if !v.scored || math.IsNaN(v.reward) || math.IsInf(v.reward, 0) {
		return
	}
	id := hashID(v.rollout)
	for k := range len(c.Paid) { // from where the last one was; all of them when the order is another
		i := (c.At + k) % len(c.Paid)
		if c.Paid[i].ID == id {
			c.At = i + 1
			c.P, c.H, c.N = c.P+c.Paid[i].Reward, c.H+bounded(v.reward), c.N+1
			return
		}
	}
}

// values adds what the step's verdicts say together to its metrics, and forgets them. An engine that reports values of
// these names does not know the held-out verdicts, which are never sent to it: what was recorded stands.
func (c *channel) values(in []metric.Value) (out []metric.Value, changed bool) {
	if changed = c.N > 0 && !c.Full; changed {
		in = slices.DeleteFunc(slices.Clone(in), func(v metric.Value) bool {
			return v.Scope != "eval" && (v.Name == metric.ProxyMean || v.Name == metric.HeldoutMean)
		})
		in = append(in, metric.Value{Name: metric.ProxyMean, X: c.P / float64(c.N), N: c.N}, metric.Value{Name: metric.HeldoutMean, X: c.H / float64(c.N), N: c.N})
	}
	c.forget()
	return in, changed
}

// forget ends the step; its memory is used again.
func (c *channel) forget() { *c = channel{Paid: c.Paid[:0]} }
