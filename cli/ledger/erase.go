package ledger

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// erase destroys the keys of a group of a salted run.
func erase(a *app.App) *cobra.Command {
	req := &recorderv1.EraseGroupRequest{}
	var yes bool
	cmd := &cobra.Command{
		Use: "erase RUN --group G|--row ID|--all --yes", Short: "Make payloads of a salted run unreadable, for good",
		Long: "Destroys the key and the salt of a group of a run that was recorded with --privacy salted: of one that its writer named, of\n" +
			"a row of the dataset by its id (its rollouts, verdicts and rewards), or of all groups. No byte of the logs changes:\n" +
			"entries, proofs and roots stay valid, and no copy of the payloads can be read any more. It cannot be undone. Who did it and\n" +
			"why goes into the log findings.",
		Example: "  provenir ledger erase @last --row user-4711 --reason 'request of 3 May' --yes\n  provenir ledger erase 06e8k --all --yes --server localhost:9090",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if n := given(req.Group != "", req.Row != "", req.WholeRun); n != 1 {
				return app.Usage(errors.New("give one of --group, --row and --all; what belongs to no row, and names no group, is in the group run"))
			}
			if !yes {
				return app.Usage(errors.New("this cannot be undone: give --yes"))
			}
			s, uid, err := a.ConnectRun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer s.Close()
			req.Run = uid
			got, err := recorderv1.NewRecorderServiceClient(s.Conn).EraseGroup(cmd.Context(), req)
			if err != nil {
				return err
			}
			if a.JSON {
				return a.PrintJSON(got)
			}
			a.Print("erased   %d records; record %d of findings says so", got.GetRecords(), got.GetFindingSeq())
			return nil
		},
	}
	cmd.Flags().StringVar(&req.Group, "group", "", "erasure group")
	cmd.Flags().StringVar(&req.Row, "row", "", "id of a row of the dataset")
	cmd.Flags().BoolVar(&req.WholeRun, "all", false, "all groups of a sealed run")
	cmd.Flags().StringVar(&req.Reason, "reason", "", "why, for the record")
	cmd.Flags().BoolVar(&yes, "yes", false, "do it")
	return cmd
}

func given(flags ...bool) (n int) {
	for _, f := range flags {
		if f {
			n++
		}
	}
	return n
}
