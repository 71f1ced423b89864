package envverb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/mesh"
)

// maxAction is what one line of input may have.
const maxAction = 1 << 20

func playCommand(a *app.App) *cobra.Command {
	var r verifierv1.ResetEpisode
	var turns []string
	cmd := &cobra.Command{
		Use: "play NAME", Short: "Play an episode: a line of input is an action", Args: cobra.ExactArgs(1),
		Long: "Reads actions from standard input, a line each (or from --action): a tool call in any format, or text, which is the final answer.\n" +
			"Exits 1 where the episode ends and is not passed, and 3 where it does not end or has no verdict.",
		Example: "  provenir env play calculator --seed 4\n  provenir env play lookup --action '{\"tool\":\"lookup\",\"args\":{\"entity\":\"Ossolgu\",\"relation\":\"keeper\"}}' --action '#### x'",
		RunE: func(cmd *cobra.Command, args []string) error {
			r.Environment = args[0]
			s, err := a.Connect(cmd.Context(), mesh.Verifier)
			if err != nil {
				return err
			}
			defer s.Close()
			next := lines(a.In)
			if len(turns) > 0 {
				next = given(turns)
			}
			return play(cmd.Context(), a, verifierv1.NewVerifierServiceClient(s.Conn), &r, next)
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&r.Seed, "seed", 0, "draws the task")
	f.StringVar(&r.Split, "split", "train", "train, dev or test")
	f.Uint32Var(&r.Difficulty, "difficulty", 1, "1 to 10")
	f.StringVar(&r.Credit, "credit", "last_turn", "last_turn, uniform, discounted or turn_verifier")
	f.StringArrayVar(&turns, "action", nil, "an action, in place of standard input; may be given several times")
	return cmd
}

// lines gives the lines of a reader; false at its end.
func lines(in io.Reader) func() (string, bool, error) {
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, maxAction)
	return func() (string, bool, error) {
		if !scan.Scan() {
			return "", false, scan.Err()
		}
		return scan.Text(), true, nil
	}
}

func given(all []string) func() (string, bool, error) {
	return func() (string, bool, error) {
		if len(all) == 0 {
			return "", false, nil
		}
		first := all[0]
		all = all[1:]
		return first, true, nil
	}
}

func play(ctx context.Context, a *app.App, c verifierv1.VerifierServiceClient, r *verifierv1.ResetEpisode, next func() (string, bool, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.RunEpisode(ctx)
	if err != nil {
		return err
	}
	ask := func(q *verifierv1.RunEpisodeRequest) (*verifierv1.RunEpisodeResponse, error) {
		if err := stream.Send(q); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		m, err := stream.Recv()
		if err == nil && m.GetProblem() != nil {
			err = app.Usage(fmt.Errorf("%s [%s]", m.GetProblem().GetDetail(), m.GetProblem().GetReason()))
		}
		return m, err
	}
	m, err := ask(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Reset_{Reset_: r}})
	for err == nil {
		o := m.GetObservation()
		if err := show(a, o); err != nil {
			return err
		}
		if o.GetDone() {
			break
		}
		action, more, failed := next()
		if failed != nil {
			return app.Usage(failed)
		}
		if !more {
			break
		}
		m, err = ask(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Step{Step: &verifierv1.StepEpisode{Action: []byte(action)}}})
	}
	if err != nil {
		return err
	}
	if m, err = ask(&verifierv1.RunEpisodeRequest{Command: &verifierv1.RunEpisodeRequest_Close{Close: &verifierv1.CloseEpisode{}}}); err != nil {
		return err
	}
	return conclude(a, m.GetClosed())
}

func show(a *app.App, o *verifierv1.Observation) error {
	if a.JSON {
		return a.PrintJSON(o)
	}
	a.Print("[%d] %s", o.GetTurn(), strings.TrimRight(o.GetText(), "\n"))
	return nil
}

func conclude(a *app.App, c *verifierv1.EpisodeClosed) error {
	if a.JSON {
		if err := a.PrintJSON(c); err != nil {
			return err
		}
	}
	v := c.GetVerdict()
	switch {
	case v == nil:
		return app.Unchecked(errors.New("the episode did not end; there is no verdict"))
	case v.GetUnscored() != nil:
		return app.Unchecked(fmt.Errorf("no verdict: %s", v.GetUnscored().GetDetail()))
	}
	a.Print("%s: reward %g, credit %v", v.GetReason(), v.GetScored().GetReward(), c.GetCredit())
	if !v.GetScored().GetPassed() {
		return app.Fails(fmt.Errorf("not passed: %s", v.GetReason()))
	}
	return nil
}
