package measure

import (
	"context"
	"fmt"
	"runtime"
)

// Heap is the live memory of this process over a long run.
type Heap struct {
	What   string   `json:"what"`
	Bytes  []uint64 `json:"heap_bytes"` // after each tenth of the rollouts, garbage collected
	Growth float64  `json:"growth"`     // mean of the second half over that of the first, less 1
}

// Soak pumps rollouts and looks at the heap after each tenth: memory must not grow with the length of a run.
func Soak(ctx context.Context, dir string, rollouts int) (Heap, error) {
	h := Heap{What: fmt.Sprintf("heap over %d rollouts of 1 KiB", rollouts)}
	next := rollouts / 10
	cfg := PumpConfig{Size: 1 << 10, Round: 256, Rollouts: rollouts, each: func(done int) {
		if done < next {
			return
		}
		next += rollouts / 10
		runtime.GC()
		runtime.GC() // pools let go of their buffers in the second one; what happens to lie in them is not growth
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		h.Bytes = append(h.Bytes, m.HeapAlloc)
	}}
	if _, err := pumpOnce(ctx, dir, cfg); err != nil {
		return h, err
	}
	mean := func(part []uint64) (m float64) {
		for _, b := range part {
			m += float64(b) / float64(len(part))
		}
		return m
	}
	h.Growth = mean(h.Bytes[len(h.Bytes)/2:])/mean(h.Bytes[:len(h.Bytes)/2]) - 1
	return h, nil
}
