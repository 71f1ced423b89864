package harden

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/live"
	"github.com/provenir/provenir/cli/rl"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	"github.com/provenir/provenir/mesh"
)

// training is reward-validity --train.
type training struct {
	job rl.Job
	req orchestratorv1.TrainControlsRequest
	own *pflag.FlagSet // its flags
}

func (t *training) flags(f *pflag.FlagSet) {
	t.own = pflag.NewFlagSet("train", pflag.ContinueOnError)
	t.job.Flags(t.own)
	t.own.StringSliceVar(&t.req.Controls, "control", nil, "controls: random, constant, format_only, length_only, shuffled (default all)")
	t.own.Uint32Var(&t.req.Seeds, "seeds", 3, "seeds of each; fewer than 3 are not compared")
	t.req.Margin = new(float64)
	t.own.Float64Var(t.req.Margin, "margin", 0.1, "share of the real gain by which it must be ahead of each control")
	t.own.StringVar(&t.req.RequestId, "request-id", "", "name of the runs; another name makes them anew (default: a digest of the request)")
	f.AddFlagSet(t.own)
}

// given names a flag of --train that was used.
func (t *training) given(cmd *cobra.Command) string {
	name := ""
	t.own.VisitAll(func(f *pflag.Flag) {
		if cmd.Flags().Changed(f.Name) {
			name = f.Name
		}
	})
	return name
}

func (t *training) run(cmd *cobra.Command, a *app.App, verifier string, seed uint64) error {
	if cmd.Flags().Changed("permutations") {
		return app.Usage(errors.New("--permutations is for logged rollouts; leave it out with --train"))
	}
	if t.req.GetSeeds() == 0 {
		return app.Usage(errors.New("--seeds 0: want at least 3"))
	}
	if err := t.job.Check(cmd, a, verifier, seed); err != nil {
		return err
	}
	s, err := a.Connect(cmd.Context(), mesh.Roles()...)
	if err != nil {
		return err
	}
	return errors.Join(t.drive(cmd, a, s), s.Close())
}

func (t *training) drive(cmd *cobra.Command, a *app.App, s *app.Session) error {
	ctx := cmd.Context()
	var err error
	if t.req.Spec, err = t.job.Spec(ctx, cmd, a, s); err != nil {
		return err
	}
	stream, err := orchestratorv1.NewOrchestratorServiceClient(s.Conn).TrainControls(ctx, &t.req)
	if err != nil {
		return err
	}
	told := ""
	for {
		m, err := stream.Recv()
		if errors.Is(ctx.Err(), context.Canceled) {
			a.Note("stopped; the same command goes on with the runs that are there")
			return ctx.Err()
		}
		if err != nil {
			return insufficient(err)
		}
		if p := m.GetProgress(); p != nil {
			told = progress(a, p, told)
			continue
		}
		r := m.GetReport()
		if a.JSON {
			if err := a.PrintJSON(r); err != nil {
				return err
			}
		} else {
			printTraining(a, r)
		}
		return verdictOf(r.GetVerdict(), r.GetReasons())
	}
}

// progress writes a line for each run, and on a terminal its steps.
func progress(a *app.App, p *orchestratorv1.ControlProgress, told string) string {
	if p.GetRun() != told {
		a.Note("%d of %d: %s, seed %d, run %s", min(p.GetDone()+1, p.GetTotal()), p.GetTotal(), p.GetArm(), p.GetSeed(), p.GetRun())
	}
	if a.Terminal && !a.Quiet {
		state := strings.ToLower(strings.TrimPrefix(p.GetState().String(), "RUN_STATE_"))
		fmt.Fprintf(a.Err, "\r%s, step %d of %d   \r", state, p.GetStep(), p.GetSteps())
	}
	return p.GetRun()
}

func printTraining(a *app.App, r *orchestratorv1.ControlReport) {
	a.Print("%-12s %-28s %-28s %s", "reward", "gain of held-out accuracy", "real gain less this one", "by seed, before to after")
	for _, arm := range r.GetArms() {
		lead, mark := "-", ""
		if arm.GetLead() != nil {
			lead = live.Estimate(arm.GetLead())
		}
		if arm.GetSpurious() {
			mark = "  spurious"
		}
		var seeds []string
		for _, run := range arm.GetRuns() {
			seeds = append(seeds, fmt.Sprintf("%.3f to %.3f", run.GetBefore(), run.GetAfter()))
		}
		a.Print("%-12s %-28s %-28s %s%s", arm.GetName(), live.Estimate(arm.GetGain()), lead, strings.Join(seeds, ", "), mark)
	}
	if r.Validity != nil {
		a.Print("validity %.3f: the share of the real gain that no control has", r.GetValidity())
	}
	a.Print("%s", r.GetVerdict())
	for _, reason := range r.GetReasons() {
		a.Print("  %s", reason)
	}
}
