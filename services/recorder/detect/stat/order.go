package stat

// order puts the value with rank k, from 0, at v[k], no smaller one behind it and no larger one before it (Hoare 1961). A
// few ranks of some hundred values cost a fraction of a sort. Values that are NaN have no rank: the caller has none.
func order(v []float64, k int) float64 {
	low, high := 0, len(v)-1
	for low < high {
		pivot := between(v[low], v[(low+high)/2], v[high])
		i, j := low, high
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return v[k]
		}
	}
	return v[k]
}

// between is the median of three: with it values that are sorted, or equal, are no worst case.
func between(a, b, c float64) float64 {
	return max(min(a, b), min(max(a, b), c))
}
