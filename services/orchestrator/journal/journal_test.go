package journal

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/orchestrator/gate"
)

func TestRowsComeBack(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "o.db"), []store.Migration{Migration})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	j := New(db)
	if _, ok, err := j.Last(t.Context(), "r"); ok || err != nil {
		t.Fatalf("an empty journal has a step: %v", err)
	}
	best := .5
	for step := range uint64(3) {
		for range 2 { // the second time is a step that was executed again
			s := Step{Step: step, FirstSeq: step * 10, NextSeq: step*10 + 10, ResumeStep: step + 1, Gate: gate.State{Best: &best}}
			if err := j.PutStep(t.Context(), db, "r", s); err != nil {
				t.Fatal(err)
			}
		}
	}
	branch := Step{Step: 1, Branch: 1, FirstSeq: 30, NextSeq: 40, ResumeStep: 2, NextBranch: 1}
	if err := j.PutStep(t.Context(), db, "r", branch); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := j.Last(t.Context(), "r"); err != nil || !ok || !reflect.DeepEqual(got, branch) {
		t.Errorf("Last: %+v, %v, %v", got, ok, err)
	}
	if got, ok, err := j.At(t.Context(), "r", 0, 1); err != nil || !ok || got.FirstSeq != 10 || *got.Gate.Best != .5 {
		t.Errorf("At: %+v, %v, %v", got, ok, err)
	}
	if got, ok, err := j.Before(t.Context(), "r", 0, 2); err != nil || !ok || got.Step != 1 {
		t.Errorf("Before: %+v, %v, %v", got, ok, err)
	}
	if _, ok, err := j.Before(t.Context(), "r", 1, 1); ok || err != nil {
		t.Errorf("a branch that no row opened has a row before it: %v", err)
	}
	if err := j.PutStep(t.Context(), db, "r", Step{Step: 2, ResumeStep: 1, NextBranch: 1, NextSeq: 30}); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := j.Before(t.Context(), "r", 1, 1); err != nil || !ok || got.Step != 2 {
		t.Errorf("Before a branch: %+v, %v, %v", got, ok, err)
	}
	end := Close{State: 7, Checkpoint: []byte("c"), Steps: 3}
	if err := j.PutClose(t.Context(), db, "r", end); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := j.Closed(t.Context(), "r"); err != nil || !ok || !reflect.DeepEqual(got, end) {
		t.Errorf("Closed: %+v, %v, %v", got, ok, err)
	}
	stage := Stage{Stage: 1, FirstStep: 3, HeaderSeq: 30, FirstSeq: 33, Spec: []byte("s"), Base: []byte("b"), Chain: []byte("c")}
	if err := j.PutStage(t.Context(), db, "r", stage); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := j.Stage(t.Context(), "r", 1); err != nil || !ok || !reflect.DeepEqual(got, stage) {
		t.Errorf("Stage: %+v, %v, %v", got, ok, err)
	}
	if _, ok, err := j.Stage(t.Context(), "r", 0); ok || err != nil {
		t.Errorf("a stage that was not written: %v, %v", ok, err)
	}
}
