package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/provenir/provenir/ledger"
)

// protectBlob takes a payload over that is too large for a frame: it is read from where the writer left it apart, and only
// its ciphertext gets among the blobs. What was left goes when the record is durable. Of one that is recorded already the
// digest is left open: [Log.sameBlob] compares the bytes.
func (l *Log) protectBlob(ctx context.Context, r *Record, e *ledger.Entry, next uint64) error {
	d := l.store.deps
	if d.Transit == nil {
		return l.fault(Fault{Kind: Invalid, Seq: r.Seq, Cause: errors.New("this recorder has no place for large payloads of salted runs")})
	}
	if r.Seq < next {
		e.Digest = ledger.Hash{}
		return nil
	}
	body, size, err := d.Transit.OpenTransit(ctx, r.Blob.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		return l.fault(Fault{Kind: BlobMissing, Seq: r.Seq, Cause: errors.New("in a salted run it must be uploaded as transient, so that its plain bytes do not stay")})
	}
	if err != nil {
		return fmt.Errorf("read the payload of record %d: %w", r.Seq, err)
	}
	defer body.Close()
	if uint64(size) != r.Blob.Size {
		return l.fault(Fault{Kind: Invalid, Seq: r.Seq, Cause: fmt.Errorf("its payload has %d bytes, the record says %d", size, r.Blob.Size)})
	}
	if e.Digest, err = d.Vault.DigestBlob(ctx, l.run.Tenant, l.run.ID, r.Group, r.Seq, body); err == nil {
		_, err = body.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = l.sealBlob(ctx, r, *e, body)
	}
	if errors.Is(err, ErrErased) {
		return l.fault(Fault{Kind: Erased, Seq: r.Seq, Cause: errors.New("nothing more can be written under its group; name another")})
	}
	return err
}

// sealBlob writes the ciphertext among the blobs while it is made.
func (l *Log) sealBlob(ctx context.Context, r *Record, e ledger.Entry, body io.Reader) error {
	from, to := io.Pipe()
	type made struct {
		key   [16]byte
		nonce []byte
		err   error
	}
	done := make(chan made, 1)
	go func() {
		key, nonce, err := l.store.deps.Vault.SealBlob(ctx, l.run.Tenant, l.run.ID, r.Group, e, body, to)
		to.CloseWithError(err)
		done <- made{key, nonce, err}
	}()
	sum, err := l.store.deps.Transit.Keep(ctx, from)
	from.CloseWithError(io.ErrClosedPipe) // where the store gave up the writer must, too
	m := <-done
	if err == nil {
		err = m.err
	} else if errors.Is(m.err, ErrErased) {
		err = m.err
	}
	if err != nil {
		return fmt.Errorf("store the payload of record %d: %w", r.Seq, err)
	}
	r.sealed = ledger.SealedBlobPayload(r.Blob.Size, m.key, sum, m.nonce, r.Blob.MediaType)
	return nil
}

// dropTransit removes what the writers of durable records left. A file that stays is swept later.
func (l *Log) dropTransit(taken []ledger.Hash) {
	for _, d := range taken {
		if err := l.store.deps.Transit.DropTransit(context.Background(), d); err != nil {
			l.store.deps.Log.Warn("a payload that was taken over was not removed from transit", "run", l.run.ID, "error", err.Error())
		}
	}
}

// sameBlob compares a repeated record's payload with the recorded one, by the plain digest that the writer gives. After an
// erasure nobody can tell any more; type and length were compared. The caller holds appending and mu; mu is let go
// meanwhile.
func (l *Log) sameBlob(ctx context.Context, r *Record) error {
	l.mu.Unlock()
	defer l.mu.Lock()
	for f, err := range l.Stored(ctx, Query{From: r.Seq, To: r.Seq + 1}) {
		if err != nil {
			return fmt.Errorf("read record %d to compare it: %w", r.Seq, err)
		}
		if _, _, _, sealed := f.SealedBlob(); !sealed { // it was small enough for its frame
			return l.fault(Fault{Kind: DivergentReplay, Seq: r.Seq})
		}
		h := sha256.New()
		err := l.ReadBlob(ctx, f, h)
		if KindOf(err) == Erased {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read record %d to compare it: %w", r.Seq, err)
		}
		if !bytes.Equal(h.Sum(nil), r.Blob.Digest[:]) {
			return l.fault(Fault{Kind: DivergentReplay, Seq: r.Seq})
		}
	}
	l.dropTransit([]ledger.Hash{r.Blob.Digest}) // it was left again, or a crash left it
	return nil
}

// ReadBlob writes the payload of a frame that points to the blob store, decrypted where it is encrypted. Bytes that were
// written before an error count for nothing.
func (l *Log) ReadBlob(ctx context.Context, f *ledger.Frame, to io.Writer) error {
	if l.store.deps.Blobs == nil {
		return l.fault(Fault{Kind: BlobMissing, Seq: f.Seq, Cause: errors.New("this recorder has no blob store")})
	}
	_, _, _, sealed := f.SealedBlob()
	if sealed {
		if err := l.keyOf(ctx, f); err != nil {
			return err
		}
	}
	body, _, err := l.store.deps.Blobs.OpenHere(ctx, f.BlobDigest())
	if errors.Is(err, fs.ErrNotExist) {
		return l.fault(Fault{Kind: BlobMissing, Seq: f.Seq, Cause: errors.New("it is not in the blob store any more; `provenir ledger repair` fetches it from where it was shipped to")})
	}
	if err != nil {
		return err
	}
	defer body.Close()
	if sealed {
		err = l.store.deps.Vault.OpenBlob(ctx, f, body, to)
	} else {
		h := sha256.New()
		if _, err = io.Copy(io.MultiWriter(h, to), body); err == nil && [32]byte(h.Sum(nil)) != f.BlobDigest() {
			err = errors.New("the blob is not the one that was recorded")
		}
	}
	if err != nil && ctx.Err() == nil {
		return l.fault(Fault{Kind: Corrupt, FirstSeq: f.Seq, LastSeq: f.Seq, Cause: err})
	}
	return err
}

// keyOf tells why an encrypted payload cannot be read.
func (l *Log) keyOf(ctx context.Context, f *ledger.Frame) error {
	if l.store.deps.Vault == nil {
		return l.fault(Fault{Kind: KeyLost, Seq: f.Seq})
	}
	switch err := l.store.deps.Vault.Readable(ctx, f); {
	case errors.Is(err, ErrErased):
		return l.fault(Fault{Kind: Erased, Seq: f.Seq})
	case errors.Is(err, ErrNoKey):
		return l.fault(Fault{Kind: KeyLost, Seq: f.Seq, Cause: err})
	default:
		return err
	}
}

// dropSealedBlobs deletes the ciphertexts that the records of a segment point to. Each was made for one record, under a nonce
// of its own, so nothing else can point to it; a plain payload may be shared, and stays.
func (l *Log) dropSealedBlobs(ctx context.Context, n uint64) error {
	if l.store.deps.Transit == nil {
		return nil
	}
	l.mu.Lock()
	s := l.segs[n]
	l.mu.Unlock()
	f, s, _, err := l.openSegmentFile(s)
	if err != nil {
		return err
	}
	defer f.Close()
	for scan := ledger.NewScanner(f, ledger.HeaderSize, s.size); scan.Next(); {
		if _, ciphertext, _, ok := scan.Frame().SealedBlob(); ok {
			if err := l.store.deps.Transit.Remove(ctx, ciphertext); err != nil {
				return fmt.Errorf("retire the payload of record %d: %w", scan.Frame().Seq, err)
			}
		}
	}
	return ctx.Err()
}
