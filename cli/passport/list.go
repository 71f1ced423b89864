package passport

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/mesh"
)

func list(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the passports of a mesh", Args: cobra.NoArgs,
		Example: "  provenir passport list\n  provenir passport list --server localhost:9090 --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return each(cmd.Context(), a, func(p *governancev1.Passport) error {
				if a.JSON {
					return a.PrintJSON(p)
				}
				a.Print("%s  run %s  %s  %s", p.GetDigest(), p.GetRunId(), p.GetModelName(), p.GetFolder())
				return nil
			})
		},
	}
}

func each(ctx context.Context, a *app.App, f func(*governancev1.Passport) error) error {
	s, err := a.Connect(ctx, mesh.Roles()...)
	if err != nil {
		return err
	}
	defer s.Close()
	c := governancev1.NewGovernanceServiceClient(s.Conn)
	req := &governancev1.ListPassportsRequest{}
	for {
		page, err := c.ListPassports(ctx, req)
		if err != nil {
			return err
		}
		for _, p := range page.GetPassports() {
			if err := f(p); err != nil {
				return err
			}
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			return nil
		}
	}
}
