package equal

import "github.com/provenir/provenir/services/verifier/math/syntax"

// maxMatching bounds sets: a match of n parts may need n² comparisons.
const maxMatching = 64

// matching compares collections without places, by a maximum bipartite matching (Kuhn's augmenting paths): with several
// parts that could be equal to several, taking the first that fits would fail by bad luck. Parts that are equal to each
// other count once.
func (c *comparer) matching(a, b []*syntax.Node) Outcome {
	if len(a) > maxMatching || len(b) > maxMatching {
		return TooLarge
	}
	a, b = c.unique(a), c.unique(b)
	if len(a) != len(b) {
		return Different
	}
	worst := Different
	edges := make([][]int, len(a))
	for i := range a {
		for j := range b {
			switch out := c.compare(a[i], b[j]); out {
			case Equal:
				edges[i] = append(edges[i], j)
			case Undecided, TooLarge:
				worst = out
			}
		}
		if len(edges[i]) == 0 {
			return worst
		}
	}
	owner := make([]int, len(b))
	for j := range owner {
		owner[j] = -1
	}
	for i := range a {
		if !augment(i, edges, owner, make([]bool, len(b))) {
			return worst
		}
	}
	return Equal
}

func augment(i int, edges [][]int, owner []int, seen []bool) bool {
	for _, j := range edges[i] {
		if seen[j] {
			continue
		}
		seen[j] = true
		if owner[j] < 0 || augment(owner[j], edges, owner, seen) {
			owner[j] = i
			return true
		}
	}
	return false
}

// unique drops parts that equal an earlier one.
func (c *comparer) unique(list []*syntax.Node) []*syntax.Node {
	out := make([]*syntax.Node, 0, len(list))
	for _, n := range list {
		known := false
		for _, m := range out {
			if n.Kind == m.Kind && c.compare(m, n) == Equal {
				known = true
				break
			}
		}
		if !known {
			out = append(out, n)
		}
	}
	return out
}
