package toolcall

import (
	"encoding/json"
	"slices"

	"github.com/provenir/provenir/services/verifier/verdict"
)

// compare holds the calls against the expected ones.
func (j *judge) compare(calls []Call, t task) verdict.Verdict {
	weak := false
	single := func(e, c int) (*failure, error) {
		if j.mode != "bfcl" {
			return t.expected[e].matches(calls[c])
		}
		f, loose := t.expected[e].bfcl(calls[c], t.tools)
		weak = weak || f == nil && loose
		return f, nil
	}
	pairs, err := pair(len(t.expected), len(calls), func(e, c int) (bool, error) {
		f, err := single(e, c)
		return f == nil, err
	})
	if err != nil {
		return verdict.Unscore(Name, verdict.BadReference, err.Error())
	}
	f := j.verdictOn(calls, t, pairs, single)
	if f == nil {
		v := verdict.Pass(Name, "calls_match")
		if weak {
			v.Note("weak_string_match", verdict.Warn, "texts that are different numbers count as equal once their punctuation is gone")
		}
		return v
	}
	if !j.partial {
		return refused(f)
	}
	matched := len(pairs) - count(pairs, -1)
	share := float64(matched) / float64(max(len(t.expected), len(calls)))
	if f.reason == "wrong_order" {
		share = 0 // all of them matched; what is wrong is not a share of them
	}
	v := verdict.Score(Name, verdict.Scored{Reward: share, Reason: f.reason}, verdict.Range{})
	v.Note("difference", verdict.Info, verdict.Printable(f.detail))
	return v
}

// verdictOn names what is wrong, nil for nothing.
func (j *judge) verdictOn(calls []Call, t task, pairs []int, single func(e, c int) (*failure, error)) *failure {
	if len(calls) != len(t.expected) {
		return fail("wrong_count", "%d calls, expected were %d", len(calls), len(t.expected))
	}
	missing := slices.Index(pairs, -1)
	if missing < 0 {
		if j.ordered && !slices.IsSorted(pairs) && !inPlace(len(calls), single) {
			return fail("wrong_order", "the calls are right, their order is not")
		}
		return nil
	}
	// The nearest call that was left over says most: one of the same name, else the first.
	var best *failure
	for c := range calls {
		if slices.Contains(pairs, c) {
			continue
		}
		f, err := single(missing, c)
		if err == nil && f != nil && (best == nil || best.reason == "wrong_name" && f.reason != "wrong_name") {
			best = f
		}
	}
	return best
}

// inPlace says whether each call matches the expected one in its place: equal calls may be paired crosswise.
func inPlace(n int, single func(e, c int) (*failure, error)) bool {
	for i := range n {
		if f, err := single(i, i); f != nil || err != nil {
			return false
		}
	}
	return true
}

func count(list []int, v int) int {
	n := 0
	for _, x := range list {
		if x == v {
			n++
		}
	}
	return n
}

// jsonText writes decoded JSON; keys come sorted.
func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "?" // decoded JSON always has a text
	}
	return string(b)
}
