package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"

	"github.com/provenir/provenir/ledger"
)

// digestOf lets a verification look into payloads that are no plain bytes of their frame: encrypted ones as far as keys are
// left, and those in the blob store.
func (l *Log) digestOf(ctx context.Context) func(*ledger.Frame) ledger.DigestState {
	return func(f *ledger.Frame) ledger.DigestState {
		switch {
		case f.Flags&ledger.StoredEncrypted != 0 && l.store.deps.Vault != nil:
			_, err := l.store.deps.Vault.Open(ctx, f)
			switch {
			case err == nil:
				return ledger.DigestOK
			case errors.Is(err, ErrErased), errors.Is(err, ErrNoKey), ctx.Err() != nil:
				return ledger.DigestUnchecked
			}
			return ledger.DigestWrong
		case f.Flags&ledger.StoredAsBlob != 0 && l.store.deps.Blobs != nil:
			return l.blobState(ctx, f)
		}
		return ledger.DigestUnchecked
	}
}

// blobState hashes a payload of the blob store.
func (l *Log) blobState(ctx context.Context, f *ledger.Frame) ledger.DigestState {
	body, size, err := l.store.deps.Blobs.OpenHere(ctx, f.BlobDigest())
	if errors.Is(err, fs.ErrNotExist) {
		return ledger.DigestMissing
	}
	if err != nil {
		return ledger.DigestUnchecked
	}
	h := sha256.New()
	_, err = io.Copy(h, body)
	if err = errors.Join(err, body.Close()); err != nil {
		return ledger.DigestUnchecked
	}
	if uint64(size) != f.Length || [32]byte(h.Sum(nil)) != f.BlobDigest() {
		return ledger.DigestWrong
	}
	return ledger.DigestOK
}
