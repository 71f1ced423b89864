package stat

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Any rank of any values is that of the sorted ones, ties and order notwithstanding.
func TestOrderIsThatOfASort(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Map(rapid.IntRange(-5, 300), func(n int) float64 { return float64(n) / 7 }), 1, 300).Draw(t, "v")
		k := rapid.IntRange(0, len(v)-1).Draw(t, "k")
		want := slices.Clone(v)
		slices.Sort(want)
		if got := order(v, k); got != want[k] {
			t.Fatalf("rank %d is %g, want %g", k, got, want[k])
		}
		for i, x := range v {
			if i < k && x > v[k] || i > k && x < v[k] {
				t.Fatalf("%g at %d, the value of rank %d is %g", x, i, k, v[k])
			}
		}
	})
}
