package store

import (
	"sync"
	"time"

	"github.com/provenir/provenir/ledger"
)

// batch is what one sync makes durable.
type batch struct {
	buf      []byte
	marks    []mark
	leaves   []ledger.Hash
	volatile []volatile
	transit  []ledger.Hash // payloads that were taken over, and go from where their writer left them
	first    uint64
	chain    ledger.Hash // link after the last record
	opened   time.Time   // when the first record came
	due      bool        // close at once
	pool     *sync.Pool  // where it goes back to
}

// mark is a record's place in the batch, for the index.
type mark struct {
	at  uint32
	typ ledger.RecordType
	key uint64 // of a COMMIT record: the first event it speaks of
}

// volatile is a record's part that goes to the log timing.
type volatile struct {
	seq  uint64
	data []byte
}

func (b *batch) next() uint64 { return b.first + uint64(len(b.marks)) }

// maxPooled keeps a burst's buffer from staying in memory for ever.
const maxPooled = 12 << 20

// batches are shared by all logs: a thousand idle runs hold no buffer. Findings and timing have their own: a batch of
// timing is open for a second, and in a buffer that a megabyte of events went through it would keep that for so long.
var batches, small = newPool(), newPool()

func newPool() *sync.Pool { return &sync.Pool{New: func() any { return new(batch) }} }

func takeBatch(kind ledger.Log) *batch {
	pool := small
	if kind == ledger.Events {
		pool = batches
	}
	b := pool.Get().(*batch)
	b.pool = pool
	return b
}

func (b *batch) free() {
	if cap(b.buf) > maxPooled {
		return
	}
	clear(b.volatile)
	pool := b.pool
	*b = batch{buf: b.buf[:0], marks: b.marks[:0], leaves: b.leaves[:0], volatile: b.volatile[:0]}
	pool.Put(b)
}
