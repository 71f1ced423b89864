package hack

import (
	"fmt"
	"math"
	"slices"
)

// Window is the number of rows that are held back for the statistics of their groups, and that a group may be spread over.
// Memory is bounded by it: of a row only its result, length and reward are kept.
const Window = 1024

const (
	inflation  = 3   // times the median of the others
	leastGroup = 4   // rows for a median that says something
	leastLong  = 400 // bytes: below it three times the median is nothing
)

type held struct {
	id     string
	group  string
	reward *float64
	width  float64
	err    string
	Result
}

// Answer is a row's result, or why it has none.
type Answer struct {
	ID    string
	Error string
	Result
}

// Groups adds what only the other rows of a group tell. Rows go in and come out in one order; a row comes out when Window
// more have gone in, so that what is said of it does not depend on how a stream was cut.
type Groups struct {
	rows    []held // a ring would save a copy; at 1,024 rows the copy costs nothing
	members map[string][]*held
	batch   []Finding
	silent  int // groups without signal
}

// NewGroups gives an empty one.
func NewGroups() *Groups { return &Groups{members: map[string][]*held{}} }

// Add takes a row and gives those that are done.
func (g *Groups) Add(id string, row *Row, res Result) []Answer {
	h := held{id: id, group: row.Group, width: row.width(), Result: res}
	if finite(row.Proxy) {
		x := *row.Proxy
		h.reward = &x
	}
	return g.push(h)
}

// Bad takes a row that could not be used; it keeps its place.
func (g *Groups) Bad(id, why string) []Answer { return g.push(held{id: id, err: why}) }

func (g *Groups) push(h held) []Answer {
	g.rows = append(g.rows, h)
	if len(g.rows) < 2*Window {
		return nil
	}
	return g.release(Window)
}

// Flush gives what is left.
func (g *Groups) Flush() []Answer { return g.release(len(g.rows)) }

// release judges the first n rows with all that are held, and lets them go.
func (g *Groups) release(n int) []Answer {
	clear(g.members)
	for i := range g.rows {
		if h := &g.rows[i]; h.group != "" && h.err == "" {
			g.members[h.group] = append(g.members[h.group], h)
		}
	}
	out := make([]Answer, 0, n)
	for i := range n {
		h := &g.rows[i]
		g.inflated(h)
		out = append(out, Answer{ID: h.id, Error: h.err, Result: h.Result})
	}
	for i := range n { // in input order: a map has none
		h := &g.rows[i]
		all := g.members[h.group]
		if h.err == "" && len(all) > 0 && all[0] == h {
			g.signal(h.group, all)
		}
	}
	g.rows = append(g.rows[:0], g.rows[n:]...)
	return out
}

// inflated compares a row's length with the others of its group, and never with a fixed limit: long is what the task asks.
func (g *Groups) inflated(h *held) {
	all := g.members[h.group]
	if h.group == "" || h.err != "" {
		return
	}
	if len(all) < leastGroup {
		h.Unchecked = append(h.Unchecked, LengthInflation)
		return
	}
	lengths := make([]int, 0, len(all))
	rewards := make([]float64, 0, len(all))
	for _, o := range all {
		if o == h {
			continue
		}
		lengths = append(lengths, o.Length)
		if o.reward != nil {
			rewards = append(rewards, *o.reward)
		}
	}
	slices.Sort(lengths)
	median := lengths[len(lengths)/2]
	if h.Length < leastLong || h.Length < inflation*max(median, 1) || h.reward == nil || len(rewards) == 0 {
		return
	}
	slices.Sort(rewards)
	if *h.reward > rewards[len(rewards)/2] {
		return // the length may have earned it
	}
	f := Finding{Kind: LengthInflation, Tier: Text, Severity: Warn, Where: "response",
		Detail: fmt.Sprintf("%d bytes; the median of its group is %d, and the reward is no better", h.Length, median)}
	h.Findings = append(slices.Clip(h.Findings), f)
	h.rescore()
}

// maxBatch bounds the findings over groups; the rest is counted.
const maxBatch = 100

// signal reports a group of equal rewards: nothing can be learned from it, which is no hack.
func (g *Groups) signal(name string, all []*held) {
	if len(all) < 2 {
		return
	}
	for _, h := range all {
		if h.reward == nil || math.Abs(*h.reward-*all[0].reward) > 1e-9*all[0].width {
			return
		}
	}
	if g.silent++; g.silent <= maxBatch {
		g.batch = append(g.batch, Finding{Kind: NoSignal, Tier: Text, Severity: Info, Where: "group " + clip(name),
			Detail: fmt.Sprintf("all %d rewards are %.4g: the group teaches nothing", len(all), *all[0].reward)})
	}
}

// Batch gives the findings over groups so far.
func (g *Groups) Batch() []Finding {
	if g.silent <= maxBatch {
		return g.batch
	}
	return append(slices.Clip(g.batch), Finding{Kind: NoSignal, Tier: Text, Severity: Info, Where: "groups",
		Detail: fmt.Sprintf("%d more groups of equal rewards", g.silent-maxBatch)})
}
