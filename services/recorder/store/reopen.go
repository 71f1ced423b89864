package store

import (
	"context"
	"fmt"

	"github.com/provenir/provenir/ledger"
)

// Closed tells that a repair closed the log.
func (l *Log) Closed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closing
}

// Reopen takes a log that is read-only for damage, or that a repair closed, up again from the disk. It is false for any
// other.
func (r *Run) Reopen(ctx context.Context, kind ledger.Log) (bool, error) {
	old := r.Log(kind)
	if !quarantine(old.Broken()) && !old.Closed() {
		return false, nil
	}
	if err := old.close(); err != nil {
		return false, fmt.Errorf("close log %s: %w", kind, err)
	}
	l, err := openLog(ctx, r, kind)
	if err != nil {
		return false, fmt.Errorf("open log %s again: %w", kind, err)
	}
	r.logs[kind].Store(l)
	return true, nil
}
