package credit

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestTakeWaitsForAGrant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWindow()
		w.Grant(10)
		if err := w.Take(t.Context(), 8); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- w.Take(t.Context(), 5) }()
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("took more than was granted")
		default:
		}
		w.Grant(8)
		if err := <-done; err != nil || w.Free() != 5 {
			t.Errorf("%v, %d left, want 5", err, w.Free())
		}
	})
}

func TestAnOversizedFramePassesAlone(t *testing.T) {
	w := NewWindow()
	w.Grant(10)
	if err := w.Take(t.Context(), 25); err != nil || w.Free() != -15 {
		t.Fatalf("%v, %d left", err, w.Free())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Take(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("took from an overdrawn window: %v", err)
	}
}
