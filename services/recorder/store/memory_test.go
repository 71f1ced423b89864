package store

import (
	"runtime"
	"testing"

	"github.com/provenir/provenir/ledger"
)

// What is kept of a run does not grow with it: only one small entry a segment stays, and this log has few of them.
func TestMemoryIsFlat(t *testing.T) {
	r := newRig(t, Config{SegmentBytes: 4 << 20})
	run := r.run()
	heap := func() uint64 {
		runtime.GC()
		runtime.GC() // the pool of batches lets go at the second
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	grow := func(from, to uint64) {
		l := run.Log(ledger.Events)
		for at := from; at < to; at += 500 {
			if err := l.Append(t.Context(), 0, records(at, at+500)); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	grow(0, 50_000)
	before := heap()
	grow(50_000, 250_000)
	if after := heap(); after > before+2<<20 {
		t.Errorf("200,000 more records keep %d KiB more", (after-before)>>10)
	}
}
