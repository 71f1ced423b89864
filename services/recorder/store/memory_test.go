package store

import (
	"runtime"
	"testing"
	"time"

	"github.com/provenir/provenir/ledger"
)

// What is kept of a run does not grow with it: only one small entry a segment stays. The least of several measurements
// counts, since a buffer that is in use just now, or pooled, is no growth.
func TestMemoryIsFlat(t *testing.T) {
	r := newRig(t, Config{SegmentBytes: 4 << 20, TimingLinger: time.Millisecond})
	run := r.run()
	next := uint64(0)
	grow := func(n uint64) {
		for end := next + n; next < end; next += 500 {
			if err := run.Log(ledger.Events).Append(t.Context(), 0, records(next, next+500)); err != nil {
				t.Fatal(err)
			}
		}
		for _, kind := range ledger.Logs {
			if err := run.Log(kind).Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	least := func(enough uint64) uint64 {
		heap := ^uint64(0)
		for tries := 0; tries < 40 && heap > enough; tries++ {
			grow(500)
			runtime.GC()
			runtime.GC() // the pool of batches lets go at the second
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			heap = min(heap, m.HeapAlloc)
		}
		return heap
	}
	grow(50_000)
	before := least(0)
	grow(200_000)
	const room = 4 << 20 // a list of the hashes alone would take 6 MiB
	if after := least(before + room); after > before+room {
		t.Errorf("200,000 more records keep %d KiB more", (after-before)>>10)
	}
}
