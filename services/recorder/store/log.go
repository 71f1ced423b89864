package store

import (
	"context"
	"path"
	"sync"
	"time"

	"github.com/provenir/provenir/ledger"
)

// Log is one append-only log of a run.
type Log struct {
	store  *Store
	run    *Run
	kind   ledger.Log
	dir    string
	origin string
	linger time.Duration

	appending sync.Mutex // one append at a time: numbers and replays go in order

	mu      sync.Mutex
	next    uint64      // of the record that comes next, durable or not
	chain   ledger.Hash // link before it
	cur     *batch      // being filled; nil when there is nothing to commit
	durable uint64      // records on disk
	failed  error       // why records after durable were dropped, until the next append
	broken  error       // why the log takes no more records, for good
	closing bool
	bell    chan struct{} // closed and replaced when durable, failed or broken changes
	segs    []segmentInfo // of all segments, in order: one entry for 64 MiB
	behind  uint64        // one past the last record that can be read behind damage
	replay  *replay       // where a repeating writer is; guarded by appending

	wake chan struct{} // tells the committer that cur appeared, is due, or that the log is closing
	done chan struct{} // closed when the committer has ended

	committer // owned by the committer's goroutine

	trees sync.Mutex // guards what follows between committer and proofs
	tree  *ledger.Tree
	last  signedCheckpoint

	pending []pendingTile // full tiles that are not stored yet
}

// segmentInfo is what is known of a segment without reading it.
type segmentInfo struct {
	n     uint64
	first uint64
	size  int64 // durable bytes
	// retired tells that the file has no payloads; size is then that of the file that stands for it.
	retired bool
}

func newLog(r *Run, kind ledger.Log) *Log {
	l := &Log{
		store: r.store, run: r, kind: kind, dir: path.Join(r.dir, kind.String()),
		origin: ledger.Origin(r.Tenant, r.ID, kind), linger: r.store.cfg.Linger,
		bell: make(chan struct{}), wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if kind == ledger.Timing {
		l.linger = r.store.cfg.TimingLinger
	}
	return l
}

// Next is the number of the record that comes next.
func (l *Log) Next() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// Durable is the number of records on disk.
func (l *Log) Durable() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.durable
}

// Kind says which log it is.
func (l *Log) Kind() ledger.Log { return l.kind }

// Origin is the first line of its checkpoints.
func (l *Log) Origin() string { return l.origin }

// Broken is why the log takes no more records, nil for a sound one.
func (l *Log) Broken() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// Wait returns when the first n records are durable.
func (l *Log) Wait(ctx context.Context, n uint64) error {
	for {
		l.mu.Lock()
		durable, next, failed, broken, bell := l.durable, l.next, l.failed, l.broken, l.bell
		l.mu.Unlock()
		switch {
		case durable >= n:
			return nil
		case broken != nil:
			return broken
		case next < n && failed != nil:
			return failed
		}
		select {
		case <-bell:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Lost is why the first n records will not become durable: they were dropped, and the writer must send them again. It is
// nil while they are on their way or there.
func (l *Log) Lost(n uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.durable >= n:
		return nil
	case l.broken != nil:
		return l.broken
	case l.next < n:
		return l.failed
	}
	return nil
}

// Changed is closed when more records are durable than now, or when something failed.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bell
}

// Flush closes the open batch, waits for it, and signs a checkpoint. The checkpoint survives the process; that it
// survives a power cut is waited for at close and seal only, where it is the last word.
func (l *Log) Flush(ctx context.Context) error {
	if err := l.Sync(ctx); err != nil {
		return err
	}
	return l.sign(false)
}

// FlushDurably is Flush whose checkpoint survives a power cut: for what must not be done before everybody can see why.
func (l *Log) FlushDurably(ctx context.Context) error {
	if err := l.Sync(ctx); err != nil {
		return err
	}
	return l.sign(true)
}

// Sync closes the open batch and waits for it.
func (l *Log) Sync(ctx context.Context) error {
	l.mu.Lock()
	n := l.next
	if l.cur != nil {
		l.cur.due = true
		l.signal()
	}
	l.mu.Unlock()
	return l.Wait(ctx, n)
}

// signal wakes the committer. A token that is already there is as good as two.
func (l *Log) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// ring tells everybody who waits. The caller holds mu.
func (l *Log) ring() {
	close(l.bell)
	l.bell = make(chan struct{})
}

// writable says whether the log takes records. The caller holds mu.
func (l *Log) writable() error {
	if l.broken != nil {
		return l.broken
	}
	if l.closing {
		return l.fault(Fault{Kind: WriteFailed, Cause: errClosing})
	}
	if l.kind != ledger.Findings && !l.store.space.writable() { // findings live on the reserve: they say what is wrong
		return l.fault(Fault{Kind: DiskFull, Seq: l.next})
	}
	return nil
}

func (l *Log) fault(f Fault) *Fault {
	f.Run, f.Log = l.run.ID, l.kind
	return &f
}

// close commits what is pending and ends the committer.
func (l *Log) close() error {
	l.mu.Lock()
	if l.closing {
		l.mu.Unlock()
		return nil
	}
	l.closing = true
	l.signal()
	l.mu.Unlock()
	<-l.done
	return l.release()
}
