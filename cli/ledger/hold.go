package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/mesh"
)

// hold forbids retention and erasure.
func hold(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "hold", Short: "Forbid that anything of a run, or of all runs, is retired or erased", Args: cobra.NoArgs}
	cmd.AddCommand(holdSet(a), holdLift(a), holdList(a))
	return cmd
}

func holdSet(a *app.App) *cobra.Command {
	req := &recorderv1.SetLegalHoldRequest{}
	cmd := &cobra.Command{
		Use: "set RUN|--tenant --reason WHY", Short: "Set a legal hold",
		Long: "From now on nothing of the run is retired or erased. With --tenant that holds for all runs of the tenant, also for those\n" +
			"that begin later. Who set it, when and why goes into the findings of each run.",
		Example: "  provenir ledger hold set @last --reason 'case 17/26'\n  provenir ledger hold set --tenant --reason 'audit of 2026'",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 0) != req.Tenant {
				return app.Usage(errors.New("name a run, or give --tenant"))
			}
			if req.Reason == "" {
				return app.Usage(errors.New("give --reason: it stands in the findings of every run that is held"))
			}
			s, run, err := reach(cmd.Context(), a, args, mesh.Roles()...) // governance logs what is done
			if err != nil {
				return err
			}
			defer s.Close()
			req.Run = run
			got, err := recorderv1.NewRecorderServiceClient(s.Conn).SetLegalHold(cmd.Context(), req)
			if err != nil {
				return err
			}
			return showHolds(a, got, got.GetHold())
		},
	}
	cmd.Flags().BoolVar(&req.Tenant, "tenant", false, "hold all runs of the tenant")
	cmd.Flags().StringVar(&req.Reason, "reason", "", "why, for the record")
	return cmd
}

func holdLift(a *app.App) *cobra.Command {
	req := &recorderv1.LiftLegalHoldRequest{}
	cmd := &cobra.Command{
		Use: "lift HOLD --reason WHY", Short: "Lift a legal hold, by its id",
		Example: "  provenir ledger hold lift 06h1deax1xc069qv2ewn2m58cm --reason settled\n  provenir ledger hold lift 06h1deax1xc069qv2ewn2m58cm --reason settled --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if req.Hold = args[0]; req.Reason == "" {
				return app.Usage(errors.New("give --reason: it stands in the findings of every run that was held"))
			}
			return withRecorder(cmd.Context(), a, func(ctx context.Context, c recorderv1.RecorderServiceClient) error {
				got, err := c.LiftLegalHold(ctx, req)
				if err != nil {
					return err
				}
				return showHolds(a, got, got.GetHold())
			})
		},
	}
	cmd.Flags().StringVar(&req.Reason, "reason", "", "why, for the record")
	return cmd
}

func holdList(a *app.App) *cobra.Command {
	req := &recorderv1.ListLegalHoldsRequest{}
	cmd := &cobra.Command{
		Use: "list [RUN]", Short: "List the holds that stand",
		Example: "  provenir ledger hold list\n  provenir ledger hold list 06e8k --all --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, run, err := reach(cmd.Context(), a, args)
			if err != nil {
				return err
			}
			defer s.Close()
			req.Run = run
			got, err := recorderv1.NewRecorderServiceClient(s.Conn).ListLegalHolds(cmd.Context(), req)
			if err != nil {
				return err
			}
			return showHolds(a, got, got.GetHolds()...)
		},
	}
	cmd.Flags().BoolVar(&req.All, "all", false, "lifted ones too")
	return cmd
}

func withRecorder(ctx context.Context, a *app.App, do func(context.Context, recorderv1.RecorderServiceClient) error) error {
	s, err := a.Connect(ctx, mesh.Roles()...) // governance logs what is done
	if err != nil {
		return err
	}
	defer s.Close()
	return do(ctx, recorderv1.NewRecorderServiceClient(s.Conn))
}

func showHolds(a *app.App, all any, holds ...*recorderv1.LegalHold) error {
	if a.JSON {
		return a.PrintJSON(all)
	}
	if len(holds) == 0 {
		a.Print("no legal hold stands")
	}
	for _, h := range holds {
		of := "run " + h.GetRun()
		if h.GetRun() == "" {
			of = "all runs of the tenant"
		}
		a.Print("hold     %s  %s, set by %s on %s: %s", h.GetHold(), of, h.GetSetBy(), h.GetSetAt().AsTime().Format(time.RFC3339), h.GetReason())
		if h.GetLiftedAt() != nil {
			a.Print("lifted   by %s on %s: %s", h.GetLiftedBy(), h.GetLiftedAt().AsTime().Format(time.RFC3339), h.GetLiftReason())
		}
		if n := len(h.GetUndeclared()); n > 0 {
			a.Print("         the findings of %d runs do not say so yet; the recorder tries again", n)
		}
	}
	return nil
}
