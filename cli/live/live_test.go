package live

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/provenir/provenir/cli/app"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/grpctest"
)

func screen(json bool) (*app.App, *bytes.Buffer, *bytes.Buffer) {
	var out, errs bytes.Buffer
	return &app.App{Out: &out, Err: &errs, JSON: json, Env: func(string) (string, bool) { return "", false }}, &out, &errs
}

func event(r *orchestratorv1.Run) *orchestratorv1.WatchRunResponse {
	return &orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Run{Run: r}}
}

func step(sampled, scored uint64, unscored ...*corev1.Count) *orchestratorv1.WatchRunResponse {
	return &orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Step{Step: &orchestratorv1.StepRow{StageName: "grpo",
		Facts: &corev1.StepFacts{StageSteps: 10, RowsSampled: sampled, RowsScored: scored, Unscored: unscored}}}}
}

// Warnings come once, on standard error, also with --json and --quiet; what the gate's line says is not said again.
func TestWarnings(t *testing.T) {
	for _, json := range []bool{false, true} {
		a, out, errs := screen(json)
		a.Quiet = true
		tab := &table{a: a}
		for _, w := range [][]string{nil, {"2 of 4 prompts pass"}, {"2 of 4 prompts pass", "NO_SIGNAL no_signal_share=0"}, {"2 of 4 prompts pass", "NO_SIGNAL no_signal_share=0", "3 of 4 rows"}} {
			if err := tab.event(event(&orchestratorv1.Run{Warnings: w})); err != nil {
				t.Fatal(err)
			}
		}
		if errs.String() != "warning: 2 of 4 prompts pass\nwarning: 3 of 4 rows\n" || (out.Len() > 0) != json {
			t.Errorf("json %v: standard error %q, standard output %q", json, errs.String(), out.String())
		}
	}
}

func TestTableNamesTheVerifierAndWhatItDidNotScore(t *testing.T) {
	a, _, errs := screen(false)
	tab := &table{a: a}
	spec := &orchestratorv1.RunSpec{Verifier: &verifierv1.Spec{Name: "code"}}
	for _, m := range []*orchestratorv1.WatchRunResponse{event(&orchestratorv1.Run{Spec: spec}), step(8, 8),
		step(8, 6, &corev1.Count{Name: "deadline", Rows: 1}, &corev1.Count{Name: "infrastructure", Rows: 1})} {
		if err := tab.event(m); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(errs.String()), "\n")
	if len(lines) != 4 || lines[0] != "grpo, 10 steps, paid by code" || strings.Contains(lines[2], "unscored") ||
		!strings.HasSuffix(lines[3], "  25.0 % unscored deadline, infrastructure") {
		t.Errorf("got:\n%s", errs.String())
	}
}

func TestConclude(t *testing.T) {
	at := func(s int64) *timestamppb.Timestamp { return &timestamppb.Timestamp{Seconds: s} }
	for _, c := range []struct {
		name string
		run  *orchestratorv1.Run
		code int
		says string
	}{
		{"seconds", &orchestratorv1.Run{State: orchestratorv1.RunState_RUN_STATE_SUCCEEDED, CreateTime: at(100), EndTime: timestamppb.New(time.Unix(102, 3.45e8))}, 0, "took                      2.3s"},
		{"hours", &orchestratorv1.Run{State: orchestratorv1.RunState_RUN_STATE_SUCCEEDED, CreateTime: at(100), EndTime: at(3825)}, 0, "took                      1h2m5s"},
		{"no end", &orchestratorv1.Run{State: orchestratorv1.RunState_RUN_STATE_SUCCEEDED, CreateTime: at(100)}, 0, ""},
		{"stopped by a gate", &orchestratorv1.Run{State: orchestratorv1.RunState_RUN_STATE_STOPPED_BY_GATE}, 1, ""},
		{"contaminated", &orchestratorv1.Run{State: orchestratorv1.RunState_RUN_STATE_FAILED, Failure: &trainerv1.Failure{Code: "DATASETS_OVERLAP"}}, 1, ""},
		{"bad input", &orchestratorv1.Run{State: orchestratorv1.RunState_RUN_STATE_FAILED, Failure: &trainerv1.Failure{Code: "DATASET_INVALID"}}, 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, out, _ := screen(false)
			err := Conclude(a, &app.Session{}, c.run)
			if app.Code(err) != c.code || !strings.Contains(out.String(), c.says) || c.says == "" && strings.Contains(out.String(), "took") {
				t.Errorf("%d, %v, %q", app.Code(err), err, out.String())
			}
		})
	}
	if got := Estimate(&evaluatorv1.Estimate{Value: proto.Float64(.5), N: 7, Unscored: 3, Interval: &evaluatorv1.Interval{Low: .4, High: .6}}); got != "0.500 [0.400, 0.600] (n=7, 3 unscored)" {
		t.Errorf("got %q", got)
	}
}

// orchestrator is one run that reaches a state when it is asked to pause.
type orchestrator struct {
	orchestratorv1.UnimplementedOrchestratorServiceServer
	now, paused *orchestratorv1.Run
	asked       []string
	wished      chan struct{}
}

func (o *orchestrator) GetRun(context.Context, *orchestratorv1.GetRunRequest) (*orchestratorv1.GetRunResponse, error) {
	return &orchestratorv1.GetRunResponse{Run: o.now}, nil
}

func (o *orchestrator) PauseRun(context.Context, *orchestratorv1.PauseRunRequest) (*orchestratorv1.PauseRunResponse, error) {
	o.asked = append(o.asked, "pause")
	o.now = o.paused
	close(o.wished)
	return &orchestratorv1.PauseRunResponse{}, nil
}

func (o *orchestrator) ResumeRun(context.Context, *orchestratorv1.ResumeRunRequest) (*orchestratorv1.ResumeRunResponse, error) {
	o.asked = append(o.asked, "resume")
	return &orchestratorv1.ResumeRunResponse{}, nil
}

func (o *orchestrator) WatchRun(_ *orchestratorv1.WatchRunRequest, s orchestratorv1.OrchestratorService_WatchRunServer) error {
	select {
	case <-o.wished:
	case <-s.Context().Done():
		return s.Context().Err()
	}
	if err := s.Send(event(o.paused)); err != nil || o.paused.GetEndTime() != nil {
		return err
	}
	<-s.Context().Done()
	return s.Context().Err()
}

// The pause that finishes a step is taken back, so that nobody need know of it later; a run without a step under way is left
// as it is, also where a person holds it.
func TestSettle(t *testing.T) {
	in := func(s orchestratorv1.RunState, waiting string) *orchestratorv1.Run {
		return &orchestratorv1.Run{State: s, Progress: &orchestratorv1.Progress{Waiting: waiting}}
	}
	const running, held = orchestratorv1.RunState_RUN_STATE_RUNNING, orchestratorv1.RunState_RUN_STATE_PAUSED
	over := in(orchestratorv1.RunState_RUN_STATE_SUCCEEDED, "")
	over.EndTime = timestamppb.New(time.Unix(1, 0))
	for _, c := range []struct {
		name        string
		now, paused *orchestratorv1.Run
		asked       []string
		err         error
	}{
		{"a step under way", in(running, ""), in(held, ""), []string{"pause", "resume"}, nil},
		{"the last step", in(running, ""), over, []string{"pause"}, errEnded},
		{"a seal that waits", in(orchestratorv1.RunState_RUN_STATE_SEALING, ""), in(orchestratorv1.RunState_RUN_STATE_SEALING, "a role"), []string{"pause", "resume"}, nil},
		{"held by a person", in(held, ""), nil, nil, nil},
		{"not begun", in(orchestratorv1.RunState_RUN_STATE_STARTING, ""), nil, nil, nil},
		{"waiting", in(running, "a role of the mesh"), nil, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &orchestrator{now: c.now, paused: c.paused, wished: make(chan struct{})}
			conn := grpctest.Serve(t, func(s grpc.ServiceRegistrar) { orchestratorv1.RegisterOrchestratorServiceServer(s, o) })
			a, _, _ := screen(false)
			w := &follower{a: a, c: orchestratorv1.NewOrchestratorServiceClient(conn), uid: "x"}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := w.settle(ctx, (&table{a: a}).event)
			if !errors.Is(err, c.err) || !slices.Equal(o.asked, c.asked) {
				t.Errorf("%v, asked %q; want %v, %q", err, o.asked, c.err, c.asked)
			}
		})
	}
}
