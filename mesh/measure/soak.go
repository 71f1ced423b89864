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
	Growth float64  `json:"growth"`     // last over the mean of the first half, less 1
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
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		h.Bytes = append(h.Bytes, m.HeapAlloc)
	}}
	if _, err := pumpOnce(ctx, dir, cfg); err != nil {
		return h, err
	}
	half := h.Bytes[:len(h.Bytes)/2]
	mean := 0.0
	for _, b := range half {
		mean += float64(b) / float64(len(half))
	}
	h.Growth = float64(h.Bytes[len(h.Bytes)-1])/mean - 1
	return h, nil
}
