package tabular

import (
	"bytes"
	"io"
	"io/fs"
	"math"
	"testing"
	"testing/fstest"

	"github.com/provenir/provenir/services/trainer/engine"
)

// learn runs plain policy gradient: reward 1 for the answer 'b'.
func learn(t *testing.T, e *Engine, iterations int) float64 {
	t.Helper()
	prompt := []int32{'q'}
	for step := range iterations {
		var prompts []engine.Prompt
		for s := range 16 {
			prompts = append(prompts, engine.Prompt{Tokens: prompt, Key: engine.Key{Seed: 1, Step: uint64(step), Sample: uint32(s)}})
		}
		rows, err := e.Sample(t.Context(), engine.SampleRequest{Prompts: prompts, MaxTokens: 2, Temperature: 1})
		if err != nil {
			t.Fatal(err)
		}
		mean := 0.0
		for _, r := range rows {
			mean += reward(r) / 16
		}
		var b engine.Batch
		for _, r := range rows {
			b.Rows = append(b.Rows, engine.TrainRow{Tokens: append([]int32{'q'}, r.Tokens...), Start: 1, Old: r.LogProbs,
				Weight: []float32{1. / 32, 1. / 32}, Advantage: float32(reward(r) - mean)})
		}
		if _, err := e.Step(t.Context(), b, engine.Hyper{LR: 1, ClipLow: .2, ClipHigh: .2}); err != nil {
			t.Fatal(err)
		}
	}
	return math.Exp(e.logp(e.table, prompt, 1)[1])
}

func reward(r engine.Row) float64 {
	if r.Tokens[0] == 'b' {
		return 1
	}
	return 0
}

func TestItReallyLearns(t *testing.T) {
	first, err := New([]byte("abcd"))
	if err != nil {
		t.Fatal(err)
	}
	if p := learn(t, first, 300); p < .5 {
		t.Errorf("p(best) is %.3f after 300 iterations, want above .5", p)
	}
	second, err := New([]byte("dcba")) // the order of answers does not matter
	if err != nil {
		t.Fatal(err)
	}
	learn(t, second, 300)
	if first.WeightsDigest() != second.WeightsDigest() {
		t.Error("the same seed gave other numbers")
	}
}

type folder struct{ fstest.MapFS }

func (f folder) Create(name string) (io.WriteCloser, error) {
	return &file{f, name, bytes.Buffer{}}, nil
}

type file struct {
	f    folder
	name string
	bytes.Buffer
}

func (w *file) Close() error {
	w.f.MapFS[w.name] = &fstest.MapFile{Data: w.Bytes()}
	return nil
}

func TestSaveLoad(t *testing.T) {
	e, err := New([]byte("abcd"))
	if err != nil {
		t.Fatal(err)
	}
	learn(t, e, 5)
	f := folder{fstest.MapFS{}}
	if err := e.Save(t.Context(), f, true); err != nil {
		t.Fatal(err)
	}
	other, err := New([]byte("abcd"))
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Load(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if other.WeightsDigest() != e.WeightsDigest() {
		t.Error("the loaded policy differs")
	}
	wrong, err := New([]byte("xyz"))
	if err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]fs.FS{"other answers": f, "empty": fstest.MapFS{}} {
		if err := wrong.Load(t.Context(), from); engine.ReasonOf(err) != "CHECKPOINT_CORRUPT" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNonFiniteIsNotApplied(t *testing.T) {
	e, err := New([]byte("ab"))
	if err != nil {
		t.Fatal(err)
	}
	before := e.WeightsDigest()
	res, err := e.Step(t.Context(), engine.Batch{Rows: []engine.TrainRow{{Tokens: []int32{'q', 'a'}, Start: 1,
		Weight: []float32{1}, Advantage: float32(math.NaN()), Old: []float32{-1}}}}, engine.Hyper{LR: 1})
	if err != nil || res.Applied || res.Reason != "NON_FINITE" || e.WeightsDigest() != before {
		t.Errorf("got %+v, %v", res, err)
	}
}
