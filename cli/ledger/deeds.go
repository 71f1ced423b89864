package ledger

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// deeds lists what was done to logs.
func deeds(a *app.App) *cobra.Command {
	req := &recorderv1.ListDeedsRequest{}
	cmd := &cobra.Command{
		Use: "deeds [RUN]", Short: "List what was done to logs: erased, retired, held, mended, lost; and what of it is audited",
		Long: "Each deed is a record in the run's findings, and an entry in governance's audit log. While governance cannot be reached the\n" +
			"entry waits; the list says so, and why. It is tried again until it is there.",
		Example: "  provenir ledger deeds\n  provenir ledger deeds 06e8k --unaudited --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, run, err := reach(cmd.Context(), a, args)
			if err != nil {
				return err
			}
			defer s.Close()
			req.Run = run
			got, err := recorderv1.NewRecorderServiceClient(s.Conn).ListDeeds(cmd.Context(), req)
			if err != nil {
				return err
			}
			if a.JSON {
				return a.PrintJSON(got)
			}
			showDeeds(a, got, req.GetUnaudited())
			return nil
		},
	}
	cmd.Flags().BoolVar(&req.Unaudited, "unaudited", false, "only those that the audit log does not have yet")
	return cmd
}

func showDeeds(a *app.App, got *recorderv1.ListDeedsResponse, unaudited bool) {
	for _, d := range got.GetDeeds() {
		when, by := "", ""
		if d.GetHappened() != nil {
			when = "  on " + d.GetHappened().AsTime().Format(time.RFC3339)
		}
		if d.GetBy() != "" {
			by = "  by " + d.GetBy()
		}
		a.Print("%-13s %s  record %d of findings%s%s", d.GetAction(), d.GetRun(), d.GetFindingSeq(), when, by)
		switch {
		case d.AuditIndex != nil:
			a.Print("              entry %d of the audit log", d.GetAuditIndex())
		case d.GetLastError() != "":
			a.Print("              NOT AUDITED yet, after %d attempts: %s", d.GetAttempts(), d.GetLastError())
		default:
			a.Print("              NOT AUDITED yet")
		}
	}
	switch {
	case len(got.GetDeeds()) > 0:
	case unaudited:
		a.Print("nothing waits to be audited")
	default:
		a.Print("nothing was done to the logs")
	}
	if n := got.GetWaiting(); n > 0 {
		a.Print("%d wait for governance's audit log", n)
	}
}
