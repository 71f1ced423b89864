package harden

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/rl"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/mesh"
)

// NewValidityCommand is reward-validity.
func NewValidityCommand(a *app.App) *cobra.Command {
	var spec, in string
	var live bool
	var req verifierv1.CheckRewardValidityRequest
	var t training
	cmd := &cobra.Command{
		Use: "reward-validity --spec SPEC --in F | --train …", Short: "Say whether a reward is bound to its task, from logged rollouts or by training",
		Long: "Compares the reward of logged rollouts with controls that know nothing of the task, and with the same verifier given\n" +
			"another task's row. Rows are {task, response, heldout} with whatever else the verifier needs; heldout (true, false, or\n" +
			"0 to 1) is how right a rollout is by a stricter judgement, and may be absent. Exits 1 for a spurious reward, 3 where\n" +
			"nothing can be compared.\n\n" +
			"--train trains on the reward and on each control instead, with several seeds, from the same weights a seed, and compares\n" +
			"what held-out accuracy gained. It takes the job flags of 'provenir rl'; --spec is then the reward in question (empty: the\n" +
			"job's own). Its runs are runs like any other, and the same command goes on where it was stopped. Exits 3 as well where\n" +
			"the real reward itself taught nothing for certain.",
		Example: "  provenir reward-validity --spec math --in rollouts.jsonl\n  provenir reward-validity --spec 'contains:required=answer' --in rollouts.jsonl --json\n" +
			"  provenir reward-validity --train --demo --steps 30\n" +
			"  provenir reward-validity --train --demo --spec contains:reference=true --control random,shuffled",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case live && in != "":
				return app.Usage(errors.New("--in: logged rollouts are for the check without --train"))
			case live:
				return t.run(cmd, a, spec, req.GetSeed())
			case spec == "" || in == "":
				return app.Usage(errors.New("give --spec and --in, or --train"))
			}
			if name := t.given(cmd); name != "" {
				return app.Usage(fmt.Errorf("--%s is for --train", name))
			}
			var err error
			if req.Spec, err = rl.ParseVerifier(spec); err != nil {
				return app.Usage(err)
			}
			if req.RolloutsJson, err = read(a, in); err != nil {
				return err
			}
			return validity(cmd.Context(), a, &req)
		},
	}
	f := cmd.Flags()
	f.StringVar(&spec, "spec", "", "the verifier: name, name:option=value,… (option=@FILE reads a file), or a YAML file")
	f.StringVar(&in, "in", "", "rollouts (- is standard input)")
	f.Uint64Var(&req.Seed, "seed", 1, "seed of the controls; with --train the first of the seeds")
	f.Uint32Var(&req.Permutations, "permutations", 1000, "permutations of the test")
	f.BoolVar(&live, "train", false, "train on the reward and on each control")
	t.flags(f)
	a.Setting(cmd, "threads", "engine.threads", "threads of the built-in engine (default 2)")
	return cmd
}

func validity(ctx context.Context, a *app.App, req *verifierv1.CheckRewardValidityRequest) error {
	s, err := a.Connect(ctx, mesh.Verifier)
	if err != nil {
		return err
	}
	defer s.Close()
	stream, err := verifierv1.NewVerifierServiceClient(s.Conn).CheckRewardValidity(ctx, req)
	if err != nil {
		return err
	}
	return follow(a, stream.Recv, printValidity)
}

func printValidity(a *app.App, r *verifierv1.RewardValidityReport) {
	number := func(v *float64, format string) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprintf(format, *v)
	}
	a.Print("binding %s (p %s): reward with the own row less that with another task's", number(r.Binding, "%.4f"), number(r.BindingP, "%.3g")) //nolint:protogetter // absence counts
	a.Print("surface %s: share of its variance within tasks that length and format explain", number(r.Surface, "%.3f"))                        //nolint:protogetter // absence counts
	a.Print("%-12s %12s %8s %22s", "control", "correlation", "AUC", "real AUC above by")
	for _, c := range r.GetControls() {
		a.Print("%-12s %12s %8s %22s", c.GetName(), number(c.Correlation, "%.3f"), number(c.Auc, "%.3f"), number(c.AucLow, "at least %.3f")) //nolint:protogetter // absence counts
	}
	a.Print("%d rollouts were scored", r.GetScored())
	for reason, n := range r.GetUnscored() {
		a.Print("  %d unscored: %s", n, reason)
	}
	a.Print("%s", r.GetVerdict())
	for _, reason := range r.GetReasons() {
		a.Print("  %s", reason)
	}
}
