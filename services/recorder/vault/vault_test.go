package vault

import (
	"crypto/rand"
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	rolestore "github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

func open(t *testing.T) *Vault {
	t.Helper()
	db, err := rolestore.Open(t.Context(), filepath.Join(t.TempDir(), "v.db"), slices.Concat(Migrations(), LaterMigrations()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return New(db, rand.Reader)
}

func seal(t *testing.T, v *Vault, group string, seq uint64, payload string) *ledger.Frame {
	t.Helper()
	d, err := v.Digest(t.Context(), "t", "r", group, seq, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	e := ledger.Entry{Seq: seq, Type: ledger.Rollout, Length: uint64(len(payload)), Digest: d}
	stored, err := v.Seal(t.Context(), "t", "r", group, e, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	b := ledger.AppendFrame(nil, &ledger.Frame{Entry: e, Flags: ledger.StoredEncrypted, Stored: stored})
	f, _, err := ledger.DecodeFrame(b)
	if err != nil || f.Entry != e {
		t.Fatalf("the frame's entry is %+v, want %+v, %v", f.Entry, e, err)
	}
	return &f
}

// Whatever is changed of a stored payload, or of the entry that it is bound to, does not open.
func TestEveryByteCounts(t *testing.T) {
	v := open(t)
	for _, payload := range []string{"", "a short text"} {
		f := seal(t, v, "g", 7, payload)
		if got, err := v.Open(t.Context(), f); err != nil || string(got) != payload {
			t.Fatalf("%q, %v", got, err)
		}
		for i := range f.Stored {
			f.Stored[i] ^= 1
			changed := *f
			if i < 8 { // the length is the entry's
				changed.Length ^= 1 << (8 * i)
			}
			if _, err := v.Open(t.Context(), &changed); err == nil {
				t.Errorf("byte %d of the stored payload does not matter", i)
			}
			f.Stored[i] ^= 1
		}
		for name, change := range map[string]func(*ledger.Frame){
			"seq": func(f *ledger.Frame) { f.Seq++ }, "type": func(f *ledger.Frame) { f.Type++ }, "digest": func(f *ledger.Frame) { f.Digest[3]++ },
			"cut": func(f *ledger.Frame) { f.Stored = f.Stored[:len(f.Stored)-1] }, "head only": func(f *ledger.Frame) { f.Stored = f.Stored[:30] },
			"nothing": func(f *ledger.Frame) { f.Stored = nil },
		} {
			changed := *f
			change(&changed)
			if _, err := v.Open(t.Context(), &changed); err == nil {
				t.Errorf("another %s opens", name)
			}
		}
	}
}

func TestDigestsSayNothing(t *testing.T) {
	v := open(t)
	a, b, c := seal(t, v, "g", 1, "yes"), seal(t, v, "g", 2, "yes"), seal(t, v, "h", 1, "yes")
	if a.Digest == b.Digest || a.Digest == c.Digest {
		t.Error("equal payloads have equal digests")
	}
	if again := seal(t, v, "g", 1, "yes"); again.Digest != a.Digest {
		t.Error("a repeat has another digest")
	}
}

// A reader of another process keeps the old page in the database's log: then nothing is said to be erased, and asking again
// when it has gone erases it.
func TestErasureWaitsForReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.db")
	db, err := rolestore.Open(t.Context(), path, slices.Concat(Migrations(), LaterMigrations()))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(t.Context(), "PRAGMA busy_timeout = 0"); err != nil { // the one connection keeps it
		t.Fatal(err)
	}
	v := New(db, rand.Reader)
	f := seal(t, v, "g", 1, "yes")
	other, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	reader, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	if err := reader.QueryRow("SELECT COUNT(*) FROM erasure_groups").Scan(&n); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if _, err := v.Erase(t.Context(), "t", "r", "g"); !errors.Is(err, ErrStillThere) {
		t.Errorf("while another process reads: %v", err)
	}
	if _, err := v.Open(t.Context(), f); !errors.Is(err, store.ErrErased) {
		t.Errorf("open: %v", err)
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Erase(t.Context(), "t", "r", "g"); err != nil {
		t.Errorf("when it has gone: %v", err)
	}
}

func TestEraseAndKeysOfOthers(t *testing.T) {
	v, other := open(t), open(t)
	f, kept := seal(t, v, "g", 1, "yes"), seal(t, v, "h", 2, "no")
	if _, err := other.Open(t.Context(), f); !errors.Is(err, store.ErrNoKey) {
		t.Errorf("another recorder: %v", err)
	}
	if _, err := v.Erase(t.Context(), "t", "r", "nobody"); !errors.Is(err, ErrNoGroup) {
		t.Errorf("erase of nothing: %v", err)
	}
	id, err := v.Erase(t.Context(), "t", "r", "g")
	if again, err2 := v.Erase(t.Context(), "t", "r", "g"); err != nil || err2 != nil || again != id {
		t.Errorf("%v, %v", err, err2)
	}
	if _, err := v.Open(t.Context(), f); !errors.Is(err, store.ErrErased) {
		t.Errorf("open: %v", err)
	}
	if _, err := v.Digest(t.Context(), "t", "r", "g", 3, nil); !errors.Is(err, store.ErrErased) {
		t.Errorf("digest: %v", err)
	}
	if got, err := v.Open(t.Context(), kept); err != nil || string(got) != "no" {
		t.Errorf("another group: %q, %v", got, err)
	}
}
