package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// Far finds a blob elsewhere; [ErrMissing] where it is not.
type Far func(ctx context.Context, d Digest) (io.ReadCloser, error)

// ReadThrough lets Open and Read fetch what is not here from elsewhere, and keep it: the digest tells whether it is the
// blob. It is called before the store is used. What is asked about with Stat or Has is answered for this folder alone: a
// writer that relies on it must not depend on another place.
func (s *Store) ReadThrough(far Far) { s.far = far }

// fetch brings a blob from elsewhere.
func (s *Store) fetch(ctx context.Context, d Digest) error {
	if s.far == nil {
		return ErrMissing
	}
	r, err := s.far(ctx, d)
	if err != nil {
		return err
	}
	_, _, err = s.put(ctx, r, &d)
	return errors.Join(err, r.Close())
}

// OpenHere reads a blob of this folder, and looks nowhere else.
func (s *Store) OpenHere(ctx context.Context, d [32]byte) (io.ReadSeekCloser, int64, error) {
	f, err := s.here(ctx, d)
	if errors.Is(err, ErrMissing) {
		return nil, 0, fmt.Errorf("%w: %w", err, fs.ErrNotExist)
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// Restore puts a blob in the place of one that is damaged, or missing. Other bytes than the digest's are refused, and what
// is here stays.
func (s *Store) Restore(ctx context.Context, d [32]byte, r io.Reader) error {
	tmp, _, err := s.take(ctx, r, (*Digest)(&d))
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	return s.place(tmp, d)
}
