package live

import (
	"context"
	"errors"
	"fmt"

	"github.com/provenir/provenir/cli/app"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
)

// Attend prints a run's events until it has ended, and then how. At the first Ctrl-C a run that lives in this process
// finishes its step, which saves it, and the command that goes on with it is named; a run of another mesh goes on without us.
// The second Ctrl-C ends the process at once (cli.Main): the ledger and the snapshots are made for that.
func Attend(ctx context.Context, a *app.App, s *app.Session, uid string) error {
	w := &follower{a: a, c: orchestratorv1.NewOrchestratorServiceClient(s.Conn), uid: uid}
	t := &table{a: a}
	err := w.each(ctx, t.event)
	ctx = context.WithoutCancel(ctx)
	if errors.Is(err, context.Canceled) {
		if s.Local == nil {
			a.Tell("the run goes on; follow it with: %s run watch %s --server %s", app.Command(), uid, a.ServerAddress())
			return interrupted()
		}
		if t.tracked { // its loop is another process: nothing here has to come to an end
			return interrupted()
		}
		if err = w.settle(ctx, t.event); err == nil {
			a.Tell("stopped; go on with: %s run watch %s%s", app.Command(), uid, where(a))
			return interrupted()
		}
	}
	if !errors.Is(err, errEnded) {
		return err
	}
	r, err := w.get(ctx)
	if err != nil {
		return err
	}
	return Conclude(a, s, r)
}

func interrupted() error {
	return app.Exit{Code: app.CodeInterrupted, Err: fmt.Errorf("interrupted: %w", context.Canceled)}
}

// where is the flag that leads to the same data from a command line of its own.
func where(a *app.App) string {
	s, err := a.Settings()
	if err != nil || s["data"].Origin == "default" {
		return ""
	}
	return " --data " + s.Get("data")
}

// settle waits until the step that is under way is finished and written down. A run that waits, or has not begun, has none.
// The run is not asked to pause: if the process died before it took that back, whoever goes on would find it held.
func (w *follower) settle(ctx context.Context, show func(*orchestratorv1.WatchRunResponse) error) error {
	r, err := w.get(ctx)
	if err != nil || idle(r) {
		return err
	}
	w.a.Tell("finishing the step under way; Ctrl-C again stops at once, and nothing that was recorded is lost")
	err = w.each(ctx, func(m *orchestratorv1.WatchRunResponse) error {
		if err := show(m); err != nil {
			return err
		}
		if finishes(m.GetStep().GetFacts(), r.GetProgress()) {
			return errSettled
		}
		if m.GetRun() == nil || !idle(m.GetRun()) {
			return nil
		}
		if now, err := w.get(ctx); err != nil || !idle(now) { // an event may be older than the wish
			return err
		}
		return errSettled
	})
	if errors.Is(err, errSettled) {
		return nil
	}
	return err
}

// finishes says whether a step is the one that was under way, or a later one: those before it may still be told.
func finishes(f *corev1.StepFacts, before *orchestratorv1.Progress) bool {
	return f != nil && (f.GetStep() >= before.GetStep() || f.GetBranch() > before.GetBranch())
}

var errSettled = errors.New("no step is under way")

// idle says that no step is under way: the run has not begun, is held, or waits for something.
func idle(r *orchestratorv1.Run) bool {
	switch r.GetState() {
	case orchestratorv1.RunState_RUN_STATE_PENDING, orchestratorv1.RunState_RUN_STATE_STARTING, orchestratorv1.RunState_RUN_STATE_PAUSED:
		return true
	}
	return r.GetProgress().GetWaiting() != ""
}
