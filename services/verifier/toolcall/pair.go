package toolcall

// pair finds the largest matching between n expected and m given things: out[i] is the given one of the i-th expected, or
// -1. Taking the first that fits instead would fail calls whose order alone is unlucky. (Kuhn's augmenting paths.)
func pair(n, m int, fits func(i, k int) (bool, error)) ([]int, error) {
	edges := make([][]int, n)
	for i := range n {
		for k := range m {
			ok, err := fits(i, k)
			if err != nil {
				return nil, err
			}
			if ok {
				edges[i] = append(edges[i], k)
			}
		}
	}
	owner := make([]int, m)
	for k := range owner {
		owner[k] = -1
	}
	var seen []bool
	var grow func(i int) bool
	grow = func(i int) bool {
		for _, k := range edges[i] {
			if seen[k] {
				continue
			}
			seen[k] = true
			if owner[k] < 0 || grow(owner[k]) {
				owner[k] = i
				return true
			}
		}
		return false
	}
	for i := range n {
		seen = make([]bool, m)
		grow(i)
	}
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	for k, i := range owner {
		if i >= 0 {
			out[i] = k
		}
	}
	return out, nil
}
