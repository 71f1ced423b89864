package ship

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/provenir/provenir/ledger"
)

// Blobs are the payloads that lie outside of the logs, by SHA-256; fs.ErrNotExist where there is none.
type Blobs interface {
	OpenHere(ctx context.Context, sha256 [32]byte) (io.ReadSeekCloser, int64, error)
}

// BlobName is a payload in the store. Runs share it, as they share the file here.
func BlobName(d [32]byte) string { return "blobs/sha256/" + hex.EncodeToString(d[:]) }

// blobs ships the payloads that records point to, in a part of a segment's file. They go out before the records count as
// shipped. One that is not here is no reason to keep the records from the store: it is logged and counted as damage.
func (s *Shipper) blobs(ctx context.Context, dir string, file io.ReaderAt, from, to int64) error {
	if s.d.Blobs == nil {
		return nil
	}
	for scan := ledger.NewScanner(file, from, to); scan.Next(); {
		f := scan.Frame()
		if f.Flags&ledger.StoredAsBlob == 0 || f.Retired() {
			continue
		}
		err := s.blob(ctx, f.BlobDigest())
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errConflict):
			s.d.Counts.failed(failedDamage)
			s.d.Log.Error("a payload of a record is not shipped", "log", dir, "seq", f.Seq, "error", err.Error())
		case err != nil:
			return err
		}
	}
	return nil
}

// blob ships one payload, unless the store has it. What is here is read once before it goes: a damaged payload under a name
// that can never be given again would be worse than none.
func (s *Shipper) blob(ctx context.Context, d [32]byte) error {
	name := BlobName(d)
	if o, err := s.d.Remote.Head(ctx, name); err == nil && o.SHA256 != nil && *o.SHA256 == d {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.d.Counts.failed(failedStore)
		return &unreachable{err}
	}
	body, size, err := s.d.Blobs.OpenHere(ctx, d)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer body.Close()
	h := sha256.New()
	if _, err := io.Copy(h, body); err != nil {
		return s.local(err)
	}
	if [32]byte(h.Sum(nil)) != d {
		return fmt.Errorf("%w: %s is damaged here", errConflict, name)
	}
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return s.local(err)
	}
	if err := s.put(ctx, name, body, size, d); err != nil {
		return err
	}
	if err := s.confirm(ctx, name, size, d); err != nil {
		return err
	}
	s.d.Counts.blob(size)
	return nil
}

// Ranges reads parts of objects.
type Ranges interface {
	ReadRange(ctx context.Context, name string, p []byte, off int64) (int, error)
}

// OpenBlob reads a payload from the store; fs.ErrNotExist where it has none. Whoever reads it compares the digest.
func OpenBlob(ctx context.Context, from Ranges, d [32]byte) (io.ReadCloser, error) {
	r := &blobReader{ctx: ctx, from: from, name: BlobName(d), buf: make([]byte, 1<<20)}
	if err := r.load(); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return r, nil
}

// blobReader reads an object from its beginning to its end.
type blobReader struct {
	ctx  context.Context //nolint:containedctx // an io.Reader has no other way to learn that its caller has gone
	from Ranges
	name string
	at   int64
	buf  []byte
	rest []byte
	end  bool
}

func (r *blobReader) load() error {
	n, err := r.from.ReadRange(r.ctx, r.name, r.buf, r.at)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	r.rest, r.at, r.end = r.buf[:n], r.at+int64(n), err != nil
	return err
}

// Read gives the next bytes.
func (r *blobReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 && !r.end {
		if err := r.load(); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
	}
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close lets the buffer go.
func (r *blobReader) Close() error {
	r.buf, r.rest, r.end = nil, nil, true
	return nil
}
