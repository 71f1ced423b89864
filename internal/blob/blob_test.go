package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPutThenRead(t *testing.T) {
	s := open(t)
	for range 2 { // the second put finds the first
		d, size, err := s.Put(t.Context(), strings.NewReader("hello"), nil)
		if err != nil || size != 5 || d != sha256.Sum256([]byte("hello")) {
			t.Fatalf("Put: %s, %d, %v", d, size, err)
		}
		b, err := s.Read(t.Context(), d, 5)
		if err != nil || string(b) != "hello" {
			t.Fatalf("Read: %q, %v", b, err)
		}
	}
}

func TestRefusesOtherBytesAndKeepsNothing(t *testing.T) {
	s := open(t)
	want := Digest(sha256.Sum256([]byte("right")))
	if _, _, err := s.Put(t.Context(), strings.NewReader("wrong"), &want); !errors.Is(err, ErrDigest) {
		t.Errorf("got %v, want ErrDigest", err)
	}
	if ok, err := s.Has(t.Context(), want); ok || err != nil {
		t.Errorf("Has: %v, %v", ok, err)
	}
	left, err := os.ReadDir(filepath.Join(s.dir, "tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("left in tmp: %v, %v", left, err)
	}
}

func TestADiskThatLiesIsFound(t *testing.T) {
	s := open(t)
	d, _, err := s.Put(t.Context(), strings.NewReader("hello"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.path(d), []byte("hellO"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(t.Context(), d, 100); !errors.Is(err, ErrDigest) {
		t.Errorf("got %v, want ErrDigest", err)
	}
}

func TestMissingAndTooLarge(t *testing.T) {
	s := open(t)
	if _, err := s.Read(t.Context(), Digest{1}, 10); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v, want ErrMissing", err)
	}
	d, _, err := s.Put(t.Context(), strings.NewReader("0123456789"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(t.Context(), d, 9); err == nil {
		t.Error("a blob above the limit was read")
	}
	if _, err := ParseDigest([]byte("short")); err == nil {
		t.Error("a short digest was taken")
	}
}

func TestACancelledPutKeepsNothing(t *testing.T) {
	s := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Put(ctx, strings.NewReader("hello"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
