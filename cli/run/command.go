// Package run is `provenir run list|show|rollouts|watch|pause|resume|cancel|export`.
package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/live"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/mesh"
)

// NewCommand is the noun.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "run", Short: "See and steer runs", Args: cobra.NoArgs}
	cmd.AddCommand(list(a), show(a), rollouts(a), watch(a), steer(a, "pause"), steer(a, "resume"), steer(a, "cancel"), export(a))
	return cmd
}

// with connects and calls f. Reading needs the orchestrator; a mesh in this process also carries on with unfinished runs,
// so every role is started.
func with(ctx context.Context, a *app.App, f func(*app.Session, orchestratorv1.OrchestratorServiceClient) error) error {
	s, err := a.Connect(ctx, mesh.Roles()...)
	if err != nil {
		return err
	}
	err = f(s, orchestratorv1.NewOrchestratorServiceClient(s.Conn))
	return errors.Join(err, s.Close())
}

func list(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List runs, newest first", Args: cobra.NoArgs,
		Example: "  provenir run list\n  provenir run list --server localhost:9090 --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return with(cmd.Context(), a, func(_ *app.Session, c orchestratorv1.OrchestratorServiceClient) error {
				w := tabwriter.NewWriter(a.Out, 0, 4, 2, ' ', 0)
				if !a.JSON {
					fmt.Fprintln(w, "RUN\tNAME\tBY\tALGORITHM\tVERIFIER\tSTATE\tSTEP\tHELD-OUT\tCREATED")
				}
				req := &orchestratorv1.ListRunsRequest{}
				for {
					page, err := c.ListRuns(cmd.Context(), req)
					if err != nil {
						return err
					}
					for _, r := range page.GetRuns() {
						if err := row(a, w, r); err != nil {
							return err
						}
					}
					if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
						return w.Flush()
					}
				}
			})
		},
	}
}

func row(a *app.App, w *tabwriter.Writer, r *orchestratorv1.Run) error {
	if a.JSON {
		return a.PrintJSON(r)
	}
	heldout := "-"
	if n := len(r.GetEvaluations()); n > 0 && len(r.GetEvaluations()[n-1].GetEstimates()) > 0 && r.GetEvaluations()[n-1].GetEstimates()[0].Value != nil {
		heldout = fmt.Sprintf("%.3f", r.GetEvaluations()[n-1].GetEstimates()[0].GetValue())
	}
	by, algorithm := "mesh", lower(r.GetSpec().GetAlgorithm().String(), "ALGORITHM_")
	if t := r.GetTracked(); t != nil {
		by, algorithm = "tracker", orDash(t.GetMethod())
	}
	_, err := fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", r.GetUid(), r.GetSpec().GetDisplayName(), by, algorithm,
		orDash(r.GetSpec().GetVerifier().GetName()), lower(r.GetState().String(), "RUN_STATE_"), r.GetProgress().GetStep(), heldout, r.GetCreateTime().AsTime().Local().Format(time.DateTime))
	return err
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func lower(s, prefix string) string { return strings.ToLower(strings.TrimPrefix(s, prefix)) }

func show(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "show RUN", Short: "Show one run", Args: cobra.ExactArgs(1),
		Example: "  provenir run show @last\n  provenir run show 06e8k --json",
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(cmd.Context(), a, func(_ *app.Session, c orchestratorv1.OrchestratorServiceClient) error {
				got, err := c.GetRun(cmd.Context(), &orchestratorv1.GetRunRequest{Run: args[0]})
				if err != nil {
					return err
				}
				if a.JSON {
					return a.PrintJSON(got.GetRun())
				}
				if got.GetRun().GetTracked() != nil {
					printTracked(a, got.GetRun())
				} else {
					print(a, got.GetRun())
				}
				return nil
			})
		},
	}
}

func print(a *app.App, r *orchestratorv1.Run) {
	p := r.GetProgress()
	a.Print("run       %s  %s", r.GetUid(), r.GetSpec().GetDisplayName())
	a.Print("state     %s %s", lower(r.GetState().String(), "RUN_STATE_"), p.GetPhase())
	if p.GetWaiting() != "" {
		a.Print("waiting   %s", p.GetWaiting())
	}
	a.Print("progress  stage %d of %d (%s), step %d of %d, branch %d, restarts %d", p.GetStage()+1, max(1, p.GetStages()), p.GetStageName(),
		p.GetStageStep(), p.GetStageSteps(), p.GetBranch(), p.GetResumes())
	if p.GetToCheck() > 0 {
		a.Print("checked   %d of %d rows of the dataset before the start", p.GetChecked(), p.GetToCheck())
	}
	if v := r.GetSpec().GetVerifier().GetName(); v != "" {
		a.Print("verifier  %s", v)
	}
	for _, e := range r.GetEvaluations() {
		if len(e.GetEstimates()) > 0 {
			a.Print("held-out  after step %d: %s", e.GetStep(), live.Estimate(e.GetEstimates()[0]))
		}
	}
	for _, d := range r.GetDecisions() {
		a.Print("gate      after step %d: %s", d.GetStep(), strings.Join(d.GetReasons(), "; "))
	}
	for _, w := range r.GetWarnings() {
		a.Print("warning   %s", w)
	}
	if f := r.GetFailure(); f != nil {
		a.Print("failure   %s [%s]", f.GetMessage(), f.GetCode())
	}
	if p.GetOutbox() > 0 {
		a.Print("outbox    %d messages wait for NATS", p.GetOutbox())
	}
	if d, ok := live.Took(r); ok {
		a.Print("took      %s", d)
	}
	if len(r.GetEventsRoot()) > 0 {
		a.Print("root      %x", r.GetEventsRoot())
	}
	if r.GetPassport() != "" {
		a.Print("passport  %s in %s", r.GetPassport(), r.GetPassportFolder())
	}
}

func watch(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "watch RUN", Short: "Follow a run to its end", Args: cobra.ExactArgs(1),
		Example: "  provenir run watch @last\n  provenir run watch @last --json --server localhost:9090",
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(cmd.Context(), a, func(s *app.Session, c orchestratorv1.OrchestratorServiceClient) error {
				got, err := c.GetRun(cmd.Context(), &orchestratorv1.GetRunRequest{Run: args[0]})
				if err != nil {
					return err
				}
				return live.Attend(cmd.Context(), a, s, got.GetRun().GetUid())
			})
		},
	}
}

func steer(a *app.App, verb string) *cobra.Command {
	does := map[string]string{"pause": "Hold a run after its present step", "resume": "Go on with a run that was paused",
		"cancel": "End a run: finish the step, save, seal"}
	return &cobra.Command{
		Use: verb + " RUN", Short: does[verb], Args: cobra.ExactArgs(1),
		Example: "  provenir run " + verb + " @last --server localhost:9090\n  provenir run " + verb + " 06e8k",
		RunE: func(cmd *cobra.Command, args []string) error {
			return with(cmd.Context(), a, func(_ *app.Session, c orchestratorv1.OrchestratorServiceClient) error {
				var r *orchestratorv1.Run
				switch verb {
				case "pause":
					got, err := c.PauseRun(cmd.Context(), &orchestratorv1.PauseRunRequest{Run: args[0]})
					if err != nil {
						return err
					}
					r = got.GetRun()
				case "resume":
					got, err := c.ResumeRun(cmd.Context(), &orchestratorv1.ResumeRunRequest{Run: args[0]})
					if err != nil {
						return err
					}
					r = got.GetRun()
				default:
					got, err := c.CancelRun(cmd.Context(), &orchestratorv1.CancelRunRequest{Run: args[0]})
					if err != nil {
						return err
					}
					r = got.GetRun()
				}
				if a.JSON {
					return a.PrintJSON(r)
				}
				a.Print("%s asked of %s", verb, r.GetUid())
				return nil
			})
		},
	}
}
