package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// Sealed tells whether events takes no more records, for good.
func (r *Run) Sealed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seal != nil
}

// Seal ends the log events and writes down the three checkpoints of that moment, durably. Findings and timing stay open
// for acknowledgements and repairs. Sealing again gives the same notes, with the cosignatures that came since.
func (r *Run) Seal(ctx context.Context, epoch uint64) ([][]byte, error) {
	r.mu.Lock()
	seal := r.seal
	err := r.allowed(epoch)
	r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if seal != nil {
		return sealNotes(seal)
	}
	if err := r.Log(ledger.Events).end(ctx); err != nil {
		return nil, fmt.Errorf("seal run %s: %w", r.ID, err)
	}
	for _, kind := range ledger.Logs {
		l := r.Log(kind)
		if kind != ledger.Events {
			if err := l.Flush(ctx); err != nil {
				return nil, fmt.Errorf("seal run %s: %w", r.ID, err)
			}
		}
		_, note := l.Checkpoint()
		seal = ledger.AppendHistory(seal, note)
	}
	if err := disk.WriteDurably(r.store.deps.Disk, path.Join(r.dir, sealFile), seal); err != nil {
		return nil, r.fault(WriteFailed, err)
	}
	r.mu.Lock()
	r.seal = seal
	r.mu.Unlock()
	return sealNotes(seal)
}

// SealNotes are the checkpoints of the seal, in the order of [ledger.Logs].
func (r *Run) SealNotes() ([][]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seal == nil {
		return nil, r.fault(Invalid, errors.New("the run is not sealed"))
	}
	return sealNotes(r.seal)
}

func sealNotes(seal []byte) ([][]byte, error) {
	var notes [][]byte
	h := ledger.NewHistoryReader(bytes.NewReader(seal))
	for range ledger.Logs {
		note, err := h.Next()
		if err != nil {
			return nil, fmt.Errorf("the seal is damaged: %w", err)
		}
		notes = append(notes, note)
	}
	return notes, nil
}

// end commits what is pending, writes the trailer and closes the log for records. It can be done again after a failure.
func (l *Log) end(ctx context.Context) error {
	ended := l.fault(Fault{Kind: Sealed})
	l.mu.Lock()
	if l.broken != nil && KindOf(l.broken) != Sealed {
		defer l.mu.Unlock()
		return l.broken
	}
	n := l.next
	if l.cur != nil {
		l.cur.due = true
		l.signal()
	}
	l.mu.Unlock()
	if err := l.Wait(ctx, n); err != nil {
		return err
	}
	return l.do(ctx, func() error {
		l.mu.Lock()
		late := l.next != n
		if !late {
			l.broken = ended // from here on appends are refused
		}
		l.mu.Unlock()
		if late {
			return l.fault(Fault{Kind: Invalid, Cause: errors.New("records were appended while the run was being sealed")})
		}
		if l.file != nil && !l.sealed && l.index.count > 0 {
			if err := l.sealSegment(); err != nil {
				l.mu.Lock()
				l.broken = nil
				l.mu.Unlock()
				return err
			}
		}
		return l.sign(true)
	})
}
