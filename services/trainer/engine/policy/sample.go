package policy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/ort"
)

// Ending says when a row is over.
type Ending struct {
	EOS    int32
	HasEOS bool
	Decode func(ids []int32) ([]byte, error) // for stop strings
}

// prefillFrom is the prompt length from which a prompt is read in one run rather than token by token.
const prefillFrom = 8

// lengths are the padded lengths of a row: of its cache, and of the part of its prompt that is read at once (0: none).
// They follow from the row alone; rows of equal lengths are decoded together, so that a row's numbers never depend on
// what else is in the call.
type lengths struct{ cache, prefill int }

func (p *Policy) lengths(prompt, maxTokens int) lengths {
	l := lengths{cache: ort.Tokens(min(prompt+maxTokens, p.cfg.Context), p.cfg.Context)}
	if prompt > prefillFrom { // the last token of the prompt is the first to be decoded
		l.prefill = min(ort.Tokens(prompt-1, p.cfg.Context), l.cache)
	}
	return l
}

// Sample completes each prompt.
func (p *Policy) Sample(ctx context.Context, r engine.SampleRequest, end Ending) ([]engine.Row, error) {
	if r.MaxTokens < 1 || !(r.Temperature >= 0) {
		return nil, fmt.Errorf("sample %d tokens at temperature %g: want at least 1 and not below 0", r.MaxTokens, r.Temperature)
	}
	groups := map[lengths][]int{}
	var order []lengths
	for i, q := range r.Prompts {
		if err := p.checkTokens(q.Tokens); err != nil {
			return nil, fmt.Errorf("prompt %d: %w", i, err)
		}
		if len(q.Tokens) >= p.cfg.Context {
			return nil, fmt.Errorf("prompt %d has %d tokens, the context holds %d with the answer", i, len(q.Tokens), p.cfg.Context)
		}
		l := p.lengths(len(q.Tokens), r.MaxTokens)
		if groups[l] == nil {
			order = append(order, l)
		}
		groups[l] = append(groups[l], i)
	}
	out := make([]engine.Row, len(r.Prompts))
	for _, l := range order {
		for rows := range slices.Chunk(groups[l], ort.MaxRows) {
			if err := p.decode(ctx, r, end, rows, l, out); err != nil {
				return nil, err
			}
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

// decode runs one batch of rows to their ends.
func (p *Policy) decode(ctx context.Context, r engine.SampleRequest, end Ending, rows []int, l lengths, out []engine.Row) error {
	d, err := p.newDecoding(ctx, r, rows, l)
	if err != nil {
		return err
	}
	defer d.values.Close() // frees views only
	streams := make([]stream, len(rows))
	for j, i := range rows {
		streams[j] = newStream(r.Prompts[i].Key)
	}
	done, live := make([]bool, len(rows)), len(rows)
	for live > 0 {
		for j, i := range rows {
			if done[j] {
				continue // a finished row computes on at its last position; nobody reads it
			}
			prompt, at := r.Prompts[i].Tokens, int(d.pos[j])
			if at < len(prompt) {
				d.ids[j] = int64(prompt[at])
			} else {
				d.ids[j] = int64(out[i].Tokens[at-len(prompt)])
			}
			if at+1 >= len(prompt) {
				d.u[j] = streams[j].uniform()
			}
		}
		if err := d.call.Run(ctx); err != nil {
			return err
		}
		for j, i := range rows {
			if done[j] {
				continue
			}
			if d.pos[j]++; int(d.pos[j]) < len(r.Prompts[i].Tokens) {
				continue
			}
			tok, lp := d.choose(j, r)
			row := &out[i]
			row.Tokens, row.LogProbs, row.Entropy = append(row.Tokens, tok), append(row.LogProbs, lp), append(row.Entropy, d.ent[j])
			room := len(r.Prompts[i].Tokens)+len(row.Tokens) < min(p.cfg.Context, l.cache)
			if row.Stop, err = stop(row.Tokens, r, end, room); err != nil {
				return err
			}
			if row.Stop != "" {
				done[j] = true
				d.pos[j]--
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
