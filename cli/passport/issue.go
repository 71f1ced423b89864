package passport

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/live"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/mesh"
)

func issue(a *app.App) *cobra.Command {
	var end bool
	cmd := &cobra.Command{
		Use: "issue RUN", Short: "Sign a passport and a BOM of a tracked run that has ended",
		Long: "A run that the mesh trains gets its passport at its end. Of a run that a tracker recorded (provenir.track) the passport is\n" +
			"over the ledger and not over a model: it says who recorded it, whether it is partial, and claims nothing that nobody\n" +
			"checked. Issuing again gives the same one.",
		Example: "  provenir passport issue @last\n  provenir passport issue g6h1d --end-silent --server localhost:9090",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s, err := a.Connect(cmd.Context(), mesh.Roles()...)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			got, err := orchestratorv1.NewOrchestratorServiceClient(s.Conn).IssuePassport(cmd.Context(), &orchestratorv1.IssuePassportRequest{Run: args[0], EndSilent: end})
			if err != nil {
				return err
			}
			if a.JSON {
				return a.PrintJSON(got)
			}
			if !got.GetIssued() {
				a.Note("it was there already")
			}
			live.Passport(a, s, got.GetRun())
			return nil
		},
	}
	cmd.Flags().BoolVar(&end, "end-silent", false, "end a tracked run first that has no end and that nobody writes: as partial, for good")
	return cmd
}
