package blob

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"
	"testing"
	"time"
)

func TestTransit(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	content := []byte("what must not stay")
	d := sha256.Sum256(content)
	if _, _, err := s.OpenTransit(t.Context(), d); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before: %v", err)
	}
	if _, err := s.PutTransit(t.Context(), bytes.NewReader([]byte("other")), d); !errors.Is(err, ErrDigest) {
		t.Errorf("other bytes: %v", err)
	}
	for range 2 { // sent again
		if n, err := s.PutTransit(t.Context(), bytes.NewReader(content), d); err != nil || n != int64(len(content)) {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if has, err := s.Has(t.Context(), d); has || err != nil {
		t.Errorf("it is among the others: %v, %v", has, err)
	}
	if _, err := s.Read(t.Context(), d, 1<<20); !errors.Is(err, ErrMissing) {
		t.Errorf("it can be read like the others: %v", err)
	}
	f, size, err := s.OpenTransit(t.Context(), d)
	if err != nil || size != int64(len(content)) {
		t.Fatalf("%d, %v", size, err)
	}
	got, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%q, %v", got, err)
	}
	if err := s.SweepTransit(t.Context(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.transit(d)); err != nil {
		t.Errorf("swept too early: %v", err)
	}
	if err := s.SweepTransit(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // what is gone is gone
		if err := s.DropTransit(t.Context(), d); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(s.transit(d)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("not swept: %v", err)
	}
}

func TestKeepAndRemove(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Keep(t.Context(), bytes.NewReader([]byte("ciphertext")))
	if err != nil || d != sha256.Sum256([]byte("ciphertext")) {
		t.Fatalf("%x, %v", d, err)
	}
	for range 2 {
		if err := s.Remove(t.Context(), d); err != nil {
			t.Error(err)
		}
	}
	if has, err := s.Has(t.Context(), d); has || err != nil {
		t.Errorf("%v, %v", has, err)
	}
}
