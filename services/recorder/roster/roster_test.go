package roster

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/store"
)

const (
	writing   = recorderv1.TrackedState_TRACKED_STATE_WRITING
	silent    = recorderv1.TrackedState_TRACKED_STATE_SILENT
	completed = recorderv1.TrackedState_TRACKED_STATE_COMPLETED
	broken    = recorderv1.TrackedState_TRACKED_STATE_BROKEN
)

func database(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "r.db"), Migrations())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func at(ms int64) *timestamppb.Timestamp { return timestamppb.New(time.UnixMilli(ms)) }

// some are runs of two tenants, two of them of one millisecond.
func some(t *testing.T, db *store.DB) {
	t.Helper()
	for _, r := range []struct {
		tenant string
		run    *recorderv1.TrackedRun
	}{
		{"a", &recorderv1.TrackedRun{Run: "ga", CreateTime: at(10), State: completed, Method: "grpo", Steps: 7}},
		{"a", &recorderv1.TrackedRun{Run: "gb", CreateTime: at(20), State: silent}},
		{"a", &recorderv1.TrackedRun{Run: "gc", CreateTime: at(20), State: broken, Method: "dpo"}},
		{"a", &recorderv1.TrackedRun{Run: "gd", CreateTime: at(30), State: completed, Method: "grpo"}},
		{"b", &recorderv1.TrackedRun{Run: "ga", CreateTime: at(40), State: silent}},
	} {
		if err := Put(t.Context(), db, r.tenant, r.run); err != nil {
			t.Fatal(err)
		}
	}
}

func names(in []*recorderv1.TrackedRun) []string {
	out := []string{}
	for _, r := range in {
		out = append(out, r.GetRun())
	}
	return out
}

func TestList(t *testing.T) {
	db := database(t)
	some(t, db)
	ms := func(x int64) *int64 { return &x }
	for _, c := range []struct {
		name string
		f    Filter
		want []string
	}{
		{"all, newest first, ties by uid", Filter{Tenant: "a"}, []string{"gd", "gc", "gb", "ga"}},
		{"another tenant", Filter{Tenant: "b"}, []string{"ga"}},
		{"a tenant without any", Filter{Tenant: "c"}, []string{}},
		{"a state", Filter{Tenant: "a", States: []recorderv1.TrackedState{completed}}, []string{"gd", "ga"}},
		{"two states", Filter{Tenant: "a", States: []recorderv1.TrackedState{broken, silent}}, []string{"gc", "gb"}},
		{"a method", Filter{Tenant: "a", Methods: []string{"dpo", "ppo"}}, []string{"gc"}},
		{"from a time on", Filter{Tenant: "a", FromMS: ms(20)}, []string{"gd", "gc", "gb"}},
		{"before a time", Filter{Tenant: "a", UntilMS: ms(20)}, []string{"ga"}},
		{"an empty span", Filter{Tenant: "a", FromMS: ms(21), UntilMS: ms(30)}, []string{}},
		{"behind a place", Filter{Tenant: "a", Behind: Place{20, "gc"}}, []string{"gb", "ga"}},
		{"behind a run that no tracker wrote", Filter{Tenant: "a", Behind: Place{20, "06"}}, []string{"ga"}},
		{"a page", Filter{Tenant: "a", Limit: 2}, []string{"gd", "gc"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.f.Limit == 0 {
				c.f.Limit = 100
			}
			got, err := List(t.Context(), db, c.f)
			if err != nil || !slices.Equal(names(got), c.want) {
				t.Errorf("%v, %v; want %v", names(got), err, c.want)
			}
		})
	}
}

func TestFind(t *testing.T) {
	db := database(t)
	some(t, db)
	for name, want := range map[string]string{"@last": "gd", "ga": "ga", "gc": "gc"} {
		if r, err := Find(t.Context(), db, "a", name); err != nil || r.GetRun() != want {
			t.Errorf("%s: %v, %v", name, r, err)
		}
	}
	for _, name := range []string{"h", "gaa", "%", "_a", ""} {
		r, err := Find(t.Context(), db, "a", name)
		var several *AmbiguousError
		if name == "" && !errors.As(err, &several) || name != "" && !errors.Is(err, ErrNone) {
			t.Errorf("%q: %v, %v", name, r, err)
		}
	}
	if _, err := Find(t.Context(), db, "c", "@last"); !errors.Is(err, ErrNone) {
		t.Errorf("a tenant without runs: %v", err)
	}
	if _, err := Get(t.Context(), db, "a", "g"); !errors.Is(err, ErrNone) {
		t.Errorf("a prefix is no uid: %v", err)
	}
	var several *AmbiguousError
	if _, err := Find(t.Context(), db, "a", "g"); !errors.As(err, &several) || len(several.Some) != 2 || several.Error() != "g fits several runs, gd and gc among them: give more of it" {
		t.Errorf("%v", err)
	}
}

// A run that is put again is one row, and its place in the list does not change.
func TestPutAgain(t *testing.T) {
	db := database(t)
	some(t, db)
	if err := Put(t.Context(), db, "a", &recorderv1.TrackedRun{Run: "gb", CreateTime: at(20), State: completed, Method: "sft", Steps: 9}); err != nil {
		t.Fatal(err)
	}
	r, err := Get(t.Context(), db, "a", "gb")
	if err != nil || r.GetSteps() != 9 || r.GetState() != completed {
		t.Errorf("%v, %v", r, err)
	}
	if got, err := List(t.Context(), db, Filter{Tenant: "a", Limit: 9, Methods: []string{"sft"}}); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	for _, s := range []recorderv1.TrackedState{writing, recorderv1.TrackedState_TRACKED_STATE_UNSPECIFIED} {
		if err := Put(t.Context(), db, "a", &recorderv1.TrackedRun{Run: "ge", CreateTime: at(1), State: s}); err == nil {
			t.Errorf("%s was put into the table", s)
		}
	}
}
