package policy

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/provenir/provenir/services/trainer/engine"
)

// A row's sample is the same alone and in a batch of 256, among other lengths, bit for bit.
func TestRowDoesNotDependOnNeighbours(t *testing.T) {
	p := open(t, demo(), 2)
	ps := prompts(p.Config(), 256)
	all := sample(t, p, ps)
	for _, i := range []int{0, 7, 100, 255} {
		alone := sample(t, p, ps[i:i+1])
		if !reflect.DeepEqual(alone[0], all[i]) {
			t.Errorf("row %d alone is %v, in the batch %v", i, alone[0], all[i])
		}
	}
	few := sample(t, p, ps[40:60])
	for i := range few {
		if !reflect.DeepEqual(few[i], all[40+i]) {
			t.Errorf("row %d among 20 differs from itself among 256", 40+i)
		}
	}
}

// Rows of a group have the same prompt and different keys: they must differ.
func TestRowsOfAGroupDiffer(t *testing.T) {
	p := open(t, demo(), 2)
	one := prompts(p.Config(), 1)[0]
	var ps []engine.Prompt
	for i := range 8 {
		one.Key.Sample = uint32(i)
		ps = append(ps, one)
	}
	rows := sample(t, p, ps)
	for i := range rows {
		for j := range i {
			if slices.Equal(rows[i].Tokens, rows[j].Tokens) {
				t.Errorf("rows %d and %d are equal", j, i)
			}
		}
	}
	for _, change := range []func(k *engine.Key){
		func(k *engine.Key) { k.Seed++ }, func(k *engine.Key) { k.Branch++ }, func(k *engine.Key) { k.Step++ }, func(k *engine.Key) { k.Prompt++ },
	} {
		other := ps[0]
		change(&other.Key)
		if slices.Equal(sample(t, p, []engine.Prompt{other})[0].Tokens, rows[0].Tokens) {
			t.Errorf("the stream does not depend on all of the key: %+v", other.Key)
		}
	}
}

// run is some of everything: samples, scores, steps fused and accumulated, in a batch of 128 rows and more.
func run(t *testing.T, threads int) (string, [32]byte) {
	p := open(t, demo(), threads)
	p.BeginStage()
	rows := sample(t, p, prompts(p.Config(), 144))
	b := ragged(t, p, 144, 5)
	h := row(t, "grpo").Hyper()
	h.LR = 1e-3
	facts := fmt.Sprint(rows)
	for i := range 4 {
		h.MicroBatch = []int{0, 256, 32, 48}[i]
		r, err := p.Step(t.Context(), b, h)
		if err != nil || !r.Applied {
			t.Fatalf("step: %+v, %v", r, err)
		}
		facts += fmt.Sprint(r.Metrics)
	}
	s, err := p.Score(t.Context(), engine.ScoreRequest{Sequences: []engine.Sequence{{Tokens: b.Rows[0].Tokens, Start: 1}}, TopK: 3})
	if err != nil {
		t.Fatal(err)
	}
	return facts + fmt.Sprint(s), Digest(p.Trained())
}

// Repeats and thread counts give the same bits: samples, metrics, weights.
func TestRepeatable(t *testing.T) {
	facts, digest := run(t, 2)
	for _, threads := range []int{2, 1, 4} {
		f, d := run(t, threads)
		if d != digest {
			t.Errorf("%d threads end at weights %x, want %x", threads, d, digest)
		}
		if f != facts {
			t.Errorf("%d threads give other samples, scores or metrics", threads)
		}
	}
}

// Each training graph twice on more than 128 rows: a racing reduction shows here and nowhere else.
func TestGradientRepeats(t *testing.T) {
	p := open(t, demo(), 2)
	b := ragged(t, p, 200, 6)
	h := row(t, "grpo").Hyper()
	_, first, err := p.Gradient(t.Context(), b, h)
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		_, g, err := p.Gradient(t.Context(), b, h)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(g, first) {
			t.Fatal("the gradient differs between two runs of the same graph")
		}
	}
}

func TestDigest(t *testing.T) {
	long := make([]float32, chunk+3)
	a := Digest(long)
	long[chunk+1] = 1
	if Digest(long) == a {
		t.Error("the digest does not cover the second chunk")
	}
	if Digest(nil) == Digest([]float32{0}) {
		t.Error("no weights and a zero have the same digest")
	}
}
