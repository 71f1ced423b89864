package onnx

import (
	"context"
	"sync"
)

// Gate bounds how many threads run at once. Every session has a thread pool of its own, so two of them running together
// would fight for the cores. Training goes before sampling and scoring; within a rank the order is that of arrival.
type Gate struct {
	mu   sync.Mutex
	size int
	free int
	wait [2][]*waiter // by rank: 0 training, 1 the rest
}

type waiter struct {
	n     int
	ready chan struct{} // closed by the goroutine that hands the threads over
}

// NewGate has n threads to lend.
func NewGate(n int) *Gate { return &Gate{size: n, free: n} }

// Acquire waits for n threads (at most the gate's size) and returns how many it got.
func (g *Gate) Acquire(ctx context.Context, n int, training bool) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	n = max(1, min(n, g.size))
	rank := 1
	if training {
		rank = 0
	}
	g.mu.Lock()
	if g.free >= n && len(g.wait[0]) == 0 && (training || len(g.wait[1]) == 0) {
		g.free -= n
		g.mu.Unlock()
		return n, nil
	}
	w := &waiter{n: n, ready: make(chan struct{})}
	g.wait[rank] = append(g.wait[rank], w)
	g.mu.Unlock()
	select {
	case <-w.ready:
		return n, nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, x := range g.wait[rank] {
		if x == w {
			g.wait[rank] = append(g.wait[rank][:i], g.wait[rank][i+1:]...)
			g.admit() // those behind it may fit now
			return 0, ctx.Err()
		}
	}
	g.free += n // the threads came while ctx ended
	g.admit()
	return 0, ctx.Err()
}

// Release gives back what Acquire returned.
func (g *Gate) Release(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free += n
	g.admit()
}

func (g *Gate) admit() {
	for rank := range g.wait {
		for len(g.wait[rank]) > 0 {
			w := g.wait[rank][0]
			if w.n > g.free {
				return
			}
			g.free -= w.n
			g.wait[rank] = g.wait[rank][1:]
			close(w.ready)
		}
	}
}
