package run

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
)

func TestWhereExportsGo(t *testing.T) {
	for args, says := range map[string]string{
		"":                              "--format: want jsonl",
		"--format otlp":                 "--to",
		"--format mlflow":               "--to",
		"--format otlp --to u --out f":  "no file",
		"--format csv --to u":           "--out",
		"--format wandb --to u":         "--out",
		"--format wandb --out -":        "folder",
		"--format otlp --to u":          "",
		"--format wandb --out f":        "",
		"--format csv --out -":          "",
		"--format mlflow --to u":        "",
		"--format tensorboard --out f/": "",
	} {
		var e exporting
		words := strings.Fields(args)
		for i := 0; i+1 < len(words); i += 2 {
			*map[string]*string{"--format": &e.Format, "--to": &e.to, "--out": &e.Out}[words[i]] = words[i+1]
		}
		err := e.check()
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s: %v, want %q", args, err, says)
		}
	}
}

// orchestrator knows one run.
type orchestrator struct {
	orchestratorv1.OrchestratorServiceClient
}

func (orchestrator) GetRun(_ context.Context, in *orchestratorv1.GetRunRequest, _ ...grpc.CallOption) (*orchestratorv1.GetRunResponse, error) {
	switch in.GetRun() {
	case "known":
		return &orchestratorv1.GetRunResponse{Run: &orchestratorv1.Run{Spec: &orchestratorv1.RunSpec{Algorithm: trainerv1.Algorithm_ALGORITHM_DR_GRPO}}}, nil
	case "away":
		return nil, status.Error(codes.Unavailable, "away")
	}
	return nil, status.Error(codes.NotFound, "no such run")
}

func TestAlgorithmOf(t *testing.T) {
	for run, want := range map[string]string{"known": "dr_grpo", "g6h19s46h7v7tbftq8wmc85198": ""} {
		if got, err := algorithmOf(t.Context(), orchestrator{}, run); err != nil || got != want {
			t.Errorf("%s: %q, %v", run, got, err)
		}
	}
	if _, err := algorithmOf(t.Context(), orchestrator{}, "away"); status.Code(err) != codes.Unavailable {
		t.Errorf("an orchestrator that is away is no run without an algorithm: %v", err)
	}
}
