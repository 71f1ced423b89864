package measure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/builtin"
	"github.com/provenir/provenir/services/trainer/engine/objective"
)

// Engine measures the built-in engine at the size of the demo: sampling, scoring and training of a round of 256 rows.
func Engine(ctx context.Context, trials int) ([]Row, error) {
	shape := builtin.Demo()
	e, err := builtin.New(builtin.Config{Init: &shape, Seed: 1, Device: "cpu", Threads: 2, Spin: true})
	if err != nil {
		return nil, err
	}
	rows, err := engineRows(ctx, e, trials)
	return rows, errors.Join(err, e.Close())
}

func engineRows(ctx context.Context, e engine.Engine, trials int) ([]Row, error) {
	const n, maxTokens = 256, 32
	req := engine.SampleRequest{MaxTokens: maxTokens, Temperature: 1}
	for i := range n {
		ids, err := e.Tokenizer().Encode(fmt.Appendf(nil, "Q: %d+%d=?", 10+i%90, 10+i*7%90))
		if err != nil {
			return nil, err
		}
		req.Prompts = append(req.Prompts, engine.Prompt{Tokens: ids, Key: engine.Key{Seed: 1, Prompt: uint64(i)}})
	}
	sampled, err := e.Sample(ctx, req) // also opens the session
	if err != nil {
		return nil, err
	}
	tokens := 0
	var seqs []engine.Sequence
	var mask []int
	for i, r := range sampled {
		tokens += len(r.Tokens)
		mask = append(mask, len(r.Tokens))
		seqs = append(seqs, engine.Sequence{Tokens: append(append([]int32(nil), req.Prompts[i].Tokens...), r.Tokens...), Start: len(req.Prompts[i].Tokens)})
	}
	weights, err := objective.Weights(objective.SequenceMean, objective.Lengths(mask...), maxTokens)
	if err != nil {
		return nil, err
	}
	var batch engine.Batch
	for i, s := range seqs {
		batch.Rows = append(batch.Rows, engine.TrainRow{Tokens: s.Tokens, Start: s.Start, Weight: weights[i], Advantage: float32(i%3 - 1), Old: sampled[i].LogProbs})
	}
	row, err := objective.Lookup("grpo")
	if err != nil {
		return nil, err
	}
	h := row.Hyper()
	h.LR, h.KL = 1e-5, 0
	var out []Row
	for _, x := range []struct {
		what string
		f    func() error
	}{
		{"sample", func() error { _, err := e.Sample(ctx, req); return err }},
		{"score", func() error { _, err := e.Score(ctx, engine.ScoreRequest{Sequences: seqs}); return err }},
		{"train", func() error { _, err := e.Step(ctx, batch, h); return err }},
	} {
		if err := x.f(); err != nil { // warm
			return nil, fmt.Errorf("%s: %w", x.what, err)
		}
		var rate []float64
		for range trials {
			begin := time.Now()
			if err := x.f(); err != nil {
				return nil, fmt.Errorf("%s: %w", x.what, err)
			}
			rate = append(rate, perSecond(tokens, time.Since(begin)))
		}
		out = append(out, Row{What: x.what + ", 0.23 M parameters, 256 rows", Unit: "completion tokens/s", Ours: median(rate), Trials: trials})
	}
	return out, nil
}
