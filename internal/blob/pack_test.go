package blob

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func small(i int) []byte { return bytes.Repeat([]byte(fmt.Sprintf("evidence %d ", i)), 1+i%9) }

func TestPackedBlobsAreFoundLikeOthers(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := s.NewPack()
	for i := range 500 {
		d, err := p.Put(small(i))
		if err != nil || d != Digest(sha256.Sum256(small(i))) {
			t.Fatalf("%v, %v", d, err)
		}
	}
	all := func(s *Store, when string) {
		t.Helper()
		for i := range 500 {
			d := Digest(sha256.Sum256(small(i)))
			if size, err := s.Stat(t.Context(), d); err != nil || size != int64(len(small(i))) {
				t.Fatalf("%s: %d: %d bytes, %v", when, i, size, err)
			}
			if i%50 != 0 {
				continue
			}
			if b, err := s.Read(t.Context(), d, 1<<20); err != nil || !bytes.Equal(b, small(i)) {
				t.Fatalf("%s: %d: %q, %v", when, i, b, err)
			}
			if err := os.Remove(s.path(d)); err != nil { // the file of its own that reading made
				t.Fatal(err)
			}
		}
		if _, err := s.Stat(t.Context(), Digest{1}); !errors.Is(err, ErrMissing) {
			t.Errorf("%s: a blob that is not there: %v", when, err)
		}
		if _, err := s.Open(t.Context(), Digest{1}); !errors.Is(err, ErrMissing) {
			t.Errorf("%s: open a blob that is not there: %v", when, err)
		}
	}
	all(s, "while it is written")
	if err := p.Sync(); err != nil {
		t.Fatal(err)
	}
	other, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	all(other, "from another process")
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, packFolder, "*"+indexEnd)); len(found) != 1 {
		t.Fatalf("%d indexes", len(found))
	}
	all(other, "closed, by its index")
}

func TestWhatIsPutAgainSoonIsWrittenOnce(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	p := s.NewPack()
	for range 3 {
		for i := range packRecent {
			if _, err := p.Put(small(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(p.index) != packRecent {
		t.Errorf("%d blobs were written, want %d", len(p.index), packRecent)
	}
	for i := range 2 * packRecent { // the memory has an end
		if _, err := p.Put(small(packRecent + i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.recent) != packRecent || len(p.ring) != packRecent {
		t.Errorf("%d and %d are remembered", len(p.recent), len(p.ring))
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

// A crash cuts a pack off anywhere: what is whole is found, and nothing else.
func TestATornPack(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := s.NewPack()
	for i := range 3 {
		if _, err := p.Put(small(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Sync(); err != nil {
		t.Fatal(err)
	}
	name := p.file.Name()
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	ends := []int{0}
	for i := range 3 {
		ends = append(ends, ends[i]+packHead+len(small(i)))
	}
	for cut := range len(whole) {
		if err := os.WriteFile(name, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		fresh := &Store{dir: dir}
		for i := range 3 {
			_, err := fresh.Stat(t.Context(), Digest(sha256.Sum256(small(i))))
			if there := cut >= ends[i+1]; there != (err == nil) || err != nil && !errors.Is(err, ErrMissing) {
				t.Fatalf("cut at %d of %d: blob %d: %v", cut, len(whole), i, err)
			}
		}
	}
	if err := os.WriteFile(name, append(whole[:packHead:packHead], bytes.ToUpper(whole[packHead:])...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Store{dir: dir}).Read(t.Context(), Digest(sha256.Sum256(small(0))), 1<<20); !errors.Is(err, ErrDigest) {
		t.Errorf("changed bytes: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAPackRolls(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := s.NewPack()
	big := make([]byte, 7<<20)
	for i := range 3 {
		big[0] = byte(i)
		if _, err := p.Put(big); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	found, _ := filepath.Glob(filepath.Join(dir, packFolder, "*"))
	if len(found) != 4 { // two packs, each with its index
		t.Errorf("%q", found)
	}
	if size, err := s.Stat(t.Context(), Digest(sha256.Sum256(big))); err != nil || size != int64(len(big)) {
		t.Errorf("%d, %v", size, err)
	}
}

func BenchmarkPackPut(b *testing.B) {
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	p := s.NewPack()
	doc := make([]byte, 350)
	b.SetBytes(int64(len(doc)))
	for i := range b.N {
		doc[0], doc[1], doc[2], doc[3] = byte(i), byte(i>>8), byte(i>>16), byte(i>>24)
		if _, err := p.Put(doc); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := p.Close(); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkPut(b *testing.B) {
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	doc := make([]byte, 350)
	for i := range b.N {
		doc[0], doc[1], doc[2], doc[3] = byte(i), byte(i>>8), byte(i>>16), byte(i>>24)
		if _, _, err := s.Put(b.Context(), bytes.NewReader(doc), nil); err != nil {
			b.Fatal(err)
		}
	}
}
