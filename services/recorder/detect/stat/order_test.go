package stat

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Any rank of any values is that of the sorted ones, ties and order notwithstanding.
func TestOrderIsThatOfASort(t *testing.T) {
	some := rapid.Map(rapid.IntRange(-5, 300), func(n int) float64 { return float64(n) / 7 })
	finite := rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64)
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.SliceOfN(rapid.OneOf(some, finite), 1, 300).Draw(t, "v")
		k := rapid.IntRange(0, len(drawn)-1).Draw(t, "k")
		v := make([]uint64, len(drawn))
		for i, x := range drawn {
			v[i] = key(x)
		}
		slices.Sort(drawn)
		if got := number(order(v, k)); got != drawn[k] {
			t.Fatalf("rank %d is %g, want %g", k, got, drawn[k])
		}
		for i, x := range v {
			if i < k && x > v[k] || i > k && x < v[k] {
				t.Fatalf("%g at %d, the value of rank %d is %g", number(x), i, k, number(v[k]))
			}
		}
	})
}

func TestKeysAreOrderedAsNumbers(t *testing.T) {
	odd := []float64{math.Inf(-1), -math.MaxFloat64, -1, -math.SmallestNonzeroFloat64, 0, math.SmallestNonzeroFloat64, 1, math.MaxFloat64, math.Inf(1)}
	for i, a := range odd {
		if number(key(a)) != a {
			t.Errorf("%g comes back as %g", a, number(key(a)))
		}
		for j, b := range odd {
			if got := cmp.Compare(key(a), key(b)); got != cmp.Compare(i, j) {
				t.Errorf("%g against %g is %d", a, b, got)
			}
		}
	}
}
