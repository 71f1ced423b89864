package recorder

import (
	"context"
	"sync"
)

// queue holds runs that wait for work, each once, in the order in which they came.
type queue struct {
	mu   sync.Mutex
	runs []*live
	has  map[*live]bool
	news chan struct{}
}

func newQueue() *queue { return &queue{has: map[*live]bool{}, news: make(chan struct{}, 1)} }

func (q *queue) add(l *live) {
	q.mu.Lock()
	if !q.has[l] {
		q.has[l] = true
		q.runs = append(q.runs, l)
	}
	q.mu.Unlock()
	select {
	case q.news <- struct{}{}:
	default:
	}
}

// take waits for a run.
func (q *queue) take(ctx context.Context) (*live, error) {
	for {
		q.mu.Lock()
		if len(q.runs) > 0 {
			l := q.runs[0]
			q.runs = q.runs[1:]
			delete(q.has, l)
			q.mu.Unlock()
			return l, nil
		}
		q.mu.Unlock()
		select {
		case <-q.news:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
