package rl

import (
	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/live"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
)

// drive makes the spec, creates the run and follows it to its end.
func (o *options) drive(cmd *cobra.Command, a *app.App, s *app.Session) error {
	ctx := cmd.Context()
	spec, err := o.spec(ctx, cmd, a, s, false)
	if err != nil {
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
	return live.Attend(ctx, a, s, uid)
}
