package runner

import (
	"context"
	"fmt"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/engine/objective"
)

// sft is a step on demonstrations: the token mean of the negative log likelihood of the completions.
func (r *run) sft(ctx context.Context, w *watch) (*corev1.StepFacts, error) {
	n := int(r.Plan.Spec.GetBatchSize())
	f := r.newFacts()
	var b engine.Batch
	lengths := make([]int, n)
	for i := range n {
		x := &r.text[r.order.At(r.state.Cursor+uint64(i))]
		tokens := append(append(make([]int32, 0, len(x.prompt)+len(x.completion)), x.prompt...), x.completion...)
		b.Rows = append(b.Rows, engine.TrainRow{Tokens: tokens, Start: len(x.prompt), Advantage: 1})
		lengths[i] = len(x.completion)
		f.tokensPrompt += uint64(len(x.prompt))
		f.tokensCompletion += uint64(len(x.completion))
	}
	r.state.Cursor += uint64(n)
	weights, err := objective.Weights(r.Plan.Row.Params.Aggregation, objective.Lengths(lengths...), r.Plan.Row.Params.MaxLen)
	if err != nil {
		return nil, err
	}
	for i := range b.Rows {
		b.Rows[i].Weight = weights[i]
	}
	h := r.Plan.Hyper(r.stageStep())
	res, err := r.Engine.Step(ctx, b, h)
	if err != nil {
		return nil, fmt.Errorf("train step %d: %w", r.state.NextStep, err)
	}
	w.lap(&w.timing.Train)
	return f.sft(n, res, h), nil
}
