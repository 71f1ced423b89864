package loop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/lease"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// Live takes the lease and drives the run to its end. sole says that no other process can own it.
func (o *Owner) Live(ctx context.Context, owner string, sole bool) error {
	g, err := o.Leases.Acquire(ctx, o.Run.GetUid(), owner, o.Clock.Now(), sole)
	if err != nil {
		return err
	}
	o.grant, o.stages = g, run.Stages(o.Run.GetSpec())
	ctx, cancel := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		o.keep(ctx, cancel)
	}()
	err = o.live(ctx)
	cancel(nil)
	<-kept
	if rel := o.Leases.Release(context.WithoutCancel(ctx), o.grant); rel != nil {
		o.Log.WarnContext(ctx, "lease not released", "run", o.Run.GetUid(), "error", rel.Error())
	}
	return err
}

// keep renews the lease. Losing it ends everything this process does for the run.
func (o *Owner) keep(ctx context.Context, cancel context.CancelCauseFunc) {
	g := o.grant
	for {
		t := o.Clock.NewTimer(lease.Renew)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C():
		}
		next, err := o.Leases.Extend(ctx, g, o.Clock.Now())
		switch {
		case errors.Is(err, lease.ErrLost):
			cancel(rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_LOST, "%w", err))
			return
		case err != nil && ctx.Err() == nil && o.Clock.Now().After(g.Expiry):
			cancel(fmt.Errorf("the lease ran out and could not be renewed: %w", err))
			return
		case err == nil:
			g = next
		}
	}
}

// live makes attempts until the run has ended.
func (o *Owner) live(ctx context.Context) error {
	if f := o.Run.GetFailure(); f != nil { // it had failed, and its owner died before the seal
		return o.abandon(ctx, run.Failed, f)
	}
	m, pause := &machine{}, 200*time.Millisecond
	for {
		err := o.try(ctx)
		if cause := context.Cause(ctx); err != nil && cause != nil {
			return cause
		}
		cancelled, askErr := o.cancelled(ctx)
		if err != nil && askErr != nil {
			return errors.Join(err, askErr)
		}
		switch next, why := m.after(err, cancelled); next {
		case done:
			return nil
		case leave:
			return err
		case wait:
			o.Log.WarnContext(ctx, "run waits", "run", o.Run.GetUid(), "error", err.Error())
			if err := errors.Join(o.waiting(ctx, why), o.sleep(ctx, pause)); err != nil {
				return err
			}
			pause = min(pause*2, longestWait)
		case again:
			o.Log.WarnContext(ctx, "engine crashed; the run goes on from its last snapshot", "run", o.Run.GetUid(), "crash", m.crashes, "error", err.Error())
		case abandon:
			o.Log.WarnContext(ctx, "run cancelled while it could not go on", "run", o.Run.GetUid(), "error", err.Error())
			return o.abandon(ctx, run.Cancelled, nil)
		default:
			return o.abandon(ctx, run.Failed, failed(err, why))
		}
	}
}

// longestWait is the longest time between two tries, and until a wish of another process is seen.
const longestWait = 5 * time.Second

// cancelled says whether a person wants the run cancelled, and it is not too late: a run whose last record is written only
// waits for its seal.
func (o *Owner) cancelled(ctx context.Context) (bool, error) {
	asked, err := o.Board.Asked(ctx)
	if err != nil || asked != "cancel" {
		return false, err
	}
	_, closed, err := o.Journal.Closed(ctx, o.Run.GetUid())
	return !closed, err
}

func failed(cause error, code string) *trainerv1.Failure {
	if code == "" {
		code = "INTERNAL"
	}
	return &trainerv1.Failure{Category: trainerv1.FailureCategory_FAILURE_CATEGORY_ENGINE, Code: code, Message: rpc.Message(cause)}
}

func (o *Owner) sleep(ctx context.Context, d time.Duration) error {
	t := o.Clock.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (o *Owner) waiting(ctx context.Context, on string) error {
	return o.Board.Update(ctx, func(r *orchestratorv1.Run) {
		r.Progress.Waiting = on
		if on == disk && run.Next(r.GetState(), run.Paused) == nil {
			r.State = run.Paused
		}
	})
}
