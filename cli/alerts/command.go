// Package alerts is `provenir alerts list|dead|retry`: what the alert sinks were told, and what none of them took.
package alerts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/mesh"
)

// NewCommand is the noun.
func NewCommand(a *app.App) *cobra.Command {
	cmd := &cobra.Command{Use: "alerts", Short: "See what alert sinks were told, and send again what none took", Args: cobra.NoArgs}
	cmd.AddCommand(list(a), deadLetters(a), retry(a))
	return cmd
}

func with(ctx context.Context, a *app.App, f func(recorderv1.RecorderServiceClient) error) error {
	s, err := a.Connect(ctx, mesh.Recorder)
	if err != nil {
		return err
	}
	return errors.Join(f(recorderv1.NewRecorderServiceClient(s.Conn)), s.Close())
}

func list(a *app.App) *cobra.Command {
	var sink string
	var state string
	cmd := &cobra.Command{
		Use: "list", Short: "List alerts, newest first", Args: cobra.NoArgs,
		Example: "  provenir alerts list\n  provenir alerts list --state waiting --sink ops --server localhost:9090 --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			req := &recorderv1.ListAlertsRequest{Sink: sink}
			if state != "" {
				v, ok := recorderv1.AlertState_value["ALERT_STATE_"+strings.ToUpper(state)]
				if !ok || v == 0 {
					return app.Usage(fmt.Errorf("--state %s: want waiting, sent or dead", state))
				}
				req.States = []recorderv1.AlertState{recorderv1.AlertState(v)}
			}
			return with(cmd.Context(), a, func(c recorderv1.RecorderServiceClient) error {
				_, err := show(cmd.Context(), a, c, req)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&sink, "sink", "", "of one sink, by its name in the settings")
	cmd.Flags().StringVar(&state, "state", "", "waiting, sent or dead (default: all)")
	return cmd
}

func deadLetters(a *app.App) *cobra.Command {
	var sink string
	cmd := &cobra.Command{
		Use: "dead", Short: "List alerts that no sink took; exit 1 where there are any", Args: cobra.NoArgs,
		Example: "  provenir alerts dead\n  provenir alerts dead --sink pager --server localhost:9090",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return with(cmd.Context(), a, func(c recorderv1.RecorderServiceClient) error {
				n, err := show(cmd.Context(), a, c, &recorderv1.ListAlertsRequest{Sink: sink, States: []recorderv1.AlertState{recorderv1.AlertState_ALERT_STATE_DEAD}})
				if err != nil || n == 0 {
					return err
				}
				return app.Fails(fmt.Errorf("%d dead letters; `%s alerts retry ID…` or --all sends them again", n, app.Command()))
			})
		},
	}
	cmd.Flags().StringVar(&sink, "sink", "", "of one sink, by its name in the settings")
	return cmd
}

func retry(a *app.App) *cobra.Command {
	req := &recorderv1.RetryAlertsRequest{}
	cmd := &cobra.Command{
		Use: "retry ID…|--all", Short: "Put dead letters back into the queues of their sinks",
		Long: "They go with the id that they had, for another 24 hours. Without --server the mesh of this command ends with it: what it\n" +
			"puts back is sent by the next mesh on the data folder.",
		Example: "  provenir alerts retry 17 18 --server localhost:9090\n  provenir alerts retry --all --sink ops --server localhost:9090",
		RunE: func(cmd *cobra.Command, args []string) error {
			if req.GetAll() == (len(args) > 0) {
				return app.Usage(errors.New("name dead letters by their ids, or give --all"))
			}
			for _, x := range args {
				id, err := strconv.ParseInt(x, 10, 64)
				if err != nil || id < 1 {
					return app.Usage(fmt.Errorf("%q is no id; `%s alerts dead` lists them", x, app.Command()))
				}
				req.Ids = append(req.Ids, id)
			}
			return with(cmd.Context(), a, func(c recorderv1.RecorderServiceClient) error {
				got, err := c.RetryAlerts(cmd.Context(), req)
				if err != nil {
					return err
				}
				if a.JSON {
					err = a.PrintJSON(got)
				} else {
					a.Print("%d put back", got.GetRetried())
				}
				if n := len(args) - int(got.GetRetried()); err == nil && n > 0 {
					return app.Fails(fmt.Errorf("%d of %d are no dead letters of a sink that the settings have, and are left as they are", n, len(args)))
				}
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&req.All, "all", false, "all dead letters")
	cmd.Flags().StringVar(&req.Sink, "sink", "", "only of one sink")
	return cmd
}

// show prints alerts and gives their number.
func show(ctx context.Context, a *app.App, c recorderv1.RecorderServiceClient, req *recorderv1.ListAlertsRequest) (n int, err error) {
	w := tabwriter.NewWriter(a.Out, 0, 4, 2, ' ', 0)
	for {
		page, err := c.ListAlerts(ctx, req)
		if err != nil {
			return n, err
		}
		for _, x := range page.GetAlerts() {
			if err := row(a, w, x, n == 0); err != nil {
				return n, err
			}
			n++
		}
		if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
			break
		}
	}
	if n == 0 {
		a.Note("none")
	}
	return n, w.Flush()
}

func row(a *app.App, w *tabwriter.Writer, x *recorderv1.Alert, first bool) error {
	if a.JSON {
		return a.PrintJSON(x)
	}
	if first {
		fmt.Fprintln(w, "ID\tSINK\tSTATE\tKIND\tRUN\tSTEP\tTRIES\tQUEUED\tERROR")
	}
	state := strings.ToLower(strings.TrimPrefix(x.GetState().String(), "ALERT_STATE_"))
	if !x.GetConfigured() {
		state += " (no such sink now)"
	}
	_, err := fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", x.GetId(), x.GetSink(), state, x.GetAnomaly().GetKind(), x.GetAnomaly().GetRun(), x.GetAnomaly().GetStep(),
		x.GetTries(), x.GetCreateTime().AsTime().Local().Format(time.DateTime), cmp.Or(app.OneLine(x.GetError()), "-"))
	return err
}
