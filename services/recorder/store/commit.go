package store

import (
	"context"
	"errors"
	"hash"
	"time"

	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// committer is what only the committing goroutine touches.
type committer struct {
	file     disk.File // the last segment; nil before the first record
	header   ledger.Header
	size     int64       // of what is durable in it
	sum      hash.Hash   // SHA-256 of those bytes but for owed, for the trailer
	owed     *batch      // durable, not in sum yet
	sealed   bool        // the last segment has its trailer
	tail     ledger.Hash // chain link after the last durable record
	index    index       // of the last segment; read under mu
	unsigned uint64      // records since the last checkpoint
	signAt   time.Time
	ops      chan op
}

// op is work that must run between commits.
type op struct {
	run  func() error
	done chan error
}

var errClosing = errors.New("the recorder is stopping")

// loop commits batches until the log is closed and nothing is pending.
func (l *Log) loop() {
	defer close(l.done)
	for {
		b, end := l.take()
		if b != nil {
			l.commit(b)
		}
		if end {
			return
		}
		if l.Broken() == nil {
			l.signIfDue()
		}
	}
}

// take waits for a batch that is due. It returns without one when a checkpoint is due.
func (l *Log) take() (b *batch, end bool) {
	for {
		now := l.store.deps.Clock.Now()
		wait := time.Duration(-1)
		l.mu.Lock()
		closing, broken := l.closing, l.broken != nil
		if b := l.cur; b != nil {
			age := now.Sub(b.opened)
			if b.due || closing || age >= l.linger {
				l.cur = nil
				if len(b.buf) >= 2*l.store.cfg.BatchBytes {
					l.ring() // a writer waits for room
				}
				l.mu.Unlock()
				return b, false
			}
			wait = l.linger - age
		}
		l.mu.Unlock()
		l.settle() // nothing is due: now is the time, and an idle log keeps no buffer
		if closing {
			return nil, true
		}
		if l.unsigned > 0 && !broken {
			due := l.signAt.Sub(now)
			if due <= 0 {
				return nil, false
			}
			if wait < 0 || due < wait {
				wait = due
			}
		}
		l.idle(wait)
	}
}

// idle waits for a signal or an operation, at most wait; a negative wait is for ever.
func (l *Log) idle(wait time.Duration) {
	var fired <-chan time.Time
	if wait >= 0 {
		t := l.store.deps.Clock.NewTimer(wait)
		defer t.Stop()
		fired = t.C()
	}
	select {
	case <-l.wake:
	case <-fired:
	case o := <-l.ops:
		o.done <- o.run()
	}
}

// do runs work on the committer, between commits.
func (l *Log) do(ctx context.Context, work func() error) error {
	o := op{run: work, done: make(chan error, 1)}
	select {
	case l.ops <- o:
		return <-o.done
	case <-l.done:
		return l.fault(Fault{Kind: WriteFailed, Cause: errClosing})
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commit makes a batch durable and tells who waits.
func (l *Log) commit(b *batch) {
	if l.Broken() != nil {
		l.drop(b, l.Broken())
		return
	}
	if err := l.write(b); err != nil {
		l.drop(b, err)
		return
	}
	l.dropTransit(b.transit) // before the news: an acknowledged payload lies nowhere as it was
	// The tree comes before the news: a Flush that waited for these records signs a tree that holds them.
	l.trees.Lock()
	for _, leaf := range b.leaves {
		l.tree.Append(leaf)
	}
	l.trees.Unlock()

	l.mu.Lock()
	start := l.size
	l.size += int64(len(b.buf))
	for i, m := range b.marks {
		l.index.add(b.first+uint64(i), start+int64(m.at), m.typ, m.key)
	}
	l.segs[len(l.segs)-1].size = l.size
	l.durable, l.tail, l.failed = b.next(), b.chain, nil
	l.ring()
	l.mu.Unlock()

	l.storeTiles(tilesAtOnce)
	l.noteUnsigned(len(b.marks), l.store.deps.Clock.Now())
	if l.kind == ledger.Events {
		l.recordCommit(b)
	}
	l.owed = b
}

// settle hashes the last durable batch for the trailer. It runs while the next one syncs, when the processor has nothing
// else to do for this log: hashing is as long as the sync itself.
func (l *Log) settle() {
	if l.owed == nil {
		return
	}
	l.sum.Write(l.owed.buf) // hash.Hash never fails
	l.owed.free()
	l.owed = nil
}

// recordCommit writes the batch's COMMIT to timing. That log may lose its tail, so a failure is no failure of the batch.
func (l *Log) recordCommit(b *batch) {
	if _, err := l.run.Log(ledger.Timing).AppendNext(context.Background(), l.commitRecords(b)); err != nil {
		l.store.deps.Log.Warn("a commit was not noted in the log timing", "run", l.run.ID, "error", err.Error())
	}
}

// write puts the batch into the file and syncs.
func (l *Log) write(b *batch) error {
	err := l.writeSync(b.buf)
	switch {
	case err == nil, errors.Is(err, faultline.ErrKilled):
		return err
	case isFull(err):
		return l.full(err)
	}
	l.store.deps.Log.Error("a commit failed; the segment is opened again and the records are written once more",
		"run", l.run.ID, "log", l.kind.String(), "error", err.Error())
	if err = l.reopen(); err == nil {
		err = l.writeSync(b.buf)
	}
	switch {
	case err == nil, errors.Is(err, faultline.ErrKilled):
		return err
	case isFull(err):
		return l.full(err)
	}
	return l.fault(Fault{Kind: WriteFailed, Seq: b.first, Cause: err})
}

func (l *Log) writeSync(data []byte) error {
	if err := l.rollFor(int64(len(data))); err != nil {
		return err
	}
	if _, err := l.file.WriteAt(data, l.size); err != nil {
		return err
	}
	if err := l.store.deps.Faults.At(PointWritten); err != nil {
		return err
	}
	if err := l.sync(); err != nil {
		return err
	}
	return l.store.deps.Faults.At(PointSynced)
}

// sync makes the segment durable, and settles meanwhile.
func (l *Log) sync() error {
	l.store.syncs <- struct{}{}
	defer func() { <-l.store.syncs }()
	if l.owed == nil {
		return l.file.Sync()
	}
	synced := make(chan error, 1)
	f := l.file
	go func() { synced <- f.Sync() }()
	l.settle()
	return <-synced
}

// full cuts off what did not fit, so that the file ends with a whole record.
func (l *Log) full(cause error) error {
	l.store.space.filled()
	if l.file != nil {
		if err := l.file.Truncate(l.size); err != nil {
			return l.fault(Fault{Kind: WriteFailed, Seq: l.durable, Cause: errors.Join(cause, err)})
		}
	}
	return l.fault(Fault{Kind: DiskFull, Seq: l.durable, Cause: cause})
}

// drop forgets a batch that is not durable, and all records after it: they were never acknowledged, and the writer sends
// them again from Next.
func (l *Log) drop(b *batch, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cur != nil {
		l.cur.free()
		l.cur = nil
	}
	l.next, l.chain = l.durable, l.tail
	if KindOf(err) == DiskFull {
		l.failed = err
	} else {
		l.broken = err
	}
	l.ring()
	b.free()
}
