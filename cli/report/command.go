// Package report is `provenir report`.
package report

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/fetch"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	r := fetch.Request{Format: "html"}
	cmd := &cobra.Command{
		Use: "report RUN", Short: "Write what is known of a run as one HTML file",
		Long: "Plots, incidents, verdict, what nobody checked, and the state of the signatures, in one file that needs no network.\n" +
			"The recorder's own checkpoints are verified; passport and countersignature read unchecked.",
		Example: "  provenir report @last --out report.html\n  provenir report 06e8k --out report.html --force --server localhost:9090",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s, uid, err := a.ConnectRun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			r.Run = uid
			f, err := fetch.Write(cmd.Context(), a, recorderv1.NewRecorderServiceClient(s.Conn), r)
			if err != nil {
				return err
			}
			return f.Print(a)
		},
	}
	cmd.Flags().StringVar(&r.Out, "out", "", "file, folder, or - for standard output (default: RUN.html here)")
	cmd.Flags().BoolVar(&r.Force, "force", false, "replace the file where it exists")
	return cmd
}
