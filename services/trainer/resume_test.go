package trainer_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/trainer/runner"
)

// A kill at any point, then a resume at what was recorded: the same chain as an undisturbed run.
func TestKilledAnywhereTheChainIsTheSame(t *testing.T) {
	r := newRoom(t)
	whole := r.orchestrate(r.grpo(5, nil), newRun(t)).must()
	for _, point := range []faultline.Point{runner.PointSampled, runner.PointSent, runner.PointRewarded, runner.PointStepped,
		runner.PointSnapshot, runner.PointReported, runner.PointSaved} {
		for count := 1; count <= 3; count++ {
			run := newRun(t)
			r.serve(faultline.New(point, count, nil))
			before, err := r.orchestrate(r.grpo(5, nil), run).run(t.Context())
			if err == nil {
				t.Fatalf("%s:%d killed nobody", point, count)
			}
			r.serve(nil)
			o := r.orchestrate(r.grpo(5, nil), run)
			o.start.Resume = &trainerv1.ResumePoint{Step: uint64(len(before.facts))}
			after := o.must()
			from := after.ready.GetResumeStep()
			if from > uint64(len(before.facts)) || !slices.Equal(after.chains, whole.chains[from:]) || !slices.Equal(before.chains, whole.chains[:len(before.chains)]) {
				t.Errorf("%s:%d: %d steps, then from step %d another chain", point, count, len(before.chains), from)
			}
		}
	}
}

// killedAt gives a run that died after its third step was reported.
func killedAt(t *testing.T, r *room, run string) {
	t.Helper()
	r.serve(faultline.New(runner.PointReported, 3, nil))
	if seen, err := r.orchestrate(r.grpo(5, nil), run).run(t.Context()); err == nil || len(seen.facts) > 3 {
		t.Fatalf("%d steps, then %v", len(seen.facts), err)
	}
	r.serve(nil)
}

func TestResumeWithoutAndWithDamagedSnapshots(t *testing.T) {
	r := newRoom(t)
	whole := r.orchestrate(r.grpo(5, nil), newRun(t)).must()
	for _, c := range []struct {
		name   string
		harm   func(dir string) error
		want   string // a reason; empty resumes
		resume uint64
	}{
		{"whole", func(string) error { return nil }, "", 3},
		{"none is left: everything runs again", os.RemoveAll, "", 0},
		{"no state", func(dir string) error { return each(dir, "trainer_state.json", os.Remove) }, "CHECKPOINT_CORRUPT", 0},
		{"no model", func(dir string) error { return each(dir, "model.json", os.Remove) }, "CHECKPOINT_CORRUPT", 0},
		{"state of half a line", func(dir string) error {
			return each(dir, "trainer_state.json", func(f string) error { return os.Truncate(f, 20) })
		}, "CHECKPOINT_CORRUPT", 0},
		{"weights of half a length", func(dir string) error {
			return each(dir, "model.json", func(f string) error { return os.Truncate(f, 9) })
		}, "CHECKPOINT_CORRUPT", 0},
		{"the newest has no state", func(dir string) error { return os.Remove(newest(t, dir, "trainer_state.json")) }, "", 2},
		{"the newest has half a state", func(dir string) error { return os.Truncate(newest(t, dir, "trainer_state.json"), 20) }, "", 2},
		{"the newest has no model", func(dir string) error { return os.Remove(newest(t, dir, "model.json")) }, "", 2},
		{"the newest has half a model", func(dir string) error { return os.Truncate(newest(t, dir, "model.json"), 9) }, "", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := newRun(t)
			killedAt(t, r, run)
			if err := c.harm(filepath.Join(r.dir, "runs", run)); err != nil {
				t.Fatal(err)
			}
			o := r.orchestrate(r.grpo(5, nil), run)
			o.start.Resume = &trainerv1.ResumePoint{Step: 3}
			seen, err := o.run(t.Context())
			if c.want != "" {
				if !rpc.Is(err, reason(c.want)) {
					t.Errorf("got %v, want %s", err, c.want)
				}
				return
			}
			if err != nil || seen.ready.GetResumeStep() != c.resume || !slices.Equal(seen.chains, whole.chains[c.resume:]) {
				t.Errorf("from step %d, %v", seen.ready.GetResumeStep(), err)
			}
			said := slices.ContainsFunc(seen.events, func(e *trainerv1.EngineEvent) bool {
				return e.GetKind() == "snapshot_damaged" && strings.Contains(e.GetDetail(), "snap-") && e.GetAt() != nil
			})
			if damaged := strings.HasPrefix(c.name, "the newest"); said != damaged {
				t.Errorf("events %v", seen.events)
			}
		})
	}
}

// newest is a file of the newest snapshot.
func newest(t *testing.T, dir, name string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "snap-*", name))
	if err != nil || len(files) != 2 {
		t.Fatalf("%q, %v", files, err)
	}
	return files[1]
}

// A run whose spec was changed under it would otherwise begin its stage anew, and end with half of each.
func TestASnapshotOfAnotherSpecIsRefused(t *testing.T) {
	r := newRoom(t)
	for _, c := range []struct {
		name   string
		change func(*trainerv1.TrainSpec)
	}{
		{"learning rate", func(s *trainerv1.TrainSpec) { *s.Optimizer.Lr = 2 }},
		{"seed", func(s *trainerv1.TrainSpec) { s.Seed++ }},
		{"dataset", func(s *trainerv1.TrainSpec) { s.Dataset = &corev1.DatasetRef{Digest: r.put(7)} }},
		{"length", func(s *trainerv1.TrainSpec) { s.MaxSteps++ }},
		{"model", func(s *trainerv1.TrainSpec) { s.Model.GetTabular().Answers = []byte("abcde") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			run := newRun(t)
			killedAt(t, r, run)
			o := r.orchestrate(r.grpo(5, c.change), run)
			o.start.Resume = &trainerv1.ResumePoint{Step: 3}
			if seen, err := o.run(t.Context()); !rpc.Is(err, reason("CHECKPOINT_MISMATCH")) || seen.ready != nil {
				t.Errorf("%v, %v", seen.ready, err)
			}
			o = r.orchestrate(r.grpo(5, nil), run)
			o.start.Resume = &trainerv1.ResumePoint{Step: 3}
			if seen, err := o.run(t.Context()); err != nil || seen.ready.GetResumeStep() != 3 {
				t.Errorf("with the old spec again: from %d, %v", seen.ready.GetResumeStep(), err)
			}
		})
	}
}

// each does something to a file in every snapshot.
func each(dir, name string, f func(string) error) error {
	files, err := filepath.Glob(filepath.Join(dir, "snap-*", name))
	if err != nil || len(files) == 0 {
		return os.ErrNotExist
	}
	for _, file := range files {
		if err := f(file); err != nil {
			return err
		}
	}
	return nil
}

// A state is of one spec, base, dataset and tokenizer; with others it is refused, never bent.
func TestResumeFromACheckpointOfSomethingElse(t *testing.T) {
	r := newRoom(t)
	seen := r.orchestrate(r.grpo(4, nil), newRun(t)).must()
	for _, c := range []struct {
		name   string
		change func(*trainerv1.TrainSpec)
		want   string
	}{
		{"the same", func(*trainerv1.TrainSpec) {}, ""},
		{"more threads are no other spec", func(s *trainerv1.TrainSpec) { s.Threads = 1 }, ""},
		{"other learning rate", func(s *trainerv1.TrainSpec) { *s.Optimizer.Lr = 2 }, "CHECKPOINT_MISMATCH"},
		{"other dataset", func(s *trainerv1.TrainSpec) { s.Dataset = &corev1.DatasetRef{Digest: r.put(7)} }, "CHECKPOINT_MISMATCH"},
		{"other model", func(s *trainerv1.TrainSpec) { s.Model.GetTabular().Answers = []byte("abcde") }, "CHECKPOINT_MISMATCH"},
	} {
		o := r.orchestrate(r.grpo(4, c.change), newRun(t))
		o.start.Resume = &trainerv1.ResumePoint{Step: 2, Checkpoint: seen.checkpoints[0].GetDigest()}
		after, err := o.run(t.Context())
		switch {
		case c.want != "" && !rpc.Is(err, reason(c.want)):
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		case c.want == "" && (err != nil || !slices.Equal(after.chains, seen.chains[2:])):
			t.Errorf("%s: %d steps, %v", c.name, len(after.chains), err)
		}
	}
	o := r.orchestrate(r.grpo(4, nil), newRun(t))
	o.start.Resume = &trainerv1.ResumePoint{Step: 2, Branch: 3}
	if _, err := o.run(t.Context()); !rpc.Is(err, reason("CHECKPOINT_NOT_FOUND")) {
		t.Errorf("a branch that nothing leads to: %v", err)
	}
}
