package policy

import (
	"context"
	"errors"
	"fmt"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/llama"
	"github.com/provenir/provenir/services/trainer/engine/ort"
	"github.com/provenir/provenir/services/trainer/engine/tg"
)

// scoreRows is how many sequences are scored at once: larger batches are no faster and hold more memory.
const scoreRows = 64

// Score gives log probability and entropy of every token from Start on.
func (p *Policy) Score(ctx context.Context, r engine.ScoreRequest) ([]engine.Scores, error) {
	if r.Reference && p.ref == nil {
		return nil, errors.New("no reference: BeginStage has not been called")
	}
	if r.TopK < 0 || r.TopK > llama.TopK {
		return nil, fmt.Errorf("top_k is %d, want 0 to %d", r.TopK, llama.TopK)
	}
	if r.Temperature < 0 {
		return nil, fmt.Errorf("temperature is %g, want 0 or more", r.Temperature)
	}
	longest := 0
	for i, q := range r.Sequences {
		if err := p.checkSequence(q.Tokens, q.Start); err != nil {
			return nil, fmt.Errorf("sequence %d: %w", i, err)
		}
		longest = max(longest, len(q.Tokens))
	}
	w, err := p.weights(r.Reference)
	if err != nil {
		return nil, err
	}
	defer w.Close() // frees views only
	out := make([]engine.Scores, 0, len(r.Sequences))
	for at := 0; at < len(r.Sequences); at += scoreRows {
		part := r.Sequences[at:min(at+scoreRows, len(r.Sequences))]
		s, err := p.scorePart(ctx, r, w, part, ort.Tokens(longest, p.cfg.Context))
		if err != nil {
			return nil, err
		}
		out = append(out, s...)
	}
	return out, nil
}

func (p *Policy) checkSequence(tokens []int32, start int) error {
	if err := p.checkTokens(tokens); err != nil {
		return err
	}
	if start < 1 || start >= len(tokens) {
		return fmt.Errorf("start is %d, want 1 to %d", start, len(tokens)-1)
	}
	if len(tokens) > p.cfg.Context {
		return fmt.Errorf("%d tokens, the context holds %d", len(tokens), p.cfg.Context)
	}
	return nil
}

func (p *Policy) scorePart(ctx context.Context, r engine.ScoreRequest, w ort.Values, part []engine.Sequence, T int) (_ []engine.Scores, err error) {
	B := ort.Rows(len(part))
	kind, n, k := "score", B*(T-1), min(llama.TopK, p.cfg.Vocab)
	if r.TopK > 0 {
		kind = "score-top"
	}
	s, err := p.cache.Get(ort.Key{Kind: kind, Rows: B, Tokens: T}, false, func() (*tg.Graph, error) { return llama.Score(p.cfg, B, T, r.TopK > 0) })
	if err != nil {
		return nil, err
	}
	ids, lp, ent := make([]int64, B*T), make([]float32, n), make([]float32, n)
	for i, q := range part {
		for t, id := range q.Tokens {
			ids[i*T+t] = int64(id)
		}
	}
	inv := float32(1)
	if r.Temperature > 0 {
		inv = float32(1 / r.Temperature)
	}
	own := ort.Values{}
	errs := []error{own.I64("ids", ids, B, T), own.F32("inv_temp", []float32{inv}, 1), own.F32("logp", lp, B, T-1), own.F32("entropy", ent, B, T-1)}
	var topIDs []int64
	var topLP []float32
	if r.TopK > 0 {
		topIDs, topLP = make([]int64, n*k), make([]float32, n*k)
		errs = append(errs, own.I64("top_ids", topIDs, n, k), own.F32("top_logp", topLP, n, k))
	}
	defer func() { err = errors.Join(err, own.Close()) }()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := s.Run(ctx, merge(w, own)); err != nil {
		return nil, err
	}
	out := make([]engine.Scores, len(part))
	for i, q := range part {
		from, to := i*(T-1)+q.Start-1, i*(T-1)+len(q.Tokens)-1
		out[i].LogProbs, out[i].Entropy = append([]float32(nil), lp[from:to]...), append([]float32(nil), ent[from:to]...)
		if r.TopK == 0 {
			continue
		}
		for x := from; x < to; x++ {
			var c []engine.Candidate
			for y := range min(r.TopK, k) {
				c = append(c, engine.Candidate{ID: int32(topIDs[x*k+y]), LogProb: topLP[x*k+y]})
			}
			out[i].Top = append(out[i].Top, c)
		}
	}
	return out, nil
}

func merge(vs ...ort.Values) ort.Values {
	out := ort.Values{}
	for _, v := range vs {
		for k, t := range v {
			out[k] = t
		}
	}
	return out
}
