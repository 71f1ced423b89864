package metric

import (
	"slices"
	"strings"
)

// Guess says which engine's table knows most of the keys. Keys that several engines use count less. Where the best are
// equal and read a key differently, ok is false and candidates lists them; where they read all keys alike, it does not
// matter and the first counts. Without any known key the engine is empty and ok true: nothing of the log can be read.
func Guess(keys []string) (engine string, candidates []string, ok bool) {
	type score struct {
		table *Table
		own   int // keys that speak for this engine
		all   int
	}
	var scores []score
	for _, t := range Tables() {
		s := score{table: t}
		for _, k := range keys {
			r, _, _ := t.find(strings.TrimPrefix(k, "eval_"))
			_, canonical := Lookup(k)
			if r == nil && (!canonical || t.Engine != "provenir") {
				continue
			}
			s.all++
			if r == nil || !r.common {
				s.own++
			}
		}
		if s.all > 0 {
			scores = append(scores, s)
		}
	}
	if len(scores) == 0 {
		return "", nil, true
	}
	slices.SortStableFunc(scores, func(a, b score) int { return (b.all + b.own) - (a.all + a.own) })
	best := scores[0]
	ok = true
	for _, s := range scores {
		if s.all+s.own == best.all+best.own {
			candidates = append(candidates, s.table.Engine)
			ok = ok && alike(best.table, s.table, keys)
		}
	}
	return best.table.Engine, candidates, ok
}

// alike tells whether two tables give the keys the same meaning.
func alike(a, b *Table, keys []string) bool {
	for _, k := range keys {
		ra, _, _ := a.find(k)
		rb, _, _ := b.find(k)
		if ra != nil && rb != nil && ra.to != rb.to {
			return false
		}
	}
	return true
}
