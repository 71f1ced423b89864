package rl

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/live"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
)

// drive makes the spec, creates the run and follows it to its end.
func (o *options) drive(cmd *cobra.Command, a *app.App, s *app.Session) error {
	ctx := cmd.Context()
	spec := &orchestratorv1.RunSpec{}
	if o.demo != "" {
		a.Note("making %s problems from seed %d", o.demo, o.seed)
		var err error
		if spec, err = o.demoSpec(ctx, s); err != nil {
			return err
		}
	}
	if err := o.fromFile(spec); err != nil {
		return err
	}
	if err := o.fill(ctx, s, spec); err != nil {
		return err
	}
	if err := o.apply(cmd, spec); err != nil {
		return err
	}
	c := orchestratorv1.NewOrchestratorServiceClient(s.Conn)
	created, err := c.CreateRun(ctx, &orchestratorv1.CreateRunRequest{Spec: spec})
	if err != nil {
		return err
	}
	uid := created.GetRun().GetUid()
	a.Note("run %s", uid)
	if o.detach {
		if a.JSON {
			return a.PrintJSON(created.GetRun())
		}
		a.Print("%s", uid)
		return nil
	}
	run, err := live.Follow(ctx, a, c, uid)
	if errors.Is(err, context.Canceled) {
		return o.interrupted(a, s, c, uid)
	}
	if err != nil {
		return err
	}
	return live.Conclude(context.WithoutCancel(ctx), a, s, governancev1.NewGovernanceServiceClient(s.Conn), run)
}

// interrupted is the first Ctrl-C. A remote run goes on without us. One in this process stops after its step: the next
// start of a mesh on the same data goes on with it.
func (o *options) interrupted(a *app.App, s *app.Session, _ orchestratorv1.OrchestratorServiceClient, uid string) error {
	if s.Local == nil {
		a.Note("the run goes on; follow it with: %s run watch %s --server %s", app.Command(), uid, a.ServerAddress())
	} else {
		a.Note("stopped; go on with: %s run watch %s", app.Command(), uid)
	}
	return app.Exit{Code: app.CodeInterrupted, Err: fmt.Errorf("interrupted: %w", context.Canceled)}
}
