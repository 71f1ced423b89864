// Package up is `provenir up`, every role in one process, and `provenir serve`, some of them.
package up

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/internal/residence"
	"github.com/provenir/provenir/mesh"
)

// NewCommand is `up`.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "up",
		Short:   "Run the whole mesh in one process",
		Long:    "Runs every role in one process: gRPC on 127.0.0.1:9090, REST on 127.0.0.1:8080, NATS on 127.0.0.1:4222, data in .provenir.",
		Example: "  provenir up\n  provenir up --data /var/lib/provenir --grpc-listen 127.0.0.1:9191",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return serve(cmd, a, mesh.Roles()) },
	}
	bind(a, cmd)
	return cmd
}

// NewServeCommand is `serve`.
func NewServeCommand(a *app.App) *cobra.Command {
	var roles []string
	cmd := &cobra.Command{
		Use:   "serve --roles=ROLE[,ROLE]",
		Short: "Run some roles of the mesh; the others are peers",
		Long: "Runs the named roles. The address of every role that is not here comes from the setting peers.ROLE: in the file,\n" +
			"or as PROVENIR_PEERS_ROLE in the environment.",
		Example: "  provenir serve --roles=recorder --grpc-listen 127.0.0.1:9101\n" +
			"  PROVENIR_PEERS_RECORDER=127.0.0.1:9101 provenir serve --roles=governance --grpc-listen 127.0.0.1:9102",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			parsed, err := mesh.ParseRoles(roles)
			if err != nil {
				return app.Usage(err)
			}
			return serve(cmd, a, parsed)
		},
	}
	cmd.Flags().StringSliceVar(&roles, "roles", nil, "roles to run: "+strings.Join(names(), ", "))
	bind(a, cmd)
	return cmd
}

func names() []string {
	var out []string
	for _, r := range mesh.Roles() {
		out = append(out, string(r))
	}
	return out
}

func bind(a *app.App, cmd *cobra.Command) {
	a.Setting(cmd, "grpc-listen", "grpc.listen", "address of gRPC (default 127.0.0.1:9090)")
	a.Setting(cmd, "http-listen", "http.listen", "address of REST (default 127.0.0.1:8080)")
	a.Setting(cmd, "nats-listen", "nats.listen", "address of the embedded NATS (default 127.0.0.1:4222; off: none)")
	a.Setting(cmd, "log-level", "log.level", "debug, info, warn or error (default warn)")
}

func serve(cmd *cobra.Command, a *app.App, roles []mesh.Role) error {
	s, err := a.Settings()
	if err != nil {
		return err
	}
	m, err := mesh.Start(cmd.Context(), mesh.Config{Settings: s, Roles: roles, Log: a.Err})
	if err != nil {
		return err
	}
	if err := announce(a, m, s.TokenFile()); err != nil {
		return err
	}
	if err := residence.Trim(); err != nil {
		a.Note("memory that only the start needed stays: %v", err)
	}
	select {
	case <-cmd.Context().Done():
		a.Note("stopping…")
		return m.Stop()
	case err := <-m.Failed():
		if stop := m.Stop(); stop != nil {
			a.Note("%v", stop)
		}
		return app.Unchecked(err)
	}
}

func announce(a *app.App, m *mesh.Mesh, tokenFile string) error {
	at := m.Addresses()
	if a.JSON {
		return a.PrintJSON(map[string]any{"ready": true, "grpc": at.GRPC, "http": at.HTTP, "nats": at.NATS, "token_file": tokenFile, "ready_ms": m.ReadyAfter().Milliseconds()})
	}
	a.Print("ready after %d ms", m.ReadyAfter().Milliseconds())
	for _, x := range []struct{ name, addr string }{{"gRPC", at.GRPC}, {"REST", at.HTTP}, {"NATS", at.NATS}} {
		if x.addr != "" {
			a.Print("  %-5s %s", x.name, x.addr)
		}
	}
	a.Print("  token %s (in %s)", m.Token(), tokenFile)
	if at.GRPC != "" {
		a.Note("try: %s rl --demo --server %s", app.Command(), at.GRPC)
	}
	return nil
}
