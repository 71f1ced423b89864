package slice

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxDims bounds the dimensions of a row: pairs of them grow with their square.
const maxDims = 16

// namesOf gives the slices of a row: every dimension, the bucket of its length, and every pair of those.
func namesOf(r *Row, cuts []uint64) []string {
	var single []string
	for _, dim := range slices.Sorted(maps.Keys(r.Values)) {
		v := strings.TrimSpace(r.Values[dim])
		if v == "" {
			v = "unknown"
		}
		if len(single) < maxDims {
			single = append(single, dim+"="+v)
		}
	}
	if _, given := r.Values["length"]; !given && len(cuts) > 0 {
		single = append(single, "length="+bucket(r.Length, cuts))
	}
	out := slices.Clone(single)
	for i := range single {
		for j := i + 1; j < len(single); j++ {
			out = append(out, single[i]+","+single[j])
		}
	}
	return out
}

// lengthCuts are the quartiles of the lengths that are there; none without lengths or where all are equal.
func lengthCuts(rows []Row) []uint64 {
	var all []uint64
	for i := range rows {
		if rows[i].Length != nil {
			all = append(all, *rows[i].Length)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	cuts := []uint64{all[len(all)/4], all[len(all)/2], all[3*len(all)/4]}
	cuts = slices.Compact(cuts)
	if cuts[0] == all[0] {
		cuts = cuts[1:] // nothing lies below it
	}
	return cuts
}

func bucket(length *uint64, cuts []uint64) string {
	if length == nil {
		return "unknown"
	}
	for i, c := range cuts {
		switch {
		case *length < c && i == 0:
			return fmt.Sprintf("<%d", c)
		case *length < c:
			return fmt.Sprintf("%d-%d", cuts[i-1], c-1)
		}
	}
	return fmt.Sprintf(">=%d", cuts[len(cuts)-1])
}
