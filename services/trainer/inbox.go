package trainer

import (
	"context"
	"sync"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// inbox holds frames of one kind until the stage asks for them. It does not make the receiver wait: credit comes on the
// same stream behind rewards, and a stage that waits for credit reads no rewards.
type inbox[T any] struct {
	mu    sync.Mutex
	items []T
	bell  chan struct{} // holds a token while items may be there
}

// inboxLimit frames are far more than the rewards of a round; beyond it the other side does not follow the contract.
const inboxLimit = 1 << 16

func newInbox[T any]() *inbox[T] { return &inbox[T]{bell: make(chan struct{}, 1)} }

func (b *inbox[T]) put(v T) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.items) == inboxLimit {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%d frames wait unread", inboxLimit)
	}
	b.items = append(b.items, v)
	select {
	case b.bell <- struct{}{}:
	default:
	}
	return nil
}

// take is for one reader.
func (b *inbox[T]) take(ctx context.Context) (T, error) {
	for {
		b.mu.Lock()
		if len(b.items) > 0 {
			v := b.items[0]
			b.items = b.items[1:]
			b.mu.Unlock()
			return v, nil
		}
		b.mu.Unlock()
		select {
		case <-b.bell:
		case <-ctx.Done():
			var none T
			return none, context.Cause(ctx)
		}
	}
}
