// Package sandboxcheck is `provenir sandbox check`: what isolates untrusted programs on this machine.
package sandboxcheck

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/mesh"
)

// NewCommand is the noun with its one verb.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "sandbox", Short: "Look into the sandbox of untrusted programs", Args: cobra.NoArgs}
	cmd.AddCommand(&cobra.Command{
		Use: "check", Short: "Say what isolates untrusted programs on this machine", Args: cobra.NoArgs,
		Long: "Runs probe programs as real jobs: they try to read host files, open sockets, fork without end, kill, escape. The tier comes\n" +
			"from what was observed. Exits 3 below the least tier that programs are run at.",
		Example: "  provenir sandbox check\n  provenir sandbox check --json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return check(cmd.Context(), a) },
	})
	return cmd
}

func check(ctx context.Context, a *app.App) error {
	s, err := a.Connect(ctx, mesh.Verifier)
	if err != nil {
		return err
	}
	defer s.Close()
	resp, err := verifierv1.NewVerifierServiceClient(s.Conn).GetIsolationReport(ctx, &verifierv1.GetIsolationReportRequest{})
	if err != nil {
		return err
	}
	r := resp.GetReport()
	if a.JSON {
		if err := a.PrintJSON(r); err != nil {
			return err
		}
	} else {
		print(a, r)
	}
	if r.GetTier() < r.GetMinTier() {
		return app.Unchecked(fmt.Errorf("this machine isolates at T%d, and programs are run at T%d or above", r.GetTier(), r.GetMinTier()))
	}
	return nil
}

func print(a *app.App, r *verifierv1.IsolationReport) {
	a.Print("tier T%d (programs run at T%d or above), kernel %s, cgroups %s", r.GetTier(), r.GetMinTier(), r.GetKernel(), r.GetCgroupMode())
	a.Print("")
	for _, l := range r.GetLayers() {
		a.Print("  %-22s %-12s %s", l.GetName(), l.GetState(), l.GetReason())
	}
	a.Print("")
	a.Print("  %-22s %-10s %-34s %s", "probe", "", "expected", "observed")
	for _, p := range r.GetProbes() {
		held := "ESCAPED"
		if p.GetContained() {
			held = "contained"
		}
		a.Print("  %-22s %-10s %-34s %s", p.GetName(), held, p.GetExpected(), p.GetObserved())
	}
	a.Print("")
	a.Print("  interpreters  %s", strings.Join(r.GetInterpreters(), ", "))
	a.Print("  languages     %s", strings.Join(r.GetLanguages(), ", "))
	for _, m := range r.GetRemedies() {
		a.Print("  to do better  %s", m)
	}
}
