package ledger

import (
	"errors"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	led "github.com/provenir/provenir/ledger"
)

// payload reads one record's.
func payload(a *app.App) *cobra.Command {
	var log string
	cmd := &cobra.Command{
		Use: "payload RUN SEQ", Short: "Write the payload of one record to standard output",
		Long: "Reads the payload wherever it lies, decrypts it where the run is salted and its group is not erased, and compares it with\n" +
			"the record's digest. What is erased or retired is refused with that reason.",
		Example: "  provenir ledger payload @last 17 > rollout.pb\n  provenir ledger payload 06e8k 3 --log findings",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			seq, err := strconv.ParseUint(args[1], 10, 64)
			if err != nil {
				return app.Usage(errors.New("SEQ is the number of a record, from 0"))
			}
			req := &recorderv1.ReadPayloadRequest{Seq: seq}
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
			stream, err := recorderv1.NewRecorderServiceClient(s.Conn).ReadPayload(cmd.Context(), req)
			if err != nil {
				return err
			}
			for {
				m, err := stream.Recv()
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				if _, err := a.Out.Write(m.GetChunk()); err != nil {
					return err
				}
			}
		},
	}
	cmd.Flags().StringVar(&log, "log", "", "events, findings or timing; events without it")
	return cmd
}
