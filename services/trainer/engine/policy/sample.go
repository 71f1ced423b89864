package policy

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/ort"
	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// Ending says when a row is over.
type Ending struct {
	EOS    int32
	HasEOS bool
	Decode func(ids []int32) ([]byte, error) // for stop strings
}

// Sample completes each prompt. Rows are decoded together with others of the same padded length, so that a row's numbers
// never depend on what else is in the call.
func (p *Policy) Sample(ctx context.Context, r engine.SampleRequest, end Ending) ([]engine.Row, error) {
	if r.MaxTokens < 1 || r.Temperature < 0 {
		return nil, fmt.Errorf("sample %d tokens at temperature %g: want at least 1 and not below 0", r.MaxTokens, r.Temperature)
	}
	byLength := map[int][]int{}
	var lengths []int
	for i, q := range r.Prompts {
		if err := p.checkTokens(q.Tokens); err != nil {
			return nil, fmt.Errorf("prompt %d: %w", i, err)
		}
		if len(q.Tokens) >= p.cfg.Context {
			return nil, fmt.Errorf("prompt %d has %d tokens, the context holds %d with the answer", i, len(q.Tokens), p.cfg.Context)
		}
		t := ort.Tokens(min(len(q.Tokens)+r.MaxTokens, p.cfg.Context), p.cfg.Context)
		if byLength[t] == nil {
			lengths = append(lengths, t)
		}
		byLength[t] = append(byLength[t], i)
	}
	out := make([]engine.Row, len(r.Prompts))
	for _, t := range lengths {
		rows := byLength[t]
		for len(rows) > 0 {
			n := min(len(rows), ort.MaxRows)
			if err := p.decode(ctx, r, end, rows[:n], t, out); err != nil {
				return nil, err
			}
			rows = rows[n:]
		}
	}
	return out, nil
}

func (p *Policy) checkTokens(ids []int32) error {
	if len(ids) == 0 {
		return errors.New("no tokens")
	}
	for i, id := range ids {
		if id < 0 || int(id) >= p.cfg.Vocab {
			return fmt.Errorf("token %d is id %d, the vocabulary has %d", i, id, p.cfg.Vocab)
		}
	}
	return nil
}

// pick chooses the graph: filters need all log probabilities on our side.
func pick(r engine.SampleRequest) (llama.Pick, string) {
	switch {
	case r.Temperature == 0:
		return llama.Greedy, "greedy"
	case (r.TopP > 0 && r.TopP < 1) || r.TopK > 0 || r.MinP > 0:
		return llama.Undecided, "logits"
	}
	return llama.Sampled, "decode"
}

// decode runs one batch of rows to their ends, T tokens at most.
func (p *Policy) decode(ctx context.Context, r engine.SampleRequest, end Ending, rows []int, T int, out []engine.Row) error {
	B := ort.Rows(len(rows))
	how, kind := pick(r)
	s, err := p.cache.Get(ort.Key{Kind: kind, Rows: B, Tokens: T}, false, func() (*tg.Graph, error) { return llama.Decode(p.cfg, B, T, how) })
	if err != nil {
		return err
	}
	d, err := p.newDecoding(s, r, B, T, how)
	if err != nil {
		return err
	}
	defer d.values.Close() // frees views only
	live := 0
	streams := make([]stream, len(rows))
	for j, i := range rows {
		streams[j] = newStream(r.Prompts[i].Key)
		live++
	}
	done := make([]bool, len(rows))
	for t := 0; live > 0; t++ {
		for j, i := range rows {
			if done[j] {
				continue // a finished row computes on at its last position; nobody reads it
			}
			prompt := r.Prompts[i].Tokens
			d.pos[j] = int64(t)
			if d.ids[j] = int64(prompt[min(t, len(prompt)-1)]); t >= len(prompt) {
				d.ids[j] = int64(out[i].Tokens[t-len(prompt)])
			}
			if t+1 >= len(prompt) {
				d.u[j] = streams[j].uniform()
			}
		}
		if err := d.call.Run(ctx); err != nil {
			return err
		}
		for j, i := range rows {
			if done[j] || t+1 < len(r.Prompts[i].Tokens) {
				continue
			}
			tok, lp := d.choose(j, r)
			row := &out[i]
			row.Tokens, row.LogProbs, row.Entropy = append(row.Tokens, tok), append(row.LogProbs, lp), append(row.Entropy, d.ent[j])
			room := len(r.Prompts[i].Tokens)+len(row.Tokens) < min(p.cfg.Context, T)
			if row.Stop, err = stop(row.Tokens, r, end, room); err != nil {
				return err
			}
			if row.Stop != "" {
				done[j] = true
				live--
			}
		}
	}
	return nil
}

// stop says whether the row is over; room is false when the sequence is as long as it may be.
func stop(tokens []int32, r engine.SampleRequest, end Ending, room bool) (engine.StopReason, error) {
	last := tokens[len(tokens)-1]
	if end.HasEOS && last == end.EOS {
		return engine.StopEOS, nil
	}
	if len(r.Stop) > 0 && end.Decode != nil {
		text, err := end.Decode(tokens)
		if err != nil {
			return "", fmt.Errorf("decode for stop strings: %w", err)
		}
		for _, s := range r.Stop {
			if len(s) > 0 && bytes.Contains(text, s) {
				return engine.StopString, nil
			}
		}
	}
	if len(tokens) >= r.MaxTokens || !room {
		return engine.StopLength, nil
	}
	return "", nil
}
