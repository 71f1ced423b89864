package envverb

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/mesh"
)

func validateCommand(a *app.App) *cobra.Command {
	return &cobra.Command{
		Use: "validate URL|NAME", Short: "Hold an environment to the rules of episodes", Args: cobra.ExactArgs(1),
		Long: "Tries every rule by effect: same seed, same observations; resets that isolate; an end that is an end; errors that end nothing;\n" +
			"32 episodes side by side; 100 dropped connections. Exits 1 where a rule is broken, and 3 where one could not be tried.",
		Example: "  provenir env validate lookup\n  provenir env validate http://127.0.0.1:8000",
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.Connect(cmd.Context(), mesh.Verifier)
			if err != nil {
				return err
			}
			defer s.Close()
			stream, err := verifierv1.NewVerifierServiceClient(s.Conn).ValidateEnvironment(cmd.Context(), &verifierv1.ValidateEnvironmentRequest{Target: args[0]})
			if err != nil {
				return err
			}
			for {
				m, err := stream.Recv()
				if err != nil {
					return err
				}
				if p := m.GetProgress(); p != nil && a.Terminal {
					a.Note("%d of %d: %s", p.GetDone()+1, p.GetTotal(), p.GetPhase())
				}
				if r := m.GetReport(); r != nil {
					return report(a, r)
				}
			}
		},
	}
}

func report(a *app.App, r *verifierv1.EnvironmentReport) error {
	if a.JSON {
		if err := a.PrintJSON(r); err != nil {
			return err
		}
	}
	var broken, unchecked []string
	for _, rule := range r.GetRules() {
		a.Print("%-38s %-10s %s", rule.GetName(), rule.GetState(), rule.GetDetail())
		switch rule.GetState() {
		case "held":
		case "broken":
			broken = append(broken, rule.GetName())
		default:
			unchecked = append(unchecked, rule.GetName())
		}
	}
	switch {
	case len(broken) > 0:
		return app.Fails(fmt.Errorf("broken: %s", strings.Join(broken, ", ")))
	case len(unchecked) > 0:
		return app.Unchecked(fmt.Errorf("could not be tried: %s", strings.Join(unchecked, ", ")))
	case !r.GetPassed():
		return app.Unchecked(errors.New("no rule was tried"))
	}
	return nil
}
