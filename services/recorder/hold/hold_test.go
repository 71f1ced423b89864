package hold

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	rolestore "github.com/provenir/provenir/internal/store"
)

func table(t *testing.T) Table {
	t.Helper()
	db, err := rolestore.Open(t.Context(), filepath.Join(t.TempDir(), "r.db"), Migrations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return Table{DB: db}
}

var at = time.UnixMilli(1_800_000_000_000).UTC()

func set(t *testing.T, table Table, h Hold) Hold {
	t.Helper()
	if h.At.IsZero() {
		h.At = at
	}
	got, err := table.Set(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func named(holds []Hold) (out []string) {
	for _, h := range holds {
		out = append(out, h.ID)
	}
	return out
}

func TestStanding(t *testing.T) {
	table := table(t)
	set(t, table, Hold{ID: "a", Tenant: "acme", Run: "run-1", Reason: "r", By: "ann"})
	set(t, table, Hold{ID: "b", Tenant: "acme", Reason: "r", At: at.Add(time.Hour)})
	set(t, table, Hold{ID: "c", Tenant: "other", Run: "run-1", Reason: "r"})
	tests := []struct {
		tenant, run string
		want        []string
	}{
		{"acme", "run-1", []string{"b", "a"}}, {"acme", "run-2", []string{"b"}}, {"other", "run-1", []string{"c"}}, {"other", "run-2", nil}, {"none", "run-1", nil},
	}
	check := func(want func(i int) []string) {
		t.Helper()
		for i, tt := range tests {
			got, err := table.Standing(t.Context(), tt.tenant, tt.run)
			if err != nil || !slices.Equal(named(got), want(i)) {
				t.Errorf("%s/%s: %v, %v", tt.tenant, tt.run, named(got), err)
			}
		}
	}
	check(func(i int) []string { return tests[i].want })
	if _, err := table.Lift(t.Context(), "other", "b", Lift{At: at}); !errors.Is(err, ErrUnknown) {
		t.Errorf("another tenant lifts it: %v", err)
	}
	l, err := table.Lift(t.Context(), "acme", "b", Lift{Reason: "settled", By: "bob", At: at})
	if err != nil || l.Lifted == nil || l.Lifted.By != "bob" || !l.Lifted.At.Equal(at) {
		t.Errorf("%+v, %v", l, err)
	}
	if again, err := table.Lift(t.Context(), "acme", "b", Lift{Reason: "other", By: "eve", At: at}); err != nil || again.Lifted.By != "bob" {
		t.Errorf("lifted twice: %+v, %v", again.Lifted, err)
	}
	without := [][]string{{"a"}, nil, {"c"}, nil, nil}
	check(func(i int) []string { return without[i] })
	open, err := table.List(t.Context(), "acme", "", false)
	all, err2 := table.List(t.Context(), "acme", "run-2", true)
	if err != nil || err2 != nil || !slices.Equal(named(open), []string{"a"}) || !slices.Equal(named(all), []string{"b"}) {
		t.Errorf("open %v, all of run-2 %v, %v, %v", named(open), named(all), err, err2)
	}
}

func TestSetAgain(t *testing.T) {
	table := table(t)
	first := set(t, table, Hold{ID: "a", Tenant: "acme", Run: "run-1", Reason: "r", Request: "q"})
	if got := set(t, table, Hold{ID: "b", Tenant: "acme", Run: "run-1", Reason: "r", Request: "q"}); got != first {
		t.Errorf("%+v, want %+v", got, first)
	}
	if _, err := table.Set(t.Context(), Hold{ID: "c", Tenant: "acme", Run: "run-2", Reason: "r", Request: "q", At: at}); !errors.Is(err, ErrRequest) {
		t.Errorf("%v", err)
	}
	if got := set(t, table, Hold{ID: "d", Tenant: "other", Run: "run-2", Reason: "r", Request: "q"}); got.ID != "d" {
		t.Errorf("another tenant's request: %+v", got)
	}
	for _, id := range []string{"e", "f"} { // without a request each is one of its own
		if got := set(t, table, Hold{ID: id, Tenant: "acme", Run: "run-1", Reason: "r"}); got.ID != id {
			t.Errorf("%+v", got)
		}
	}
}

func TestTold(t *testing.T) {
	table := table(t)
	for range 2 {
		if err := table.Told(t.Context(), "a", "run-1", false); err != nil {
			t.Fatal(err)
		}
	}
	told, err := table.ToldOf(t.Context(), "a", false)
	lifts, err2 := table.ToldOf(t.Context(), "a", true)
	if err != nil || err2 != nil || !told["run-1"] || len(told) != 1 || len(lifts) != 0 {
		t.Errorf("told %v, lifts %v, %v, %v", told, lifts, err, err2)
	}
}
