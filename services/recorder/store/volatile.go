package store

import (
	"context"
	"fmt"

	"github.com/provenir/provenir/ledger"
)

// Volatile gives what was kept beside the events from first to last, by number, as far as it is on disk: timing is
// synced once a second and may have lost its tail in a crash.
func (r *Run) Volatile(ctx context.Context, first, last uint64) (map[uint64][]byte, error) {
	out := map[uint64][]byte{}
	err := r.commits(ctx, first, func(c CommitRecord) bool {
		for _, v := range c.Volatile {
			if first <= v.Seq && v.Seq <= last {
				out[v.Seq] = append([]byte(nil), v.Data...)
			}
		}
		return c.First <= last
	})
	return out, err
}

// commits visits COMMIT records from the one that holds the event on, until visit says no.
func (r *Run) commits(ctx context.Context, event uint64, visit func(CommitRecord) bool) error {
	t := r.Log(ledger.Timing)
	from, err := t.seqOfKey(event)
	if err != nil {
		return err
	}
	for f, err := range t.Events(ctx, Query{From: from, Types: []ledger.RecordType{ledger.Commit}}) {
		if err != nil {
			return fmt.Errorf("read commits of run %s: %w", r.ID, err)
		}
		c, err := ParseCommit(f.Stored)
		if err != nil {
			return fmt.Errorf("commit %d of run %s: %w", f.Seq, r.ID, err)
		}
		if !visit(c) {
			return nil
		}
	}
	return nil
}

// seqOfKey is where to start reading timing for an event.
func (l *Log) seqOfKey(event uint64) (uint64, error) {
	l.mu.Lock()
	segs := append([]segmentInfo(nil), l.segs...)
	l.mu.Unlock()
	for i := len(segs) - 1; i >= 0; i-- {
		blocks, err := l.blocks(segs[i], 0)
		if err != nil {
			return 0, err
		}
		if seq, ok := blockOfKey(blocks, event); ok {
			return seq, nil
		}
	}
	return 0, nil
}
