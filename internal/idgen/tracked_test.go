package idgen

import (
	"testing"
	"time"

	"github.com/provenir/provenir/internal/clock"
)

// Ids of the mesh are never taken for a tracker's, and both are compared by their time.
func TestTracked(t *testing.T) {
	for _, at := range []time.Time{time.UnixMilli(0), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(6000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		id, err := Generator{Clock: clock.NewFake(at)}.New()
		if err != nil || Tracked(id) {
			t.Errorf("%s of %s: %v, taken for a tracker's", id, at, err)
		}
		if ms, ok := Time(id); !ok || ms != uint64(at.UnixMilli()) {
			t.Errorf("%s: %d", id, ms)
		}
	}
	if !Tracked("g6h19s46h7v7tbftq8wmc85198") || Tracked("g6h19s46h7v7tbftq8wmc8519") || Tracked("") || Tracked("G6h19s46h7v7tbftq8wmc85198") {
		t.Error("what is a tracker's is not told")
	}
	if ms, ok := Time("g6h19s46h7v7tbftq8wmc85198"); !ok || time.UnixMilli(int64(ms)).Year() != 2026 {
		t.Errorf("%d", ms)
	}
}
