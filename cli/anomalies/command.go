// Package anomalies is `provenir anomalies`.
package anomalies

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/mesh"
)

// NewCommand is the verb.
func NewCommand(a *app.App) *cobra.Command {
	var run, severity string
	var watch, open bool
	cmd := &cobra.Command{
		Use: "anomalies", Short: "List what was found wrong with runs, or follow it", Args: cobra.NoArgs,
		Example: "  provenir anomalies --run @last\n  provenir anomalies --watch --severity critical --server localhost:9090",
		RunE: func(cmd *cobra.Command, _ []string) error {
			least, err := parse(severity)
			if err != nil {
				return app.Usage(err)
			}
			roles := []mesh.Role{mesh.Recorder}
			if run != "" {
				roles = mesh.Roles() // the orchestrator knows which run is meant
			}
			s, err := a.Connect(cmd.Context(), roles...)
			if err != nil {
				return err
			}
			defer s.Close()
			if run != "" {
				if run, err = s.RunUID(cmd.Context(), run); err != nil {
					return err
				}
			}
			c := recorderv1.NewRecorderServiceClient(s.Conn)
			if watch {
				return follow(cmd, a, c, &recorderv1.WatchAnomaliesRequest{Run: run, MinSeverity: least})
			}
			req := &recorderv1.ListAnomaliesRequest{Run: run, MinSeverity: least, OpenOnly: open}
			for {
				page, err := c.ListAnomalies(cmd.Context(), req)
				if err != nil {
					return err
				}
				for _, x := range page.GetAnomalies() {
					if err := print(a, x); err != nil {
						return err
					}
				}
				if req.PageToken = page.GetNextPageToken(); req.PageToken == "" {
					return nil
				}
			}
		},
	}
	f := cmd.Flags()
	f.StringVar(&run, "run", "", "of one run: a uid, an unambiguous prefix, or @last")
	f.StringVar(&severity, "severity", "info", "at least info, warn or critical")
	f.BoolVar(&watch, "watch", false, "follow what is found from now on")
	f.BoolVar(&open, "open", false, "leave out what was resolved")
	return cmd
}

func parse(s string) (corev1.Severity, error) {
	v, ok := corev1.Severity_value["SEVERITY_"+strings.ToUpper(s)]
	if !ok || v == 0 {
		return 0, fmt.Errorf("--severity %s: want info, warn or critical", s)
	}
	return corev1.Severity(v), nil
}

func follow(cmd *cobra.Command, a *app.App, c recorderv1.RecorderServiceClient, req *recorderv1.WatchAnomaliesRequest) error {
	stream, err := c.WatchAnomalies(cmd.Context(), req)
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
		if m.GetAnomaly() == nil {
			continue // a heartbeat
		}
		if err := print(a, m.GetAnomaly()); err != nil {
			return err
		}
	}
}

func print(a *app.App, x *recorderv1.Anomaly) error {
	if a.JSON {
		return a.PrintJSON(x)
	}
	short := func(s, prefix string) string { return strings.ToLower(strings.TrimPrefix(s, prefix)) }
	a.Print("%-8s %-8s %-20s run %s step %d (onset %d): %s", short(x.GetSeverity().String(), "SEVERITY_"),
		short(x.GetEvent().String(), "INCIDENT_EVENT_"), x.GetKind(), x.GetRun(), x.GetStep(), x.GetOnsetStep(), x.GetDetail())
	return nil
}
