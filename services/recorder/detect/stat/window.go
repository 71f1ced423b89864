package stat

import "slices"

// windowSize is the most values a window holds.
const windowSize = 32

// Window holds the last 32 finite values.
type Window struct {
	Ring [windowSize]float64 `json:"ring"`
	N    uint64              `json:"n"` // values ever added

	// sorted holds the same values in order, so that no step sorts them. It is no state: it is made anew from the ring
	// when its length is not the ring's, as after a restart.
	sorted [windowSize]float64
	kept   int
}

// Add takes a value; the oldest leaves.
func (w *Window) Add(x float64) {
	full, oldest := w.Len() == windowSize, w.Ring[w.N%windowSize]
	if w.kept != w.Len() {
		w.order()
	}
	v := w.sorted[:w.kept]
	if full {
		i, _ := slices.BinarySearch(v, oldest)
		copy(v[i:], v[i+1:])
		v = v[:w.kept-1]
	}
	i, _ := slices.BinarySearch(v, x)
	v = w.sorted[:len(v)+1]
	copy(v[i+1:], v[i:])
	v[i], w.kept = x, len(v)
	w.Ring[w.N%windowSize] = x
	w.N++
}

// order sorts what the ring holds.
func (w *Window) order() {
	w.kept = len(w.Last(w.sorted[:0], windowSize, 0))
	slices.Sort(w.sorted[:w.kept])
}

// ordered gives all values, sorted. It is shared: read only.
func (w *Window) ordered() []float64 {
	if w.kept != w.Len() {
		w.order()
	}
	return w.sorted[:w.kept]
}

// Len is how many values there are.
func (w *Window) Len() int { return int(min(w.N, windowSize)) }

// At is the value k back: 0 is the newest. Beyond Len it is meaningless.
func (w *Window) At(k int) float64 { return w.Ring[(w.N-1-uint64(k))%windowSize] }

// Last copies the last n values into buf, oldest first, skipping the newest `skip`.
func (w *Window) Last(buf []float64, n, skip int) []float64 {
	n = min(n, w.Len()-skip)
	buf = buf[:0]
	for k := n - 1; k >= 0; k-- {
		buf = append(buf, w.At(k+skip))
	}
	return buf
}

// Median of the last n values, skipping the newest `skip`; ok is false when there are fewer.
func (w *Window) Median(n, skip int) (m float64, ok bool) {
	if w.Len() < n+skip {
		return 0, false
	}
	if n == w.Len() {
		return middle(w.ordered()), true
	}
	var buf [windowSize]float64
	return Median(w.Last(buf[:0], n, skip)), true
}

// Robust gives median and spread of what is there, as a baseline does; ok is false below 5 values. A series whose values
// hang together moves further by chance than its spread says, so the spread grows with the correlation.
func (w *Window) Robust(floor float64) (m, sigma float64, ok bool) {
	if w.Len() < BaselineReady {
		return 0, 0, false
	}
	var buf [windowSize]float64
	phi := Inflation(w.Last(buf[:0], windowSize, 0))
	m, mad := sortedMAD(w.ordered())
	return m, max(Consistency*mad*phi, floor), true
}
