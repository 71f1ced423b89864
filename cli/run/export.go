package run

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/fetch"
	"github.com/provenir/provenir/cli/run/mlflow"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

const formats = "jsonl, csv, parquet, openmetrics, tensorboard, html, mlflow, otlp or wandb"

type exporting struct {
	fetch.Request
	to, experiment, project string
}

func export(a *app.App) *cobra.Command {
	var e exporting
	cmd := &cobra.Command{
		Use: "export RUN --format F", Short: "Write a run's series and incidents in a format of other tools",
		Long: "Formats: jsonl, csv, parquet, openmetrics, tensorboard and html are files. mlflow and otlp are sent to a tracking server or\n" +
			"a collector (--to URL). wandb is an offline run of Weights & Biases, written by its own Python package.",
		Example: "  provenir run export @last --format tensorboard --out runs/\n  provenir run export @last --format mlflow --to http://127.0.0.1:5000",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := e.check(); err != nil {
				return app.Usage(err)
			}
			return with(cmd.Context(), a, func(s *app.Session, runs orchestratorv1.OrchestratorServiceClient) (err error) {
				if e.Run, err = s.RunUID(cmd.Context(), args[0]); err != nil {
					return err
				}
				return e.do(cmd.Context(), a, recorderv1.NewRecorderServiceClient(s.Conn), runs)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&e.Format, "format", "", formats)
	f.StringVar(&e.Out, "out", "", "file, folder, or - for standard output (default: a file of the run's name here)")
	f.BoolVar(&e.Force, "force", false, "replace the file where it exists")
	f.StringVar(&e.to, "to", "", "with mlflow and otlp: the server, as http://host:port")
	f.StringVar(&e.experiment, "experiment", "provenir", "with mlflow: the experiment's name; it is made where it is missing")
	f.StringVar(&e.project, "project", "provenir", "with wandb: the project's name")
	return cmd
}

func (e *exporting) check() error {
	sent := e.Format == "mlflow" || e.Format == "otlp"
	switch {
	case e.Format == "":
		return errors.New("--format: want " + formats)
	case sent && e.to == "":
		return fmt.Errorf("--format %s: give the server with --to http://host:port", e.Format)
	case sent && e.Out != "":
		return fmt.Errorf("--format %s writes no file: leave --out away", e.Format)
	case !sent && e.to != "":
		return fmt.Errorf("--to is for mlflow and otlp; %s writes a file: --out", e.Format)
	case e.Format == "wandb" && e.Out == "-":
		return errors.New("--format wandb writes a folder: --out FOLDER")
	}
	return nil
}

func (e *exporting) do(ctx context.Context, a *app.App, c recorderv1.RecorderServiceClient, runs orchestratorv1.OrchestratorServiceClient) error {
	switch e.Format {
	case "mlflow":
		return e.send(ctx, a, c)
	case "otlp":
		return e.collect(ctx, a, c, runs)
	case "wandb":
		return e.offline(ctx, a, c)
	}
	f, err := fetch.Write(ctx, a, c, e.Request)
	if err != nil {
		return err
	}
	return f.Print(a)
}

// send reads the run as JSON lines and gives it to the tracking server. The credential comes from the environment, under
// the names that MLflow's own client reads.
func (e *exporting) send(ctx context.Context, a *app.App, c recorderv1.RecorderServiceClient) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	env := func(k string) string { v, _ := a.Env(k); return v }
	client, err := mlflow.New(mlflow.Config{URL: e.to, Experiment: e.experiment, Token: env("MLFLOW_TRACKING_TOKEN"),
		User: env("MLFLOW_TRACKING_USERNAME"), Password: env("MLFLOW_TRACKING_PASSWORD"), HTTP: &http.Client{Timeout: time.Minute}})
	if err != nil {
		return app.Usage(err)
	}
	_, body, err := fetch.Open(ctx, c, e.Run, "jsonl")
	if err != nil {
		return err
	}
	done, err := client.Send(ctx, e.Run, body)
	if err != nil {
		return app.Unchecked(fmt.Errorf("send to %s: %w; the same command goes on where this one stopped", e.to, err))
	}
	if done.Undated > 0 {
		a.Warn("%d values have no time in the log timing: MLflow shows them at 1970; use its step axis", done.Undated)
	}
	if a.JSON {
		return a.PrintJSON(done)
	}
	a.Print("MLflow run %s: %d values sent, %d were there from an earlier call", done.Run, done.Sent, done.Skipped)
	return nil
}
