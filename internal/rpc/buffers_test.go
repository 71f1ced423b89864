package rpc

import "testing"

func TestBuffers(t *testing.T) {
	var p buffers
	for _, n := range []int{0, 1, 511, 512, 1024, 1025, 16 << 10, 16<<10 + 1, 4 << 20, 4<<20 + 1} {
		b := p.Get(n)
		if len(*b) != n {
			t.Fatalf("Get(%d) has %d bytes", n, len(*b))
		}
		p.Put(b)
		if again := p.Get(n); len(*again) != n || cap(*again) < n {
			t.Fatalf("Get(%d) again has %d bytes of %d", n, len(*again), cap(*again))
		}
	}
	odd := make([]byte, 3000) // of nobody's tier: it must not come back shorter than it is asked for
	p.Put(&odd)
	if b := p.Get(4096); cap(*b) < 4096 {
		t.Errorf("%d bytes", cap(*b))
	}
}
