package recorder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/ship"
	"github.com/provenir/provenir/services/recorder/store"
)

// mendBlobs brings payloads of the blob store back that a report calls damaged or missing, from where they were shipped to.
// A copy of another digest is refused. While the store of copies cannot be reached nothing is said to be lost.
func (s *Service) mendBlobs(ctx context.Context, l *live, kind ledger.Log, report *ledger.Report) (restored [][]byte, err error) {
	if s.d.Copies == nil || s.d.Blobs == nil {
		return nil, nil
	}
	for _, d := range report.Damages {
		if d.Kind != ledger.PayloadMissing && d.Kind != ledger.AlteredPayload || d.FirstSeq != d.LastSeq {
			continue
		}
		digest, is, err := l.blobOf(ctx, kind, d.FirstSeq)
		if err != nil {
			return restored, err
		}
		if !is {
			continue
		}
		back, err := s.restoreBlob(ctx, digest)
		if err != nil {
			return restored, fmt.Errorf("payload of record %d: %w", d.FirstSeq, err)
		}
		if back {
			restored = append(restored, digest[:])
		}
	}
	return restored, nil
}

// blobOf is the blob that a record points to.
func (l *live) blobOf(ctx context.Context, kind ledger.Log, seq uint64) (digest [32]byte, is bool, err error) {
	for f, err := range l.log(kind).Stored(ctx, store.Query{From: seq, To: seq + 1}) {
		if store.KindOf(err) == store.Corrupt {
			return digest, false, nil // its record is damaged, not its payload
		}
		if err != nil {
			return digest, false, err
		}
		return f.BlobDigest(), f.Flags&ledger.StoredAsBlob != 0 && !f.Retired(), nil
	}
	return digest, false, nil
}

func (s *Service) restoreBlob(ctx context.Context, digest [32]byte) (bool, error) {
	r, err := ship.OpenBlob(ctx, s.d.Copies, digest)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, &store.Fault{Kind: store.CopyAway, Cause: err}
	}
	defer r.Close()
	err = s.d.Blobs.Restore(ctx, digest, r)
	if errors.Is(err, blob.ErrDigest) {
		s.d.Log.Error("the copy of a payload is refused", "blob", ship.BlobName(digest), "error", err.Error())
		return false, nil
	}
	return err == nil, err
}
