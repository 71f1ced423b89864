// Package backends is `provenir backends`: what can train here, from a real probe.
package backends

import (
	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/mesh"
)

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "backends", Short: "List training engines and whether they can run here", Args: cobra.NoArgs,
		Example: "  provenir backends\n  provenir backends --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.Connect(cmd.Context(), mesh.Trainer)
			if err != nil {
				return err
			}
			defer s.Close()
			got, err := trainerv1.NewTrainerServiceClient(s.Conn).ListEngines(cmd.Context(), &trainerv1.ListEnginesRequest{Probe: true})
			if err != nil {
				return err
			}
			for _, e := range got.GetEngines() {
				if a.JSON {
					if err := a.PrintJSON(e); err != nil {
						return err
					}
					continue
				}
				yes := "no "
				if e.GetAvailable() {
					yes = "yes"
				}
				a.Print("%s  %-8s %s", yes, e.GetName(), e.GetDetail())
			}
			return nil
		},
	}
}
