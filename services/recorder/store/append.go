package store

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/provenir/provenir/ledger"
)

// MaxInline is the largest payload that a frame holds; larger ones go by digest through the blob store.
const MaxInline = 256 << 10

// Append encodes records that the writer has numbered. It does not wait for the disk: a record is durable when Wait
// says so. Records up to the one that an error names have been taken.
//
// A number below the next one is a replay: the same content is nothing new, other content is DivergentReplay.
func (l *Log) Append(ctx context.Context, epoch uint64, recs []Record) error {
	if err := l.run.mayWrite(epoch); err != nil {
		return err
	}
	l.appending.Lock()
	defer l.appending.Unlock()
	return l.append(ctx, recs, false)
}

// AppendNext encodes records that the log numbers itself, for findings and timing, and returns the first number.
func (l *Log) AppendNext(ctx context.Context, recs []Record) (first uint64, err error) {
	l.appending.Lock()
	defer l.appending.Unlock()
	first = l.Next()
	for i := range recs {
		recs[i].Seq = first + uint64(i)
	}
	return first, l.append(ctx, recs, true)
}

func (l *Log) append(ctx context.Context, recs []Record, numbered bool) error {
	entries, err := l.entries(ctx, recs)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range recs {
		if err := l.writable(); err != nil {
			return err
		}
		switch {
		case recs[i].Seq > l.next, recs[i].Seq < l.next && numbered:
			return l.fault(Fault{Kind: OutOfOrder, Seq: recs[i].Seq, Want: l.next})
		case recs[i].Seq < l.next:
			if err := l.compare(ctx, entries[i]); err != nil {
				return err
			}
			if recs[i].Group != "" && recs[i].Blob != nil {
				if err := l.sameBlob(ctx, &recs[i]); err != nil {
					return err
				}
			}
		case recs[i].Group != "" && recs[i].sealed == nil: // records before it were dropped meanwhile: it comes anew, never bare
			return l.fault(Fault{Kind: OutOfOrder, Seq: recs[i].Seq, Want: l.next})
		default:
			if err := l.room(ctx); err != nil {
				return err
			}
			l.encode(&recs[i], entries[i])
		}
	}
	return nil
}

// entries hashes the payloads. It does so before the lock is taken: at 16 KiB hashing is most of the work, and the
// committer must not wait for it.
func (l *Log) entries(ctx context.Context, recs []Record) ([]ledger.Entry, error) {
	entries, next := make([]ledger.Entry, len(recs)), l.Next()
	for i := range recs {
		r := &recs[i]
		if !r.Type.Valid() {
			return nil, l.fault(Fault{Kind: Invalid, Seq: r.Seq, Cause: fmt.Errorf("record %d has type %d", r.Seq, r.Type)})
		}
		entries[i] = ledger.Entry{Seq: r.Seq, Type: r.Type, Length: uint64(len(r.Payload))}
		if r.Blob == nil {
			if len(r.Payload) > MaxInline {
				return nil, l.fault(Fault{Kind: TooLarge, Seq: r.Seq})
			}
			if r.Group == "" {
				r.Digest = sha256.Sum256(r.Payload)
				entries[i].Digest = r.Digest
			} else if err := l.protect(ctx, r, &entries[i], next); err != nil {
				return nil, err
			}
			continue
		}
		if len(r.Payload) > 0 {
			return nil, l.fault(Fault{Kind: Invalid, Seq: r.Seq, Cause: fmt.Errorf("record %d has both a payload and a blob", r.Seq)})
		}
		entries[i].Digest, entries[i].Length = r.Blob.Digest, r.Blob.Size
		if r.Group != "" {
			if err := l.protect(ctx, r, &entries[i], next); err != nil {
				return nil, err
			}
			continue
		}
		has := false
		if l.store.deps.Blobs != nil {
			var err error
			if has, err = l.store.deps.Blobs.Has(ctx, r.Blob.Digest); err != nil {
				return nil, fmt.Errorf("look for the blob of record %d: %w", r.Seq, err)
			}
		}
		if !has {
			return nil, l.fault(Fault{Kind: BlobMissing, Seq: r.Seq})
		}
	}
	return entries, nil
}

// room waits while two batches are full: the writer must not outrun the disk by more than that. The caller holds mu.
func (l *Log) room(ctx context.Context) error {
	for l.cur != nil && len(l.cur.buf) >= 2*l.store.cfg.BatchBytes {
		bell := l.bell
		l.mu.Unlock()
		select {
		case <-bell:
		case <-ctx.Done():
		}
		l.mu.Lock()
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.writable(); err != nil {
			return err
		}
	}
	return nil
}

// encode appends one record to the open batch. The caller holds mu.
func (l *Log) encode(r *Record, e ledger.Entry) {
	b := l.cur
	if b == nil {
		b = takeBatch(l.kind)
		b.first, b.opened = l.next, l.store.deps.Clock.Now()
		l.cur = b
		l.signal()
	}
	f := ledger.Frame{Entry: e, Prev: l.chain, Stored: r.Payload}
	switch {
	case r.sealed != nil && r.Blob != nil:
		f.Flags, f.Stored = ledger.StoredEncrypted|ledger.StoredAsBlob, r.sealed
		b.transit = append(b.transit, r.Blob.Digest)
	case r.sealed != nil:
		f.Flags, f.Stored = ledger.StoredEncrypted, r.sealed
	case r.Blob != nil:
		f.Flags, f.Stored = ledger.StoredAsBlob, ledger.BlobPayload(r.Blob.Size, r.Blob.MediaType)
	}
	b.marks = append(b.marks, mark{at: uint32(len(b.buf)), typ: r.Type, key: commitKey(r.Type, r.Payload)})
	b.buf = ledger.AppendFrame(b.buf, &f)
	leaf, chain := e.Hashes(l.chain)
	b.leaves = append(b.leaves, leaf)
	l.chain, b.chain = chain, chain
	if len(r.Volatile) > 0 {
		b.volatile = append(b.volatile, volatile{seq: e.Seq, data: append([]byte(nil), r.Volatile...)})
	}
	l.next++
	// A reward waits for nobody: closing here instead of after the linger time more than doubles the rate of strict
	// rounds. The commit starts when the caller lets go of the lock, so the rewards of one call share it.
	if r.Type == ledger.Reward || len(b.marks) >= l.store.cfg.BatchRecords || len(b.buf) >= l.store.cfg.BatchBytes {
		if !b.due {
			b.due = true
			l.signal()
		}
	}
}
