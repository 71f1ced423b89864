package replay

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/provenir/provenir/internal/clock"
)

func key(i int) Key { return Key{Run: "run", Rollout: fmt.Sprintf("r%d", i)} }

func entry(b byte) Entry { return Entry{Input: [32]byte{b}} }

func TestGetAndPut(t *testing.T) {
	c := New(64, time.Minute, clock.NewFake(time.Unix(0, 0)))
	if _, ok := c.Get(key(1)); ok {
		t.Error("an empty cache has an entry")
	}
	c.Put(key(1), entry(1))
	c.Put(key(1), entry(2))
	if e, ok := c.Get(key(1)); !ok || e.Input[0] != 2 || c.Len() != 1 {
		t.Errorf("%v %v, %d entries", e, ok, c.Len())
	}
	for _, other := range []Key{{Run: "other", Rollout: "r1"}, {Run: "run", Rollout: "r1", Spec: [32]byte{1}}} {
		if _, ok := c.Get(other); ok {
			t.Errorf("%v is another verdict", other)
		}
	}
}

func TestEntriesAge(t *testing.T) {
	now := clock.NewFake(time.Unix(0, 0))
	c := New(64, time.Minute, now)
	c.Put(key(1), entry(1))
	now.Advance(time.Minute)
	if _, ok := c.Get(key(1)); !ok {
		t.Error("forgotten too early")
	}
	now.Advance(time.Second)
	if _, ok := c.Get(key(1)); ok || c.Len() != 0 {
		t.Error("an old entry is still there")
	}
}

func TestTheLeastRecentlyUsedGoes(t *testing.T) {
	c := New(shards*4, time.Minute, clock.NewFake(time.Unix(0, 0)))
	// entries of one shard
	var same []Key
	for i := 0; len(same) < 6; i++ {
		if k := key(i); len(same) == 0 || c.part(&k) == c.part(&same[0]) {
			same = append(same, k)
		}
	}
	for _, k := range same[:4] {
		c.Put(k, entry(1))
	}
	c.Get(same[0]) // used again
	c.Put(same[4], entry(1))
	c.Put(same[5], entry(1))
	for i, want := range []bool{true, false, false, true, true, true} {
		if _, ok := c.Get(same[i]); ok != want {
			t.Errorf("entry %d there: %v, want %v", i, ok, want)
		}
	}
}

func TestBounded(t *testing.T) {
	c := New(256, time.Minute, clock.NewFake(time.Unix(0, 0)))
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				c.Put(key(g*2000+i), entry(1))
				c.Get(key(g*2000 + i/2))
			}
		})
	}
	wg.Wait()
	if c.Len() > 256 {
		t.Errorf("%d entries, want at most 256", c.Len())
	}
}
