package loop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/orchestrator/lease"
	"github.com/provenir/provenir/services/orchestrator/run"
)

// maxCrashes is how often an engine may crash or get lost before the run fails.
const maxCrashes = 3

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
	crashes, wait := 0, 200*time.Millisecond
	for {
		err := o.try(ctx)
		if cause := context.Cause(ctx); err != nil && cause != nil {
			return cause
		}
		kind, why := classify(err)
		switch kind {
		case ended:
			return nil
		case dead:
			return err
		case passing:
			o.Log.WarnContext(ctx, "run waits", "run", o.Run.GetUid(), "error", err.Error())
			if err := o.waiting(ctx, why); err != nil {
				return err
			}
			if err := o.sleep(ctx, wait); err != nil {
				return err
			}
			wait = min(wait*2, 5*time.Second)
			continue
		case crash:
			if crashes++; crashes <= maxCrashes {
				o.Log.WarnContext(ctx, "engine crashed; the run goes on from its last snapshot", "run", o.Run.GetUid(), "crash", crashes, "error", err.Error())
				continue
			}
		case fatal:
		}
		return o.fail(ctx, err, why)
	}
}

// fail ends the run as FAILED: its ledger is sealed with what there is. While that cannot be done it is tried again.
func (o *Owner) fail(ctx context.Context, cause error, code string) error {
	f := &trainerv1.Failure{Category: trainerv1.FailureCategory_FAILURE_CATEGORY_ENGINE, Code: code, Message: rpc.Message(cause)}
	if code == "" {
		f.Code = "INTERNAL"
	}
	o.Log.ErrorContext(ctx, "run failed", "run", o.Run.GetUid(), "error", cause.Error())
	for wait := 200 * time.Millisecond; ; wait = min(wait*2, 5*time.Second) {
		err := o.sealFailed(ctx, f)
		if kind, why := classify(err); kind != passing {
			return err
		} else if err := errors.Join(o.waiting(ctx, why), o.sleep(ctx, wait)); err != nil {
			return err
		}
	}
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
	return o.Board.Update(ctx, func(r *orchestratorv1.Run) { r.Progress.Waiting = on })
}

// kind is what an attempt's end means.
type kind int

const (
	ended   kind = iota // the run has ended
	dead                // this process has: a test killed it here
	passing             // a neighbour is away or full: wait and try again
	crash               // the engine failed: try again, a few times
	fatal               // it would fail again
)

// classify tells errors that pass from those that would come back. why is an error reason, or what is waited for.
func classify(err error) (kind, string) {
	switch reason := rpc.Reason(err); {
	case err == nil:
		return ended, ""
	case errors.Is(err, faultline.ErrKilled), reason == "LEASE_LOST":
		return dead, reason
	case reason == "LEDGER_DISK_FULL":
		return passing, "disk"
	case rpc.Temporary(err):
		return passing, "a role of the mesh: " + rpc.Message(err)
	case reason == "DIVERGENT_REPLAY":
		return fatal, "RESUME_DIVERGED"
	case reason == "STREAM_REPLACED", reason == "" && status.Code(err) == codes.Canceled:
		return passing, "the trainer"
	case reason == "INTERNAL", reason == "NON_FINITE", reason == "ENGINE_LOST", reason == "":
		return crash, reason
	default:
		return fatal, reason
	}
}
