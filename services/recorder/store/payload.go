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
		case f.Flags&ledger.StoredEncrypted != 0 && f.Flags&ledger.StoredAsBlob != 0:
			return l.sealedState(ctx, f)
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
	if _, _, _, sealed := f.SealedBlob(); !sealed && uint64(size) != f.Length || [32]byte(h.Sum(nil)) != f.BlobDigest() {
		return ledger.DigestWrong
	}
	return ledger.DigestOK
}

// sealedState checks an encrypted payload of the blob store: its ciphertext, and as far as keys are left what is in it.
func (l *Log) sealedState(ctx context.Context, f *ledger.Frame) ledger.DigestState {
	if l.store.deps.Blobs == nil {
		return ledger.DigestUnchecked
	}
	if state := l.blobState(ctx, f); state != ledger.DigestOK {
		return state
	}
	switch err := l.ReadBlob(ctx, f, io.Discard); {
	case err == nil:
		return ledger.DigestOK
	case KindOf(err) == Corrupt:
		return ledger.DigestWrong
	}
	return ledger.DigestUnchecked
}
