package envverb

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/mesh"
)

func serveCommand(a *app.App) *cobra.Command {
	var port uint16
	var production bool
	cmd := &cobra.Command{
		Use: "serve NAME", Short: "Serve one environment to OpenEnv's clients, on loopback", Args: cobra.ExactArgs(1),
		Long: "Serves /ws, /reset, /step, /state, /mcp, /health, /metadata, /schema and /openapi.json. Calls carry the token, as a bearer or\n" +
			"as the password of the address; --production serves MCP only.",
		Example: "  provenir env serve lookup --port 8000\n  provenir env serve calculator --port 8001",
		RunE: func(cmd *cobra.Command, args []string) error {
			if a.ServerAddress() != "" {
				return app.Usage(errors.New("env serve runs its own roles; leave --server out (a mesh serves all environments under /openenv/NAME)"))
			}
			s, err := a.Connect(cmd.Context(), mesh.Verifier)
			if err != nil {
				return err
			}
			return errors.Join(serve(cmd, a, s, args[0], port, production), s.Close())
		},
	}
	cmd.Flags().Uint16Var(&port, "port", 8000, "port on 127.0.0.1; 0 takes a free one")
	cmd.Flags().BoolVar(&production, "production", false, "MCP only: no reset, no step")
	return cmd
}

func serve(cmd *cobra.Command, a *app.App, s *app.Session, name string, port uint16, production bool) error {
	got, err := verifierv1.NewVerifierServiceClient(s.Conn).ListEnvironments(cmd.Context(), &verifierv1.ListEnvironmentsRequest{})
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(got.GetEnvironments(), func(e *verifierv1.Environment) bool { return e.GetName() == name }) {
		return app.Usage(fmt.Errorf("no environment %q; `%s env list` names them", name, app.Command()))
	}
	at, err := s.Local.ServeEnvironment(cmd.Context(), name, fmt.Sprintf("127.0.0.1:%d", port), production)
	if err != nil {
		return app.Unchecked(err)
	}
	address := "http://provenir:" + s.Local.Token() + "@" + at
	if a.JSON {
		if err := a.PrintJSON(map[string]any{"ready": true, "environment": name, "http": at, "address": address}); err != nil {
			return err
		}
	}
	a.Print("%s at %s", name, address)
	a.Note("try: %s env validate %s", app.Command(), address)
	select {
	case <-cmd.Context().Done():
		a.Note("stopping…")
		return nil
	case err := <-s.Local.Failed():
		return app.Unchecked(err)
	}
}
