package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/mesh"
)

// retain is the rule of retention: what it would take, and taking it.
func retain(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "retain", Short: "Keep payloads as long as the rule says, and proofs for ever", Args: cobra.NoArgs,
		Long: "Payloads of events go recorder.retain.events months after a run's last event (24; at least 6; never keeps them). Entries,\n" +
			"tiles and checkpoints stay, so that every proof stays valid, and findings says what went, when, and by what rule. Nothing\n" +
			"goes of a run that is not sealed, is under a legal hold, is damaged, or whose shipped copy the store does not confirm."}
	cmd.AddCommand(retainPlan(a), retainApply(a))
	return cmd
}

func retainPlan(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "plan [RUN]", Short: "Say what the rule would take now, what it may not take, and why",
		Example: "  provenir ledger retain plan\n  provenir ledger retain plan 06e8k --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, run, err := reach(cmd.Context(), a, args)
			if err != nil {
				return err
			}
			defer s.Close()
			got, err := recorderv1.NewRecorderServiceClient(s.Conn).PlanRetention(cmd.Context(), &recorderv1.PlanRetentionRequest{Run: run})
			if err != nil {
				return err
			}
			if a.JSON {
				return a.PrintJSON(got)
			}
			a.Print("rule     %s", got.GetRule())
			showRetention(a, got.GetRuns())
			if run == "" {
				a.Print("others   %d young, %d retired, %d not sealed", got.GetYoung(), got.GetRetired(), got.GetNotSealed())
			}
			return nil
		},
	}
}

func retainApply(a *app.App) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "apply [RUN] --yes", Short: "Take away what is due; exit 1 where something that is due stays",
		Long: "Takes the payloads away that `ledger retain plan` calls due. The recorder does the same every hour by itself. It cannot be\n" +
			"undone. A run under a legal hold is left as it is, and that is no failure; one that is blocked makes the exit code 1.",
		Example: "  provenir ledger retain apply --yes\n  provenir ledger retain apply 06e8k --yes --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return app.Usage(errors.New("this cannot be undone: look at `provenir ledger retain plan`, then give --yes"))
			}
			s, run, err := reach(cmd.Context(), a, args, mesh.Roles()...) // governance logs what is done
			if err != nil {
				return err
			}
			defer s.Close()
			got, err := recorderv1.NewRecorderServiceClient(s.Conn).ApplyRetention(cmd.Context(), &recorderv1.ApplyRetentionRequest{Run: run})
			if err != nil {
				return err
			}
			if a.JSON {
				if err := a.PrintJSON(got); err != nil {
					return err
				}
			} else {
				a.Print("rule     %s", got.GetRule())
				showRetention(a, got.GetRuns())
				if len(got.GetRuns()) == 0 {
					a.Print("nothing  is due")
				}
			}
			return judgeRetention(got.GetRuns())
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	return cmd
}

// reach connects to the recorder, and finds the run where one is named.
func reach(ctx context.Context, a *app.App, args []string, roles ...mesh.Role) (*app.Session, string, error) {
	if len(args) == 0 {
		if len(roles) == 0 {
			roles = []mesh.Role{mesh.Recorder}
		}
		s, err := a.Connect(ctx, roles...)
		return s, "", err
	}
	return a.ConnectRun(ctx, args[0])
}

func judgeRetention(runs []*recorderv1.RunRetention) error {
	n := 0
	for _, r := range runs {
		if r.GetState() == recorderv1.RetentionState_RETENTION_STATE_BLOCKED {
			n++
		}
	}
	if n > 0 {
		return app.Fails(fmt.Errorf("the payloads of %d runs are due and stay; each line says why", n))
	}
	return nil
}

func showRetention(a *app.App, runs []*recorderv1.RunRetention) {
	for _, r := range runs {
		state := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(r.GetState().String(), "RETENTION_STATE_"), "_", " "))
		var parts []string
		if r.GetEnded() != nil {
			parts = append(parts, "ended "+day(r.GetEnded().AsTime()))
		}
		if r.GetDue() != nil {
			parts = append(parts, "due "+day(r.GetDue().AsTime()))
		}
		if r.FirstSeq != nil {
			parts = append(parts, fmt.Sprintf("took the payloads of records %d to %d, %d bytes; record %d of findings says so", r.GetFirstSeq(), r.GetLastSeq(), r.GetBytes(), r.GetFindingSeq()))
		} else if r.GetSegments() > 0 {
			parts = append(parts, fmt.Sprintf("%d segments", r.GetSegments()))
		}
		if r.GetWhy() != "" {
			parts = append(parts, r.GetWhy())
		}
		a.Print("%-10s %s  %s", state, r.GetRun(), strings.Join(parts, ", "))
	}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
