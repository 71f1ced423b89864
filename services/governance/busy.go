package governance

import (
	"context"
	"sync"
)

// busy lets one caller at a time work on a run. Two seals at once would each put a folder in place, and the row would
// name the passport of one and the folder hold the other's.
type busy struct {
	mu   sync.Mutex
	runs map[string]chan struct{} // closed by whoever leaves
}

// enter waits until nobody else works on the run. The caller calls leave.
func (b *busy) enter(ctx context.Context, run string) (leave func(), err error) {
	for {
		b.mu.Lock()
		other, taken := b.runs[run]
		if !taken {
			mine := make(chan struct{})
			b.runs[run] = mine
			b.mu.Unlock()
			return func() { b.leave(run, mine) }, nil
		}
		b.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (b *busy) leave(run string, mine chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.runs, run)
	close(mine)
}
