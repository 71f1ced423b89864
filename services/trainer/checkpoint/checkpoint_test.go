package checkpoint

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/services/trainer/engine"
)

func open(t *testing.T) *Store {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "t.db"), []store.Migration{Migration})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	blobs, err := blob.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return NewStore(db, blobs)
}

func files(content map[string]string) func(engine.Sink) error {
	return func(s engine.Sink) error {
		for name, text := range content {
			w, err := s.Create(name)
			if err != nil {
				return err
			}
			if _, err := w.Write([]byte(text)); err != nil {
				return err
			}
			if err := w.Close(); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestSaveFindOpen(t *testing.T) {
	s := open(t)
	save := func(step uint64, text string) *trainerv1.CheckpointSaved {
		c, err := s.Save(t.Context(), Meta{Run: "r", Step: step}, files(map[string]string{"model.safetensors": text, "config.json": "{}"}), time.UnixMilli(int64(step)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first, second := save(10, "one"), save(20, "two")
	for name, want := range map[string]*trainerv1.CheckpointSaved{
		"r@10": first, "r@last": second, "r@20": second, "sha256:" + hexOf(first.GetDigest()): first, hexOf(second.GetDigest()): second,
	} {
		c, err := s.Find(t.Context(), name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if hexOf(c.GetDigest()) != hexOf(want.GetDigest()) {
			t.Errorf("%s found another one", name)
		}
		folder, err := s.Open(c)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := fs.ReadFile(folder, "config.json"); err != nil || string(b) != "{}" {
			t.Errorf("%s: %q, %v", name, b, err)
		}
		if _, err := folder.Open("other"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("an absent file: %v", err)
		}
	}
	for _, absent := range []string{"r@11", "r@x", "other@last", "00"} {
		if _, err := s.Find(t.Context(), absent); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", absent, err)
		}
	}
	if list, err := s.List(t.Context(), "r", 0, 10); err != nil || len(list) != 2 || list[0].GetStep() != 10 {
		t.Errorf("list: %v, %v", list, err)
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(b))
	for _, x := range b {
		out = append(out, digits[x>>4], digits[x&15])
	}
	return string(out)
}

func TestEqualContentIsEqualDigest(t *testing.T) {
	s := open(t)
	one, err := s.Save(t.Context(), Meta{Run: "a"}, files(map[string]string{"x": "1", "y": "2"}), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	two, err := s.Save(t.Context(), Meta{Run: "b", Step: 5}, files(map[string]string{"y": "2", "x": "1"}), time.Now())
	if err != nil || hexOf(one.GetDigest()) != hexOf(two.GetDigest()) {
		t.Errorf("%x and %x, %v", one.GetDigest(), two.GetDigest(), err)
	}
}

func TestSnapshotsKeepTwoAndSurviveAHalfOne(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenSnapshots(dir)
	if err != nil {
		t.Fatal(err)
	}
	for step := uint64(1); step <= 4; step++ {
		if err := s.Save(State{NextStep: step, Spec: "s"}, files(map[string]string{"model": "m"})); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "tmp-half"), 0o700); err != nil { // a crash
		t.Fatal(err)
	}
	if s, err = OpenSnapshots(dir); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("%d folders left, %v", len(left), err)
	}
	for _, c := range []struct {
		name   string
		at     uint64
		want   []uint64
		stage  uint32
		branch uint32
	}{
		{"all", 9, []uint64{4, 3}, 0, 0}, {"at a step", 3, []uint64{3}, 0, 0}, {"too early", 2, nil, 0, 0},
		{"other stage", 9, nil, 1, 0}, {"other branch", 9, nil, 0, 1},
	} {
		found, err := s.At(c.stage, c.branch, c.at)
		var steps []uint64
		for _, f := range found {
			steps = append(steps, f.State.NextStep)
			if b, err := fs.ReadFile(f.Folder, "model"); f.Err != nil || err != nil || string(b) != "m" {
				t.Errorf("%s: %v, %q, %v", c.name, f.Err, b, err)
			}
		}
		if err != nil || !slices.Equal(steps, c.want) {
			t.Errorf("%s: %v, %v", c.name, steps, err)
		}
	}
}

func TestNamesThatLeaveTheFolderAreRefused(t *testing.T) {
	s := open(t)
	if _, err := s.Save(t.Context(), Meta{}, files(map[string]string{"../x": "1"}), time.Now()); err == nil {
		t.Error("../x was saved")
	}
}
