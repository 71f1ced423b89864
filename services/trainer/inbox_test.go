package trainer

import (
	"context"
	"errors"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// Nobody reads: the receiver goes on all the same, up to a bound that no round reaches.
func TestAnInboxNeverMakesTheReceiverWait(t *testing.T) {
	b := newInbox[int]()
	for i := range inboxLimit {
		if err := b.put(i); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.put(0); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT) {
		t.Errorf("one too many: %v", err)
	}
	for want := range inboxLimit {
		if got, err := b.take(t.Context()); err != nil || got != want {
			t.Fatalf("%d, %v; want %d", got, err, want)
		}
	}
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	if _, err := b.take(ctx); !errors.Is(err, gone) {
		t.Errorf("an empty one: %v", err)
	}
}

func TestAnInboxWakesItsReader(t *testing.T) {
	b, got := newInbox[int](), make(chan int)
	go func() {
		for range 3 {
			v, err := b.take(t.Context())
			if err != nil {
				v = -1
			}
			got <- v
		}
	}()
	for want := range 3 {
		if err := b.put(want); err != nil {
			t.Fatal(err)
		}
		if v := <-got; v != want {
			t.Errorf("got %d, want %d", v, want)
		}
	}
}
