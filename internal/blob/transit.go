package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const transitFolder = "transit"

func (s *Store) transit(d Digest) string { return filepath.Join(s.dir, transitFolder, d.String()) }

// PutTransit keeps a blob apart until somebody takes it over: what must not stay as it is, because it will be encrypted,
// never gets among the others. It is found by [Store.OpenTransit] alone.
func (s *Store) PutTransit(ctx context.Context, r io.Reader, want Digest) (int64, error) {
	tmp, is, err := s.take(ctx, r, &want)
	if err != nil {
		return 0, err
	}
	defer os.Remove(tmp)
	dir := filepath.Join(s.dir, transitFolder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, fmt.Errorf("put blob %s: %w", want, err)
	}
	if err := os.Rename(tmp, s.transit(want)); err != nil {
		return 0, fmt.Errorf("put blob %s: %w", want, err)
	}
	return is.size, SyncDir(dir)
}

// OpenTransit reads a blob that was put apart; fs.ErrNotExist where there is none.
func (s *Store) OpenTransit(_ context.Context, d [32]byte) (io.ReadSeekCloser, int64, error) {
	f, err := os.Open(s.transit(d))
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// DropTransit removes a blob that was put apart and has been taken over.
func (s *Store) DropTransit(_ context.Context, d [32]byte) error {
	if err := os.Remove(s.transit(d)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// SweepTransit removes what nobody has taken over since a time.
func (s *Store) SweepTransit(_ context.Context, before time.Time) error {
	dir := filepath.Join(s.dir, transitFolder)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if info, infoErr := e.Info(); infoErr == nil && info.ModTime().Before(before) {
			if e := os.Remove(filepath.Join(dir, e.Name())); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}
	return err
}

// Keep stores what r gives, and says under which digest.
func (s *Store) Keep(ctx context.Context, r io.Reader) ([32]byte, error) {
	d, _, err := s.Put(ctx, r, nil)
	return d, err
}

// Remove deletes a blob. It is for those that nobody else can point to, such as a payload under a key of its own.
func (s *Store) Remove(_ context.Context, d [32]byte) error {
	if err := os.Remove(s.path(d)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove blob %s: %w", Digest(d), err)
	}
	return nil
}
