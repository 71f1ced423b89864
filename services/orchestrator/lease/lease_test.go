package lease

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/provenir/provenir/internal/store"
)

func open(t *testing.T) *Leases {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "o.db"), []store.Migration{Migration})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return New(db)
}

func TestTakeover(t *testing.T) {
	l, now := open(t), time.UnixMilli(1_000_000)
	a, err := l.Acquire(t.Context(), "r", "a", now, false)
	if err != nil || a.Epoch != 1 {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := l.Acquire(t.Context(), "r", "b", now.Add(Term-1), false); !errors.Is(err, ErrHeld) {
		t.Errorf("b took a running lease: %v", err)
	}
	if a, err = l.Extend(t.Context(), a, now.Add(Renew)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Acquire(t.Context(), "r", "b", now.Add(Term+1), false); !errors.Is(err, ErrHeld) {
		t.Errorf("b took a renewed lease: %v", err)
	}
	b, err := l.Acquire(t.Context(), "r", "b", now.Add(Renew+Term), false)
	if err != nil || b.Epoch != 2 {
		t.Fatalf("%+v, %v", b, err)
	}
	if _, err := l.Extend(t.Context(), a, now.Add(Renew+Term)); !errors.Is(err, ErrLost) {
		t.Errorf("a woke up and renewed: %v", err)
	}
	if err := l.Release(t.Context(), a); err != nil { // the sleeper's release changes nothing
		t.Fatal(err)
	}
	if _, err := l.Extend(t.Context(), b, now.Add(Renew+Term+1)); err != nil {
		t.Errorf("b lost its lease to a's release: %v", err)
	}
	if err := l.Release(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if c, err := l.Acquire(t.Context(), "r", "c", now.Add(Renew+Term+2), false); err != nil || c.Epoch != 3 {
		t.Errorf("after a release: %+v, %v", c, err)
	}
}

func TestTheSoleProcessDoesNotWait(t *testing.T) {
	l, now := open(t), time.UnixMilli(1_000_000)
	if _, err := l.Acquire(t.Context(), "r", "dead", now, false); err != nil {
		t.Fatal(err)
	}
	if g, err := l.Acquire(t.Context(), "r", "new", now, true); err != nil || g.Epoch != 2 {
		t.Errorf("%+v, %v", g, err)
	}
}
