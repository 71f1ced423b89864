package rpc

import (
	"runtime/debug"
	"sync"
)

// pacedPercent is how far the heap may grow between two collections while rollouts flow. The pump makes much short-lived
// garbage over a small live heap (about 10 MB): at 100 percent it collects forty times a second, which took 29 % of its
// CPU. At 400 the heap is below 60 MB.
const pacedPercent = 400

// pacer lets the heap grow further while a hot stream is open, and no longer: an idle process keeps its small heap.
type pacer struct {
	mu     sync.Mutex
	open   int
	before int
}

// collector is one for the process, as the garbage collector's percentage is.
var collector pacer

// busy notes a hot stream; the answer notes its end.
func (p *pacer) busy() (done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open++; p.open == 1 {
		p.before = debug.SetGCPercent(pacedPercent)
		if p.before < 0 || p.before > pacedPercent { // GOGC asks for more already
			debug.SetGCPercent(p.before)
		}
	}
	return sync.OnceFunc(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.open--; p.open == 0 {
			debug.SetGCPercent(p.before)
		}
	})
}
