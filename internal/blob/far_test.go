package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestReadThrough(t *testing.T) {
	want := []byte("a blob that lies elsewhere")
	d := Digest(sha256.Sum256(want))
	away := errors.New("away")
	tests := []struct {
		name string
		far  Far
		err  error
	}{
		{"it is there", func(context.Context, Digest) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(want)), nil }, nil},
		{"it is nowhere", func(context.Context, Digest) (io.ReadCloser, error) { return nil, ErrMissing }, ErrMissing},
		{"other bytes", func(context.Context, Digest) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader([]byte("x"))), nil
		}, ErrDigest},
		{"away", func(context.Context, Digest) (io.ReadCloser, error) { return nil, away }, away},
		{"no other place", nil, ErrMissing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			s.ReadThrough(tt.far)
			if has, err := s.Has(t.Context(), d); has || err != nil {
				t.Errorf("it is said to be here: %v, %v", has, err)
			}
			if _, _, err := s.OpenHere(t.Context(), d); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("OpenHere looks elsewhere: %v", err)
			}
			got, err := s.Read(t.Context(), d, 1<<20)
			if !errors.Is(err, tt.err) || tt.err == nil && !bytes.Equal(got, want) {
				t.Errorf("%q, %v", got, err)
			}
			if has, err := s.Has(t.Context(), d); has != (tt.err == nil) || err != nil {
				t.Errorf("kept: %v, %v", has, err)
			}
			if left, _ := filepath.Glob(filepath.Join(s.dir, "tmp", "*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestRestore(t *testing.T) {
	want := []byte("a blob that is damaged")
	d := sha256.Sum256(want)
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Put(t.Context(), bytes.NewReader(want), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path(d), []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Restore(t.Context(), d, bytes.NewReader([]byte("other"))); !errors.Is(err, ErrDigest) {
		t.Errorf("other bytes: %v", err)
	}
	if err := s.Restore(t.Context(), d, bytes.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Read(t.Context(), d, 1<<20); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	f, size, err := s.OpenHere(t.Context(), d)
	if err != nil || size != int64(len(want)) {
		t.Fatalf("%d, %v", size, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
