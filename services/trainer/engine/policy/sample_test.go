package policy

import (
	"math"
	"slices"
	"testing"

	"github.com/provenir/provenir/services/trainer/engine"
)

func scoreOf(t *testing.T, p *Policy, prompt []int32, tokens []int32, temperature float64) engine.Scores {
	t.Helper()
	s, err := p.Score(t.Context(), engine.ScoreRequest{Temperature: temperature, TopK: 20, Sequences: []engine.Sequence{
		{Tokens: slices.Concat(prompt, tokens), Start: len(prompt)}}})
	if err != nil {
		t.Fatal(err)
	}
	return s[0]
}

// The log probs that sampling reports are those of the score graph: otherwise the first ratio of a step is not 1.
func TestDecodeAgainstScore(t *testing.T) {
	p := open(t, small(), 2)
	for _, temperature := range []float64{1, .7, 1.5, 0} {
		ps := prompts(p.Config(), 40)
		rows, err := p.Sample(t.Context(), engine.SampleRequest{Prompts: ps, MaxTokens: 20, Temperature: temperature}, Ending{EOS: 1, HasEOS: true})
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for i, r := range rows {
			s := scoreOf(t, p, ps[i].Tokens, r.Tokens, temperature)
			for k := range r.Tokens {
				worst = max(worst, math.Abs(float64(r.LogProbs[k]-s.LogProbs[k])), math.Abs(float64(r.Entropy[k]-s.Entropy[k])))
				if temperature == 0 && s.Top[k][0].ID != r.Tokens[k] {
					t.Errorf("greedy took %d, the most likely is %d", r.Tokens[k], s.Top[k][0].ID)
				}
			}
		}
		if worst > 1e-4 {
			t.Errorf("temperature %g: decode and score differ by %.1e", temperature, worst)
		}
	}
}

// Frequencies of the first token follow the policy's distribution.
func TestSamplesFollowTheDistribution(t *testing.T) {
	p := open(t, small(), 2)
	prompt := prompts(p.Config(), 1)[0]
	const n = 4096
	ps := make([]engine.Prompt, n)
	for i := range ps {
		ps[i] = prompt
		ps[i].Key.Prompt = uint64(i)
	}
	rows, err := p.Sample(t.Context(), engine.SampleRequest{Prompts: ps, MaxTokens: 1, Temperature: 1}, Ending{})
	if err != nil {
		t.Fatal(err)
	}
	count := map[int32]float64{}
	for _, r := range rows {
		count[r.Tokens[0]]++
	}
	for _, c := range scoreOf(t, p, prompt.Tokens, []int32{0}, 1).Top[0] {
		want := math.Exp(float64(c.LogProb))
		sd := math.Sqrt(want * (1 - want) / n)
		if got := count[c.ID] / n; math.Abs(got-want) > 5*sd {
			t.Errorf("token %d has share %.4f, probability %.4f", c.ID, got, want)
		}
	}
}

func TestFilters(t *testing.T) {
	logp := make([]float32, 6) // .05 .4 .1 .25 .15 .05
	for i, p := range []float64{.05, .4, .1, .25, .15, .05} {
		logp[i] = float32(math.Log(p))
	}
	for _, c := range []struct {
		name string
		r    engine.SampleRequest
		want []int // the tokens that can come, in order of u
	}{
		{"top-k", engine.SampleRequest{TopK: 2}, []int{1, 3}},
		{"top-p takes the token that reaches it", engine.SampleRequest{TopP: .6}, []int{1, 3}},
		{"top-p above", engine.SampleRequest{TopP: .7}, []int{1, 3, 4}},
		{"min-p", engine.SampleRequest{MinP: .3}, []int{1, 3, 4}},
		{"top-p of the top-k", engine.SampleRequest{TopK: 2, TopP: .6}, []int{1}},
		{"ties keep the lower id", engine.SampleRequest{TopK: 5}, []int{1, 3, 4, 2, 0}},
		{"nothing is left of nothing", engine.SampleRequest{TopK: 1, MinP: 1}, []int{1}},
	} {
		var got []int
		for u := 0.0; u < 1; u += 1. / 512 {
			if id := filtered(logp, c.r, u); len(got) == 0 || got[len(got)-1] != id {
				got = append(got, id)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestStops(t *testing.T) {
	p := open(t, small(), 2)
	c := p.Config()
	ps := prompts(c, 16)
	decode := func(ids []int32) (out []byte, err error) {
		for _, id := range ids {
			out = append(out, byte('a'+id%26))
		}
		return out, nil
	}
	for _, k := range []struct {
		name string
		r    engine.SampleRequest
		end  Ending
		want []engine.StopReason
	}{
		{"eos or length", engine.SampleRequest{MaxTokens: 12}, Ending{EOS: 1, HasEOS: true}, []engine.StopReason{engine.StopEOS, engine.StopLength}},
		{"length", engine.SampleRequest{MaxTokens: 3}, Ending{}, []engine.StopReason{engine.StopLength}},
		{"context", engine.SampleRequest{MaxTokens: 500}, Ending{}, []engine.StopReason{engine.StopLength}},
		{"string", engine.SampleRequest{MaxTokens: 50, Stop: [][]byte{[]byte("a"), []byte("b"), []byte("c")}}, Ending{Decode: decode}, []engine.StopReason{engine.StopString, engine.StopLength}},
		{"filtered", engine.SampleRequest{MaxTokens: 4, TopK: 3, TopP: .9}, Ending{}, []engine.StopReason{engine.StopLength}},
	} {
		k.r.Prompts, k.r.Temperature = ps, 1
		rows, err := p.Sample(t.Context(), k.r, k.end)
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range rows {
			if !slices.Contains(k.want, r.Stop) || len(r.Tokens) != len(r.LogProbs) || len(r.Tokens) != len(r.Entropy) {
				t.Errorf("%s: row %d stops by %q with %d tokens", k.name, i, r.Stop, len(r.Tokens))
			}
			total := len(ps[i].Tokens) + len(r.Tokens)
			if r.Stop == engine.StopLength && len(r.Tokens) != k.r.MaxTokens && total != c.Context {
				t.Errorf("%s: row %d has %d tokens, %d in all", k.name, i, len(r.Tokens), total)
			}
			if (r.Stop == engine.StopEOS) != (k.end.HasEOS && r.Tokens[len(r.Tokens)-1] == k.end.EOS) {
				t.Errorf("%s: row %d stops by %q at token %d", k.name, i, r.Stop, r.Tokens[len(r.Tokens)-1])
			}
		}
	}
}

func TestSampleAndScoreRefuse(t *testing.T) {
	p := open(t, small(), 1)
	ok := []engine.Prompt{{Tokens: []int32{1, 2}}}
	for name, r := range map[string]engine.SampleRequest{
		"no new tokens":        {Prompts: ok},
		"negative temperature": {Prompts: ok, MaxTokens: 1, Temperature: -1},
		"empty prompt":         {Prompts: []engine.Prompt{{}}, MaxTokens: 1},
		"unknown id":           {Prompts: []engine.Prompt{{Tokens: []int32{99}}}, MaxTokens: 1},
		"prompt of a context":  {Prompts: []engine.Prompt{{Tokens: make([]int32, 64)}}, MaxTokens: 1},
	} {
		if _, err := p.Sample(t.Context(), r, Ending{}); err == nil {
			t.Errorf("%s: sampled", name)
		}
	}
	seq := []engine.Sequence{{Tokens: []int32{1, 2, 3}, Start: 1}}
	for name, r := range map[string]engine.ScoreRequest{
		"no reference yet":     {Sequences: seq, Reference: true},
		"top-k of 21":          {Sequences: seq, TopK: 21},
		"negative temperature": {Sequences: seq, Temperature: -1},
		"start of 0":           {Sequences: []engine.Sequence{{Tokens: []int32{1, 2}}}},
		"one token":            {Sequences: []engine.Sequence{{Tokens: []int32{1}, Start: 1}}},
	} {
		if _, err := p.Score(t.Context(), r); err == nil {
			t.Errorf("%s: scored", name)
		}
	}
	if rows, err := p.Sample(t.Context(), engine.SampleRequest{MaxTokens: 1}, Ending{}); err != nil || len(rows) != 0 {
		t.Errorf("no prompts: %v, %v", rows, err)
	}
}
