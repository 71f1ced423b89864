package envverb

import (
	"encoding/json"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/mesh"
)

func listCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the environments of this build", Args: cobra.NoArgs, Example: "  provenir env list\n  provenir env list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.Connect(cmd.Context(), mesh.Verifier)
			if err != nil {
				return err
			}
			defer s.Close()
			got, err := verifierv1.NewVerifierServiceClient(s.Conn).ListEnvironments(cmd.Context(), &verifierv1.ListEnvironmentsRequest{})
			if err != nil {
				return err
			}
			if a.JSON {
				return a.PrintJSON(got)
			}
			a.Print("%-14s %-6s %-28s %s", "environment", "turns", "tools", "")
			for _, e := range got.GetEnvironments() {
				a.Print("%-14s %-6d %-28s %s", e.GetName(), e.GetMaxTurns(), strings.Join(tools(e), ", "), e.GetSummary())
			}
			return nil
		},
	}
}

func tools(e *verifierv1.Environment) []string {
	var all []struct{ Name string }
	if err := json.Unmarshal(e.GetToolsJson(), &all); err != nil {
		return []string{"?"}
	}
	var names []string
	for _, t := range all {
		names = append(names, t.Name)
	}
	return names
}
