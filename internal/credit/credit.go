// Package credit counts bytes that a sender may still send, so that a slow receiver slows its sender instead of
// filling its own memory.
package credit

import (
	"context"
	"sync"
)

// Window is a sender's side: Take waits until the receiver has granted enough.
// A single frame larger than the whole window passes once everything before it was handled; else it would wait for ever.
type Window struct {
	mu      sync.Mutex
	free    int64
	size    int64
	waiting chan struct{}
}

// NewWindow starts with nothing granted.
func NewWindow() *Window { return &Window{waiting: make(chan struct{})} }

// Grant gives n bytes. The largest amount that was ever free counts as the window's size.
func (w *Window) Grant(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free += n
	w.size = max(w.size, w.free)
	close(w.waiting)
	w.waiting = make(chan struct{})
}

// Take uses n bytes, or waits for them until ctx ends.
func (w *Window) Take(ctx context.Context, n int64) error {
	for {
		w.mu.Lock()
		if w.free >= n || (n > w.size && w.size > 0 && w.free >= w.size) {
			w.free -= n
			w.mu.Unlock()
			return nil
		}
		wait := w.waiting
		w.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Free says how much is left; it may be below zero after an oversized frame.
func (w *Window) Free() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.free
}
