package run

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/fetch"
	"github.com/provenir/provenir/cli/run/otlp"
	"github.com/provenir/provenir/cli/run/wandb"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/mesh"
)

// collect sends the run to an OpenTelemetry collector.
func (e *exporting) collect(ctx context.Context, a *app.App, c recorderv1.RecorderServiceClient, runs orchestratorv1.OrchestratorServiceClient) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	algorithm, err := algorithmOf(ctx, runs, e.Run)
	if err != nil {
		return err
	}
	_, body, err := fetch.Open(ctx, c, e.Run, "jsonl")
	if err != nil {
		return err
	}
	done, err := otlp.Send(ctx, otlp.Config{URL: e.to, Run: e.Run, Algorithm: algorithm, Version: mesh.Version()}, body)
	if err != nil {
		return app.Unchecked(fmt.Errorf("send to %s: %w; the same command sends all of it again", e.to, err))
	}
	if done.Undated > 0 {
		a.Warn("%d steps have no time in the log timing: they are sent without one", done.Undated)
	}
	if a.JSON {
		return a.PrintJSON(done)
	}
	a.Print("%d steps with %d values, %d incidents, %d gauges sent", done.Steps, done.Values, done.Incidents, done.Gauges)
	return nil
}

// algorithmOf is what the run was asked to do or, of a tracked run, what its tracker said that it does; empty where it said
// nothing. A run that was deleted has a ledger all the same, and nobody who knows its algorithm.
func algorithmOf(ctx context.Context, runs orchestratorv1.OrchestratorServiceClient, uid string) (string, error) {
	got, err := runs.GetRun(ctx, &orchestratorv1.GetRunRequest{Run: uid})
	if status.Code(err) == codes.NotFound {
		return "", nil
	}
	if t := got.GetRun().GetTracked(); t != nil {
		return t.GetMethod(), err
	}
	return strings.ToLower(strings.TrimPrefix(got.GetRun().GetSpec().GetAlgorithm().String(), "ALGORITHM_")), err
}

// offline writes an offline run of Weights & Biases.
func (e *exporting) offline(ctx context.Context, a *app.App, c recorderv1.RecorderServiceClient) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	python, _ := a.Env("PROVENIR_PYTHON")
	cfg := wandb.Config{Python: python, Run: e.Run, Project: e.project, Out: e.Out, Force: e.Force}
	if err := wandb.Check(ctx, cfg); err != nil {
		return err
	}
	_, body, err := fetch.Open(ctx, c, e.Run, "jsonl")
	if err != nil {
		return err
	}
	done, err := wandb.Write(ctx, cfg, body)
	var exists *wandb.ExistsError
	if errors.As(err, &exists) {
		return app.Usage(err)
	}
	if err != nil {
		return err
	}
	if a.JSON {
		return a.PrintJSON(done)
	}
	a.Print("%s  %d steps with %d values, %d incidents; `wandb sync` sends it", done.File, done.Steps, done.Values, done.Incidents)
	return nil
}
