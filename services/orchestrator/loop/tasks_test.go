package loop

import (
	"slices"
	"strings"
	"testing"
	"time"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/services/orchestrator/board"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// What the verifier finds in the rows and does not stop the run is told before the first step: a prompt that passes as its
// own answer, and a row for which a right answer was never tried.
func TestWarningsBeforeTheFirstStep(t *testing.T) {
	const (
		plain = `{"prompt":"1+1","reference":"2"}` + "\n"
		echo  = `{"prompt":"echo","reference":"3"}` + "\n"
		open  = `{"prompt":"call a tool"}` + "\n"

		unchecked = " rows have no answer of their own; whether a right answer passes was not checked"
		math      = "; use math:profile=final_answer,form=number or end prompts otherwise"
	)
	for _, c := range []struct {
		name, verifier, rows string
		want                 []string
	}{
		{"nothing to say", "math", plain + plain, nil},
		{"prompts that pass", "math", plain + echo + plain + echo, []string{"2 of 4 prompts pass as their own answer (first: row 2)" + math}},
		{"with another verifier", "contains", echo, []string{"1 of 1 prompts pass as their own answer (first: row 1); choose options of contains that do not read the question or end prompts otherwise"}},
		{"rows that were not checked", "math", plain + open + plain, []string{"1 of 3" + unchecked}},
		{"both", "math", open + "\n" + echo, []string{"1 of 2 prompts pass as their own answer (first: row 3)" + math, "1 of 2" + unchecked}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.spec.Verifier.Name = c.verifier
			r.spec.Train = r.rows(c.rows)
			r.tr.fail("start", 2, away()) // the rows are judged again by each attempt, and nothing is said twice
			got := r.play(run.Succeeded)
			if !slices.Equal(got.GetWarnings(), c.want) {
				t.Errorf("warnings %q, want %q", got.GetWarnings(), c.want)
			}
			for _, w := range c.want {
				if !strings.Contains(r.log.String(), w) {
					t.Errorf("the log does not say %q:\n%s", w, r.log.String())
				}
			}
			running := r.firstEvent(run.Running)
			if !slices.Equal(running.GetWarnings(), c.want) {
				t.Errorf("when the run begins to run watchers see %q", running.GetWarnings())
			}
		})
	}
}

// A row that is unchecked is not bad, and does not hide one that is: an error is no "unchecked".
func TestUncheckedRowsDoNotHideBadOnes(t *testing.T) {
	r := newRig(t)
	r.spec.Train = r.rows(`{"prompt":"open"}` + "\n" + `{"prompt":"p","reference":"bad"}` + "\n")
	got := r.play(run.Failed)
	if m := got.GetFailure().GetMessage(); !strings.Contains(m, "of 1 rows: row 2: the reference is no number") || got.GetFailure().GetCode() != "VERIFIER_INVALID" {
		t.Errorf("failed with %v", got.GetFailure())
	}
	if len(got.GetWarnings()) != 0 {
		t.Errorf("warnings of a run that did not begin: %q", got.GetWarnings())
	}
}

// firstEvent is what watchers saw of the run when it came into a state.
func (r *rig) firstEvent(s run.State) *orchestratorv1.Run {
	r.Helper()
	events, _, err := r.board.Events(r.Context(), uid, 0, 1000)
	if err != nil {
		r.Fatal(err)
	}
	for _, e := range events {
		if e.GetRun().GetState() == s {
			return e.GetRun()
		}
	}
	r.Fatalf("never %s", s)
	return nil
}

// plodding is hurry with half a second between two looks at it.
type plodding struct{ *hurry }

func (p plodding) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(500 * time.Millisecond)
	return p.now
}

// Watchers see how far the verifier is with the rows, once a second, and in the end all of them.
func TestCheckingIsShown(t *testing.T) {
	r := newRig(t)
	r.clock = plodding{&hurry{now: time.Unix(1_000_000, 0)}}
	r.board = board.New(r.db, r.clock, func() {})
	r.spec.Train = r.rows(strings.Repeat(`{"prompt":"1+1","reference":"2"}`+"\n", 20))
	r.play(run.Succeeded)
	events, _, err := r.board.Events(r.Context(), uid, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var seen []uint64
	for _, e := range events {
		if p := e.GetRun().GetProgress(); p.GetPhase() == "checking" {
			seen = append(seen, p.GetChecked())
			if p.GetToCheck() < p.GetChecked() || e.GetRun().GetState() != run.Starting {
				t.Errorf("%v in state %s", p, e.GetRun().GetState())
			}
		}
	}
	if len(seen) < 3 || !slices.IsSorted(seen) || seen[len(seen)-1] != 20 {
		t.Errorf("watchers saw %v rows", seen)
	}
}
