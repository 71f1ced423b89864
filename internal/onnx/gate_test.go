package onnx

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
)

// Training goes before what waited longer; within a rank the order is that of arrival.
func TestGateOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(2)
		if _, err := g.Acquire(t.Context(), 2, false); err != nil {
			t.Fatal(err)
		}
		order := make(chan string, 3)
		for _, w := range []struct {
			name     string
			training bool
		}{{"score 1", false}, {"score 2", false}, {"train", true}} {
			go func() {
				n, err := g.Acquire(t.Context(), 2, w.training)
				if err != nil {
					order <- err.Error()
					return
				}
				order <- w.name
				g.Release(n)
			}()
			synctest.Wait()
		}
		g.Release(2)
		synctest.Wait()
		got := []string{<-order, <-order, <-order}
		if want := []string{"train", "score 1", "score 2"}; !slices.Equal(got, want) {
			t.Errorf("order %v, want %v", got, want)
		}
	})
}

// A wait that is given up gives back what it was about to get, and lets those behind it in.
func TestGateCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(2)
		if _, err := g.Acquire(t.Context(), 1, false); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		failed, got := make(chan error, 1), make(chan int, 1)
		go func() {
			_, err := g.Acquire(ctx, 2, false)
			failed <- err
		}()
		synctest.Wait()
		go func() {
			n, err := g.Acquire(t.Context(), 1, false)
			if err != nil {
				n = -1
			}
			got <- n
		}()
		synctest.Wait()
		cancel()
		if err := <-failed; err == nil {
			t.Error("a cancelled wait got threads")
		}
		if n := <-got; n != 1 {
			t.Errorf("the one behind got %d", n)
		}
		g.Release(1)
		g.Release(1)
		if n, err := g.Acquire(t.Context(), 99, true); n != 2 || err != nil {
			t.Errorf("all back: got %d, %v; want the gate's size", n, err)
		}
		if _, err := g.Acquire(ctx, 1, true); err == nil {
			t.Error("an ended context got threads")
		}
	})
}
