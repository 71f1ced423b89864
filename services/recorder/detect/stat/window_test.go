package stat

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"
)

// The order that a window keeps is the one that sorting gives, with equal values, across a restart, and after it is full.
func TestWindowKeepsOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.OneOf(rapid.Float64Range(-3, 3), rapid.SampledFrom([]float64{0, 1, 1e100, -1e100})), 1, 100).Draw(t, "values")
		cut := rapid.IntRange(0, len(values)-1).Draw(t, "cut")
		var w Window
		for i, x := range values {
			if i == cut {
				b, err := json.Marshal(w)
				if err != nil {
					t.Fatal(err)
				}
				w = Window{}
				if err := json.Unmarshal(b, &w); err != nil {
					t.Fatal(err)
				}
			}
			w.Add(x)
			var buf [windowSize]float64
			m, mad := MedianMAD(w.Last(buf[:0], windowSize, 0))
			gotM, ok := w.Median(w.Len(), 0)
			sortedM, sortedD := sortedMAD(w.ordered())
			if !ok || gotM != m || sortedM != m || sortedD != mad {
				t.Fatalf("after %d values: median %g and %g, want %g; deviation %g, want %g", i+1, gotM, sortedM, m, sortedD, mad)
			}
		}
	})
}
