package pump

import "sync"

// Bell wakes whoever waits for a change; a change between looking and waiting is not missed, because wait is taken first.
type Bell struct {
	mu sync.Mutex
	c  chan struct{}
}

// NewBell is shared by the ledger and the judge of a pump: their owner waits for both.
func NewBell() *Bell { return &Bell{c: make(chan struct{})} }

func (b *Bell) wait() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.c
}

func (b *Bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.c)
	b.c = make(chan struct{})
}
