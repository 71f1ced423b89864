package stat

// windowSize is the most values a window holds.
const windowSize = 32

// Window holds the last 32 finite values.
type Window struct {
	Ring [windowSize]float64 `json:"ring"`
	N    uint64              `json:"n"` // values ever added
}

// Add takes a value; the oldest leaves.
func (w *Window) Add(x float64) {
	w.Ring[w.N%windowSize] = x
	w.N++
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
	m, mad := MedianMAD(w.Last(buf[:0], windowSize, 0))
	return m, max(Consistency*mad*phi, floor), true
}
