package policy

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/provenir/provenir/internal/onnx"
	"github.com/provenir/provenir/internal/onnx/onnxtest"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/objective"
)

// small is a network with grouped queries and an untied head.
func small() llama.Config {
	return llama.Config{ModelType: "llama", Vocab: 40, Dim: 64, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 16, FFN: 128,
		Context: 64, Eps: 1e-5, Rope: llama.Rope{Theta: 10000}}
}

// demo is the network of the demo.
func demo() llama.Config {
	return llama.Config{ModelType: "llama", Vocab: 259, Dim: 64, Layers: 4, Heads: 2, KVHeads: 2, HeadDim: 32, FFN: 192,
		Context: 44, Eps: 1e-5, Tied: true, Rope: llama.Rope{Theta: 10000}}
}

func open(t testing.TB, c llama.Config, threads int) *Policy {
	t.Helper()
	p, err := New(onnxtest.Open(t), c, onnx.SessionConfig{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	p.Init(1)
	return p
}

// prompts are n random prompts of a few lengths, each with its own key.
func prompts(c llama.Config, n int) []engine.Prompt {
	rng := rand.New(rand.NewPCG(9, 9))
	out := make([]engine.Prompt, n)
	for i := range out {
		for range 5 + i%4*4 { // 5 is read token by token, the others at once
			out[i].Tokens = append(out[i].Tokens, int32(rng.IntN(c.Vocab)))
		}
		out[i].Key = engine.Key{Seed: 7, Step: 3, Prompt: uint64(i / 8), Sample: uint32(i % 8)}
	}
	return out
}

func sample(t testing.TB, p *Policy, ps []engine.Prompt) []engine.Row {
	t.Helper()
	rows, err := p.Sample(t.Context(), engine.SampleRequest{Prompts: ps, MaxTokens: 30, Temperature: 1}, Ending{EOS: 1, HasEOS: true})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// ragged is a batch of n rows with old and reference values around the policy's own, and holes in the masks.
func ragged(t testing.TB, p *Policy, n int, seed uint64) engine.Batch {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 4))
	c := p.Config()
	seqs := make([]engine.Sequence, n)
	for i := range seqs {
		tokens := make([]int32, 8+rng.IntN(22))
		for k := range tokens {
			tokens[k] = int32(rng.IntN(c.Vocab))
		}
		seqs[i] = engine.Sequence{Tokens: tokens, Start: 1 + rng.IntN(len(tokens)-1)}
	}
	s, err := p.Score(t.Context(), engine.ScoreRequest{Sequences: seqs})
	if err != nil {
		t.Fatal(err)
	}
	var b engine.Batch
	var mask [][]bool
	for i, q := range seqs {
		row := engine.TrainRow{Tokens: q.Tokens, Start: q.Start, Advantage: float32(rng.NormFloat64())}
		m := make([]bool, len(q.Tokens)-q.Start)
		for k := range m {
			m[k] = k == 0 || rng.IntN(5) > 0
			row.Old = append(row.Old, s[i].LogProbs[k]+float32(.3*rng.NormFloat64()))
			row.Ref = append(row.Ref, s[i].LogProbs[k]+float32(.3*rng.NormFloat64()))
		}
		mask, b.Rows = append(mask, m), append(b.Rows, row)
	}
	weigh(t, &b, objective.SequenceMean, mask)
	return b
}

func weigh(t testing.TB, b *engine.Batch, a objective.Aggregation, mask [][]bool) {
	t.Helper()
	w, err := objective.Weights(a, mask, 64)
	if err != nil {
		t.Fatal(err)
	}
	for i := range b.Rows {
		b.Rows[i].Weight = w[i]
	}
}

func masks(b engine.Batch) [][]bool {
	out := make([][]bool, len(b.Rows))
	for i, r := range b.Rows {
		for _, w := range r.Weight {
			out[i] = append(out[i], w != 0)
		}
	}
	return out
}

func row(t testing.TB, name string) objective.Row {
	t.Helper()
	r, err := objective.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	r.Params.MaxLen = 64
	return r
}

// relative is the distance of two vectors by the length of the second.
func relative(a, b []float32) float64 {
	var d, n float64
	for i := range a {
		x := float64(a[i]) - float64(b[i])
		d, n = d+x*x, n+float64(b[i])*float64(b[i])
	}
	return math.Sqrt(d / n)
}
