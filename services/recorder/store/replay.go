package store

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/provenir/provenir/ledger"
)

// replay reads along with a writer that sends again what it has sent before. A restart repeats a whole step, so the
// position is kept from record to record.
type replay struct {
	reader *reader
	next   uint64
}

func (p *replay) close() {
	if p.reader != nil {
		p.reader.close()
	}
}

// compare checks a repeated record against the recorded one. The caller holds appending and mu; mu is let go meanwhile.
func (l *Log) compare(ctx context.Context, e ledger.Entry) error {
	for e.Seq >= l.durable && l.broken == nil { // sent twice within a millisecond: let the first become durable
		n, bell := e.Seq+1, l.bell
		if l.cur != nil {
			l.cur.due = true
			l.signal()
		}
		l.mu.Unlock()
		var err error
		select {
		case <-bell:
		case <-ctx.Done():
			err = ctx.Err()
		}
		l.mu.Lock()
		if err != nil {
			return err
		}
		if l.next < n {
			return l.failed
		}
	}
	if e.Seq >= l.durable {
		return l.broken
	}
	got, err := l.recorded(ctx, e.Seq)
	if err != nil {
		return fmt.Errorf("read record %d to compare it: %w", e.Seq, err)
	}
	if e.Digest == (ledger.Hash{}) { // its group was erased, see protect
		e.Digest = got.Digest
	}
	if got != e {
		return l.fault(Fault{Kind: DivergentReplay, Seq: e.Seq})
	}
	return nil
}

// recorded reads an entry. It lets go of mu, which the reader takes, and keeps the place for the next one.
func (l *Log) recorded(ctx context.Context, seq uint64) (ledger.Entry, error) {
	p := l.replay
	l.mu.Unlock()
	defer l.mu.Lock()
	if p == nil || p.next != seq {
		if p != nil {
			p.close()
		}
		p = &replay{reader: l.reader(Query{From: seq})}
		l.replay = p
	}
	f, err := p.reader.next(ctx)
	if errors.Is(err, io.EOF) { // the log has grown since the reader was made
		p.reader.close()
		p.reader = l.reader(Query{From: seq})
		f, err = p.reader.next(ctx)
	}
	if err != nil {
		p.next = 0
		return ledger.Entry{}, err
	}
	p.next = seq + 1
	return f.Entry, nil
}
