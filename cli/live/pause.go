package live

import (
	"context"
	"time"
)

// pause waits a little longer each time.
func pause(ctx context.Context, n int) error {
	t := time.NewTimer(time.Duration(n) * 250 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Canceled
	}
}
