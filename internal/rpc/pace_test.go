package rpc

import (
	"runtime/debug"
	"testing"
)

func TestPacer(t *testing.T) {
	now := func() int {
		p := debug.SetGCPercent(100)
		debug.SetGCPercent(p)
		return p
	}
	for _, tt := range []struct {
		name         string
		before, busy int
	}{{"the usual", 100, pacedPercent}, {"more by the user", 900, 900}, {"off by the user", -1, -1}} {
		t.Run(tt.name, func(t *testing.T) {
			defer debug.SetGCPercent(debug.SetGCPercent(tt.before))
			var p pacer
			one, two := p.busy(), p.busy()
			if now() != tt.busy {
				t.Errorf("%d while busy, want %d", now(), tt.busy)
			}
			one()
			one() // a second end of the same stream counts for nothing
			if now() != tt.busy {
				t.Errorf("%d while one is left, want %d", now(), tt.busy)
			}
			two()
			if now() != tt.before {
				t.Errorf("%d in the end, want %d", now(), tt.before)
			}
		})
	}
}
