// Package blob keeps bytes by their SHA-256.
//
// A blob is written to a temporary name, synced, and renamed to its digest, so a name that exists is whole. Blobs are
// never changed; the same bytes twice are one file.
package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Digest is a SHA-256.
type Digest [sha256.Size]byte

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ParseDigest takes 32 raw bytes.
func ParseDigest(raw []byte) (Digest, error) {
	if len(raw) != sha256.Size {
		return Digest{}, fmt.Errorf("a digest has %d bytes, want %d", len(raw), sha256.Size)
	}
	return Digest(raw), nil
}

// ErrMissing is the answer for a blob that is not there.
var ErrMissing = errors.New("blob is not in the store")

// ErrDigest is the answer for bytes that are not what they were said to be.
var ErrDigest = errors.New("bytes do not have the digest they were sent under")

// Store is a folder of blobs.
type Store struct {
	dir string
	far Far // nil where there is no other place

	packing sync.Mutex
	open    []*Pack // of this process
}

// Open makes the folder if need be.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o700); err != nil {
		return nil, fmt.Errorf("open blob store: %w", err)
	}
	return &Store{dir: dir}, nil
}

func (s *Store) path(d Digest) string {
	name := d.String()
	return filepath.Join(s.dir, name[:2], name)
}

// Put stores what r gives. With want it refuses other bytes (ErrDigest) and keeps nothing.
func (s *Store) Put(ctx context.Context, r io.Reader, want *Digest) (Digest, int64, error) {
	if want != nil {
		if size, err := s.Stat(ctx, *want); err == nil {
			return *want, size, drain(ctx, r)
		}
	}
	return s.put(ctx, r, want)
}

func (s *Store) put(ctx context.Context, r io.Reader, want *Digest) (Digest, int64, error) {
	tmp, file, err := s.take(ctx, r, want)
	if err != nil {
		return Digest{}, 0, err
	}
	defer os.Remove(tmp) // gone after the rename; else it is what a failed put left
	return file.digest, file.size, s.publish(tmp, file.digest)
}

// taken is a file that has no name of its own yet.
type taken struct {
	digest Digest
	size   int64
}

// take writes what r gives to a temporary file, durably. The caller removes it.
func (s *Store) take(ctx context.Context, r io.Reader, want *Digest) (name string, is taken, err error) {
	tmp, err := os.CreateTemp(filepath.Join(s.dir, "tmp"), "put-*")
	if err != nil {
		return "", is, fmt.Errorf("put blob: %w", err)
	}
	hash := sha256.New()
	is.size, err = io.Copy(io.MultiWriter(tmp, hash), contextReader{ctx, r})
	if err == nil {
		err = tmp.Sync()
	}
	is.digest = Digest(hash.Sum(nil))
	if err = errors.Join(err, tmp.Close()); err != nil {
		err = fmt.Errorf("put blob: %w", err)
	} else if want != nil && is.digest != *want {
		err = fmt.Errorf("put blob %s: got %s: %w", want, is.digest, ErrDigest)
	}
	if err != nil {
		return "", is, errors.Join(err, os.Remove(tmp.Name()))
	}
	return tmp.Name(), is, nil
}

func (s *Store) publish(tmp string, d Digest) error {
	if _, err := os.Stat(s.path(d)); err == nil {
		return nil
	}
	return s.place(tmp, d)
}

func (s *Store) place(tmp string, d Digest) error {
	final := s.path(d)
	if err := os.MkdirAll(filepath.Dir(final), 0o700); err != nil {
		return fmt.Errorf("put blob %s: %w", d, err)
	}
	if err := os.Rename(tmp, final); err != nil {
		return fmt.Errorf("put blob %s: %w", d, err)
	}
	return SyncDir(filepath.Dir(final))
}

// Open reads a blob, here or from elsewhere (see [Store.ReadThrough]); the caller closes it.
func (s *Store) Open(ctx context.Context, d Digest) (*os.File, error) {
	f, err := s.here(ctx, d)
	if !errors.Is(err, ErrMissing) || s.far == nil {
		return f, err
	}
	if err := s.fetch(ctx, d); err != nil {
		return nil, fmt.Errorf("blob %s: %w", d, err)
	}
	return s.here(ctx, d)
}

func (s *Store) here(ctx context.Context, d Digest) (*os.File, error) {
	f, err := os.Open(s.path(d))
	if errors.Is(err, fs.ErrNotExist) {
		switch err := s.unpack(ctx, d); {
		case err == nil:
			return os.Open(s.path(d))
		case !errors.Is(err, ErrMissing):
			return nil, fmt.Errorf("blob %s: %w", d, err)
		}
		return nil, fmt.Errorf("blob %s: %w", d, ErrMissing)
	}
	return f, err
}

// Read reads a whole blob of at most limit bytes and checks its digest: a disk may lie.
func (s *Store) Read(ctx context.Context, d Digest, limit int64) ([]byte, error) {
	f, err := s.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", d, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("blob %s is larger than %d bytes", d, limit)
	}
	if Digest(sha256.Sum256(b)) != d {
		return nil, fmt.Errorf("read blob %s: %w", d, ErrDigest)
	}
	return b, nil
}

// Stat gives the size, or ErrMissing.
func (s *Store) Stat(ctx context.Context, d Digest) (int64, error) {
	info, err := os.Stat(s.path(d))
	if errors.Is(err, fs.ErrNotExist) {
		if _, at, err := s.find(ctx, d); err == nil {
			return at.size, nil
		} else if !errors.Is(err, ErrMissing) {
			return 0, fmt.Errorf("blob %s: %w", d, err)
		}
		return 0, fmt.Errorf("blob %s: %w", d, ErrMissing)
	}
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Has says whether a blob is there.
func (s *Store) Has(ctx context.Context, d [sha256.Size]byte) (bool, error) {
	_, err := s.Stat(ctx, d)
	if errors.Is(err, ErrMissing) {
		return false, nil
	}
	return err == nil, err
}

// SyncDir makes a rename in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func drain(ctx context.Context, r io.Reader) error {
	_, err := io.Copy(io.Discard, contextReader{ctx, r})
	return err
}

type contextReader struct {
	ctx context.Context //nolint:containedctx // an io.Reader has no other way to learn that its caller has gone
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
