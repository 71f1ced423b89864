package runner

import (
	"context"
	"math"
	"time"

	"github.com/provenir/provenir/services/trainer/engine"
)

// Injections make the engine misbehave in ways that happen to people: a learning rate that was set too high, a batch
// that holds a NaN, a worker that hangs. They are part of the semantic spec, so a run that was made to misbehave can
// never pass for one that was not.
const (
	blowupFactor = 40 // × learning rate
	blowupSteps  = 8
	stallFor     = 25 * time.Second
)

// inject changes the step's numbers where the spec asks for it.
func (r *run) inject(h engine.Hyper, l *learned) engine.Hyper {
	in := r.Plan.Spec.GetInject()
	at := r.stageStep()
	switch {
	case in.GetKind() == "kl_blowup" && at >= in.GetAtStep() && at < in.GetAtStep()+blowupSteps:
		h.LR *= blowupFactor
		h.MaxNorm *= blowupFactor
	case in.GetKind() == "nan" && at == in.GetAtStep() && len(l.advantage) > 0:
		l.advantage[0] = math.NaN()
	}
	return h
}

// stall holds the step named in the spec, as a hung worker would.
func (r *run) stall(ctx context.Context) error {
	in := r.Plan.Spec.GetInject()
	if in.GetKind() != "stall" || r.stageStep() != in.GetAtStep() {
		return nil
	}
	t := r.Clock.NewTimer(stallFor)
	defer t.Stop()
	select {
	case <-t.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
