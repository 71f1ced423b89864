package harden

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/rl"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/mesh"
)

// NewReliabilityCommand is verify-reliability.
func NewReliabilityCommand(a *app.App) *cobra.Command {
	var spec, in, stage string
	var req verifierv1.CheckReliabilityRequest
	cmd := &cobra.Command{
		Use: "verify-reliability --spec SPEC --in F", Short: "Try to fool a verifier, and say how often it could be",
		Long: "Tries labelled probes, hacks made for the verifier's family, mutations of right answers, and inputs at the edges.\n" +
			"Rows are {response, reference, should_pass}, or {solution, reference}, with whatever else the verifier needs.\n" +
			"Exits 1 where it is blocked, 3 where the probes are too few to say anything.",
		Example: "  provenir verify-reliability --spec math --in probes.jsonl\n  provenir verify-reliability --spec code --in tasks.jsonl --stage production --max-fpr 0.005",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if spec == "" || in == "" {
				return app.Usage(errors.New("give --spec and --in"))
			}
			var err error
			if req.Spec, err = rl.ParseVerifier(spec); err != nil {
				return app.Usage(err)
			}
			if req.ProbesJson, err = read(a, in); err != nil {
				return err
			}
			req.Stage = stage
			return reliability(cmd.Context(), a, &req)
		},
	}
	f := cmd.Flags()
	f.StringVar(&spec, "spec", "", "the verifier: name, name:option=value,… (option=@FILE reads a file), or a YAML file")
	f.StringVar(&in, "in", "", "probes (- is standard input)")
	f.StringVar(&stage, "stage", "", "production, prod or release: what is found blocks")
	f.Float64Var(&req.MaxFpr, "max-fpr", 0.01, "largest upper bound (95 %) of the false-positive rate")
	f.Uint64Var(&req.Seed, "seed", 1, "seed of generated probes")
	f.Uint32Var(&req.Mutations, "mutations", 1000, "mutations each way")
	return cmd
}

func reliability(ctx context.Context, a *app.App, req *verifierv1.CheckReliabilityRequest) error {
	s, err := a.Connect(ctx, mesh.Verifier)
	if err != nil {
		return err
	}
	defer s.Close()
	stream, err := verifierv1.NewVerifierServiceClient(s.Conn).CheckReliability(ctx, req)
	if err != nil {
		return err
	}
	return follow(a, stream.Recv, printReliability)
}

func printReliability(a *app.App, r *verifierv1.ReliabilityReport) {
	a.Print("%-14s %8s %8s   %s", "mode", "held", "tried", "95 % interval")
	for _, m := range r.GetModes() {
		h := m.GetHeld()
		if h.GetTrials() == 0 {
			a.Print("%-14s %8s %8s   %s", m.GetName(), "-", "0", "not tried")
			continue
		}
		a.Print("%-14s %8d %8d   [%.4f, %.4f]", m.GetName(), h.GetHits(), h.GetTrials(), h.GetLow(), h.GetHigh())
		for i, f := range m.GetFailures() {
			if i == 3 {
				a.Print("    … and %d more", h.GetTrials()-h.GetHits()-3)
				break
			}
			a.Print("    %s: %q against %q: want %s, got %s", f.GetProbe(), f.GetResponse(), f.GetReference(), f.GetWanted(), f.GetGot())
		}
	}
	for _, x := range []struct {
		name string
		r    *verifierv1.Rate
	}{{"wrong ones passed", r.GetFalsePositiveRate()}, {"right ones failed", r.GetFalseNegativeRate()}} {
		if x.r != nil {
			a.Print("%s: %d of %d [%.4f, %.4f]", x.name, x.r.GetHits(), x.r.GetTrials(), x.r.GetLow(), x.r.GetHigh())
		}
	}
	a.Print("%s", r.GetVerdict())
	for _, reason := range r.GetReasons() {
		a.Print("  %s", reason)
	}
}
