package stat

import (
	"math"
	"math/bits"
	"slices"
)

// key is a number whose order as an integer is that of the float: comparing integers needs no branch, and on values in no
// order the processor guesses every other branch wrong.
func key(x float64) uint64 {
	u := math.Float64bits(x)
	return u ^ (uint64(int64(u)>>63) | 1<<63)
}

// number is the float of a key.
func number(k uint64) float64 {
	return math.Float64frombits(k ^ (uint64(int64(^k)>>63) | 1<<63))
}

// few is what is sorted instead of split.
const few = 12

// order puts the key with rank k, from 0, at v[k], no smaller one behind it and no larger one before it (Hoare 1961). A
// few ranks of some hundred values cost a fraction of a sort.
func order(v []uint64, k int) uint64 {
	low, high := 0, len(v)
	for high-low > few {
		pivot := between(v[low], v[(low+high)/2], v[high-1])
		from := low + split(v[low:high], pivot)
		if k < from {
			high = from
			continue
		}
		// Equal keys are their own part: with them among the larger ones, a series of constants would take each in turn.
		to := high
		if pivot < math.MaxUint64 {
			to = from + split(v[from:high], pivot+1)
		}
		if k < to {
			return v[k]
		}
		low = to
	}
	slices.Sort(v[low:high])
	return v[k]
}

// split puts the keys below the pivot first and counts them (Lomuto's partition, every key moved).
func split(v []uint64, pivot uint64) int {
	n := 0
	for i, x := range v {
		v[i], v[n] = v[n], x
		_, below := bits.Sub64(x, pivot, 0)
		n += int(below)
	}
	return n
}

// between is the median of three: with it values that are sorted are no worst case.
func between(a, b, c uint64) uint64 {
	return max(min(a, b), min(max(a, b), c))
}
