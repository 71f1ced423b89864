package store

import (
	"context"
	"errors"
	"io"

	"github.com/provenir/provenir/ledger"
)

// ErrErased tells that a payload's key was destroyed on purpose, ErrNoKey that this recorder never had it.
var (
	ErrErased = errors.New("the group's key and salt were destroyed on purpose")
	ErrNoKey  = errors.New("the key is not in this recorder's database")
)

// Vault encrypts the payloads of salted runs.
type Vault interface {
	// Digest is what stands for a payload in the tree; ErrErased for a group that was erased.
	Digest(ctx context.Context, tenant, run, group string, seq uint64, payload []byte) (ledger.Hash, error)
	// Seal gives what is stored of a payload.
	Seal(ctx context.Context, tenant, run, group string, e ledger.Entry, payload []byte) ([]byte, error)
	// Open gives a frame's payload; ErrErased, ErrNoKey, or that it was changed.
	Open(ctx context.Context, f *ledger.Frame) ([]byte, error)
	// Readable tells whether a frame's key is here: nil, ErrErased or ErrNoKey.
	Readable(ctx context.Context, f *ledger.Frame) error
	// DigestBlob, SealBlob and OpenBlob are the same for a payload that is too large for a frame.
	DigestBlob(ctx context.Context, tenant, run, group string, seq uint64, plain io.Reader) (ledger.Hash, error)
	SealBlob(ctx context.Context, tenant, run, group string, e ledger.Entry, plain io.Reader, to io.Writer) (key [16]byte, nonce []byte, err error)
	OpenBlob(ctx context.Context, f *ledger.Frame, sealed io.Reader, to io.Writer) error
}

// protect digests and encrypts a record of an erasure group. Of one that is recorded already only the digest is needed.
// After an erasure nobody can tell any more whether a repeat is the same: its digest stays zero, which [Log.compare] takes
// for "type and length are all there is to compare".
func (l *Log) protect(ctx context.Context, r *Record, e *ledger.Entry, next uint64) error {
	if l.store.deps.Vault == nil {
		return l.fault(Fault{Kind: Invalid, Seq: r.Seq, Cause: errors.New("this recorder has no keys to encrypt a record of an erasure group with")})
	}
	if r.Blob != nil {
		return l.protectBlob(ctx, r, e, next)
	}
	v, run := l.store.deps.Vault, l.run
	var err error
	e.Digest, err = v.Digest(ctx, run.Tenant, run.ID, r.Group, r.Seq, r.Payload)
	if r.Seq < next {
		if errors.Is(err, ErrErased) {
			return nil
		}
		return err
	}
	if err == nil {
		r.sealed, err = v.Seal(ctx, run.Tenant, run.ID, r.Group, *e, r.Payload)
	}
	if errors.Is(err, ErrErased) {
		return l.fault(Fault{Kind: Erased, Seq: r.Seq, Cause: errors.New("nothing more can be written under its group; name another")})
	}
	return err
}

// unseal gives a frame as it was written. One whose group was erased stays as it is stored: [Unreadable] tells.
func (l *Log) unseal(ctx context.Context, f *ledger.Frame) (*ledger.Frame, error) {
	if f == nil || f.Flags&ledger.StoredEncrypted == 0 || f.Retired() {
		return f, nil
	}
	if l.store.deps.Vault == nil {
		return nil, l.fault(Fault{Kind: KeyLost, Seq: f.Seq})
	}
	var payload []byte
	var err error
	if f.Flags&ledger.StoredAsBlob != 0 {
		err = l.store.deps.Vault.Readable(ctx, f)
	} else {
		payload, err = l.store.deps.Vault.Open(ctx, f)
	}
	switch {
	case errors.Is(err, ErrErased):
		return f, nil
	case errors.Is(err, ErrNoKey):
		return nil, l.fault(Fault{Kind: KeyLost, Seq: f.Seq, Cause: err})
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, l.fault(Fault{Kind: Corrupt, FirstSeq: f.Seq, LastSeq: f.Seq, Cause: err})
	}
	plain := *f
	if f.Flags&ledger.StoredAsBlob != 0 {
		plain.Flags |= readable
		return &plain, nil
	}
	plain.Flags &^= ledger.StoredEncrypted
	plain.Stored = payload
	return &plain, nil
}

// readable marks, in memory, a frame whose encrypted payload lies in the blob store and whose key is here.
const readable ledger.FrameFlags = 1 << 15

// Unreadable tells why a frame has no payload: Erased or Retired, and empty for one that has.
func Unreadable(f *ledger.Frame) Kind {
	switch {
	case f.Retired():
		return Retired
	case f.Flags&(ledger.StoredEncrypted|readable) == ledger.StoredEncrypted:
		return Erased
	}
	return ""
}
