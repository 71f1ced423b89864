package live

import (
	"bytes"
	"context"
	"errors"
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

// orchestrator is one run that stands somewhere and then has events.
type orchestrator struct {
	orchestratorv1.UnimplementedOrchestratorServiceServer
	now    *orchestratorv1.Run
	events []*orchestratorv1.WatchRunResponse
}

func (o *orchestrator) GetRun(context.Context, *orchestratorv1.GetRunRequest) (*orchestratorv1.GetRunResponse, error) {
	return &orchestratorv1.GetRunResponse{Run: o.now}, nil
}

func (o *orchestrator) WatchRun(_ *orchestratorv1.WatchRunRequest, s orchestratorv1.OrchestratorService_WatchRunServer) error {
	for _, e := range o.events {
		if e.GetRun() != nil {
			o.now = e.GetRun()
		}
		if err := s.Send(e); err != nil {
			return err
		}
	}
	if o.now.GetEndTime() != nil {
		return nil
	}
	<-s.Context().Done()
	return s.Context().Err()
}

// The step that is under way is waited for, and not one that had been finished and is told late; a run without a step under
// way is not waited for. Nothing is asked of the run: the fake would refuse it.
func TestSettle(t *testing.T) {
	in := func(s orchestratorv1.RunState, waiting string) *orchestratorv1.Run {
		return &orchestratorv1.Run{State: s, Progress: &orchestratorv1.Progress{Waiting: waiting, Step: 5}}
	}
	done := func(step uint64, branch uint32) *orchestratorv1.WatchRunResponse {
		return &orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Step{Step: &orchestratorv1.StepRow{StageName: "grpo",
			Facts: &corev1.StepFacts{Step: step, StageStep: step, StageSteps: 10, Branch: branch}}}}
	}
	const running, held = orchestratorv1.RunState_RUN_STATE_RUNNING, orchestratorv1.RunState_RUN_STATE_PAUSED
	const sealing = orchestratorv1.RunState_RUN_STATE_SEALING
	over := in(orchestratorv1.RunState_RUN_STATE_SUCCEEDED, "")
	over.EndTime = timestamppb.New(time.Unix(1, 0))
	type events = []*orchestratorv1.WatchRunResponse
	for _, c := range []struct {
		name   string
		now    *orchestratorv1.Run
		events events
		shown  int // lines of steps
		err    error
	}{
		{"a step under way", in(running, ""), events{done(5, 0), done(6, 0)}, 1, nil},
		{"a step that is told late", in(running, ""), events{done(4, 0), done(5, 0), done(6, 0)}, 2, nil},
		{"a step after a rollback", in(running, ""), events{done(4, 0), done(2, 1), done(3, 1)}, 2, nil},
		{"a gate that pauses", in(running, ""), events{event(in(held, ""))}, 0, nil},
		{"the end", in(running, ""), events{event(over)}, 0, errEnded},
		{"a seal", in(sealing, ""), events{event(over)}, 0, errEnded},
		{"a seal that waits", in(sealing, ""), events{event(in(sealing, "a role"))}, 0, nil},
		{"held by a person", in(held, ""), nil, 0, nil},
		{"not begun", in(orchestratorv1.RunState_RUN_STATE_STARTING, ""), nil, 0, nil},
		{"waiting", in(running, "a role of the mesh"), nil, 0, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &orchestrator{now: c.now, events: c.events}
			conn := grpctest.Serve(t, func(s grpc.ServiceRegistrar) { orchestratorv1.RegisterOrchestratorServiceServer(s, o) })
			a, _, errs := screen(false)
			w := &follower{a: a, c: orchestratorv1.NewOrchestratorServiceClient(conn), uid: "x"}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := w.settle(ctx, (&table{a: a}).event)
			if lines := strings.Count(errs.String(), "/10 "); !errors.Is(err, c.err) || lines != c.shown {
				t.Errorf("%v, %d steps shown; want %v, %d:\n%s", err, lines, c.err, c.shown, errs.String())
			}
		})
	}
}

// How far the verifier is with the rows is a line for each tenth, and never "starting" again and again.
func TestChecking(t *testing.T) {
	a, out, errs := screen(false)
	tab := &table{a: a}
	for _, done := range []uint64{1, 50, 100, 101, 140, 550, 1000} {
		r := &orchestratorv1.Run{State: orchestratorv1.RunState_RUN_STATE_STARTING, Progress: &orchestratorv1.Progress{Phase: "checking", Checked: done, ToCheck: 1000}}
		if err := tab.event(event(r)); err != nil {
			t.Fatal(err)
		}
	}
	want := "… checking tasks: 100 of 1000 rows\n… checking tasks: 550 of 1000 rows\n… checking tasks: 1000 of 1000 rows\n"
	if errs.String() != want || out.String() != "" {
		t.Errorf("%q\nwant %q", errs.String(), want)
	}
	quiet, _, errs := screen(false)
	quiet.Quiet = true
	if err := (&table{a: quiet}).event(event(&orchestratorv1.Run{State: orchestratorv1.RunState_RUN_STATE_STARTING, Progress: &orchestratorv1.Progress{Checked: 3, ToCheck: 3}})); err != nil || errs.String() != "" {
		t.Errorf("quiet: %q, %v", errs.String(), err)
	}
}
