package ledger

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	led "github.com/provenir/provenir/ledger"
)

// repair mends a run and declares what is lost of it.
func repair(a *app.App) *cobra.Command {
	var log string
	cmd := &cobra.Command{
		Use: "repair RUN", Short: "Mend a run's logs from their shipped copies, and declare what is lost",
		Long: "Checks the logs. A damaged or missing segment that was shipped (recorder.ship.*) is fetched, checked, and put in place;\n" +
			"the damaged file keeps a name of its own. For each range that no copy mends a record goes into findings, so that the\n" +
			"loss is part of what the run says of itself. Exit 1 where something is lost.",
		Example: "  provenir ledger repair @last\n  provenir ledger repair 06e8k --log events --server localhost:9090",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := &recorderv1.RepairRunRequest{}
			if log != "" {
				kind, err := led.ParseLog(log)
				if err != nil {
					return app.Usage(err)
				}
				req.Log = recorderv1.Log(kind)
			}
			s, uid, err := a.ConnectRun(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			defer s.Close()
			req.Run = uid
			got, err := recorderv1.NewRecorderServiceClient(s.Conn).RepairRun(cmd.Context(), req)
			if err != nil {
				return err
			}
			if a.JSON {
				if err := a.PrintJSON(got); err != nil {
					return err
				}
			} else {
				for _, n := range got.GetRestored() {
					a.Print("restored segment %d from its copy", n)
				}
				for _, d := range got.GetRestoredBlobs() {
					a.Print("restored payload %x from its copy", d)
				}
				for _, l := range got.GetLosses() {
					a.Print("lost     %-9s records %d to %d", strings.ToLower(strings.TrimPrefix(l.GetLog().String(), "LOG_")), l.GetFirstSeq(), l.GetLastSeq())
				}
			}
			if n := len(got.GetLosses()); n > 0 {
				return app.Fails(fmt.Errorf("%d ranges are lost and declared in findings; no shipped copy mends them; one that is elsewhere can be put back by hand while the mesh is down", n))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&log, "log", "", "events, findings or timing; all without it")
	return cmd
}
