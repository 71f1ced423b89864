package audit

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/internal/store"
)

func open(t testing.TB) *Log {
	t.Helper()
	db, err := store.Open(context.Background(), filepath.Join(t.TempDir(), "g.db"), []store.Migration{Migration})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	skey, _, err := note.GenerateKey(nil, "log.test")
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return &Log{DB: db, Signer: func() (note.Signer, error) { return s, nil }, Now: func() time.Time { return time.Unix(1_700_000_000, 0) }}
}

// Requests of two tenants are two, whatever they are called.
func TestRequestsAreTheTenants(t *testing.T) {
	l := open(t)
	for i, tenant := range []string{"a", "b", "a"} {
		index, err := l.Append(t.Context(), "q", Event{Tenant: tenant, Action: "ledger.erase"})
		if err != nil || index != uint64(i%2) {
			t.Errorf("%s: %d, %v", tenant, index, err)
		}
	}
	mine, err := l.List(t.Context(), "a", 0, 10)
	if err != nil || len(mine) != 1 {
		t.Errorf("%v, %v", mine, err)
	}
}

// No two events share a digest because their parts run into each other.
func TestDigestTellsPartsApart(t *testing.T) {
	seen := map[string]Event{}
	for _, e := range []Event{{Actor: "ab"}, {Actor: "a", Service: "b"}, {Service: "ab"}, {By: "ab"}, {Details: []byte("ab")}, {SubjectID: "ab"}, {Digest: "ab"}, {RunID: "ab"}, {Outcome: "ab"},
		{Action: "ab"}, {Tenant: "ab"}, {Happened: time.Unix(1, 0)}, {}} {
		d := string(e.digest())
		if was, ok := seen[d]; ok {
			t.Errorf("%+v and %+v", was, e)
		}
		seen[d] = e
	}
}

// A crash, or an error, between the rows of one entry leaves none of them: the next entry takes the place.
func TestAppendIsOneTransaction(t *testing.T) {
	l := open(t)
	if _, err := l.Append(t.Context(), "q0", Event{Tenant: "a"}); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the key is away")
	sound := l.Signer
	l.Signer = func() (note.Signer, error) { s, _ := sound(); return failing{s, broken}, nil }
	if _, err := l.Append(t.Context(), "q1", Event{Tenant: "a"}); !errors.Is(err, broken) {
		t.Fatalf("%v", err)
	}
	l.Signer = sound
	if index, err := l.Append(t.Context(), "q2", Event{Tenant: "a"}); err != nil || index != 1 {
		t.Errorf("%d, %v", index, err)
	}
	if _, err := l.Proof(t.Context(), 1); err != nil {
		t.Error(err)
	}
}

type failing struct {
	note.Signer
	err error
}

func (f failing) Sign([]byte) ([]byte, error) { return nil, f.err }

func BenchmarkAppend(b *testing.B) {
	l := open(b)
	var n atomic.Int64
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := l.Append(context.Background(), fmt.Sprint(n.Add(1)), Event{Tenant: "a", Action: "ledger.erase", Details: []byte(`{"reason":"x"}`)}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
