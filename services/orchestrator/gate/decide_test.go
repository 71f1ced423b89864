package gate

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

const (
	proceed = orchestratorv1.GateAction_GATE_ACTION_UNSPECIFIED
	warn    = orchestratorv1.GateAction_GATE_ACTION_WARN
	pause   = orchestratorv1.GateAction_GATE_ACTION_PAUSE
	stop    = orchestratorv1.GateAction_GATE_ACTION_STOP
	back    = orchestratorv1.GateAction_GATE_ACTION_ROLLBACK
)

func eval(value float64, high *float64) *evaluatorv1.Evaluation {
	e := &evaluatorv1.Evaluation{Estimates: []*evaluatorv1.Estimate{{Metric: "verifier:math", Value: &value}}, RowsDigest: []byte("rows")}
	if high != nil {
		e.Tests = []*evaluatorv1.PairedTest{{Baseline: []byte("best"), Difference: &evaluatorv1.Estimate{Value: proto.Float64(-.2),
			Interval: &evaluatorv1.Interval{Low: -.3, High: *high}}}}
	}
	return e
}

func TestDecide(t *testing.T) {
	best := State{Best: proto.Float64(.9), BestRows: []byte("best"), BestCheckpoint: []byte("ck")}
	critical := []*recorderv1.Anomaly{{Uid: "u", Kind: "kl_blowup", Severity: corev1.Severity_SEVERITY_CRITICAL, OnsetStep: 7}}
	flat := &corev1.StepFacts{GroupsTotal: 32}
	for _, c := range []struct {
		name   string
		spec   *orchestratorv1.GateSpec
		in     Input
		state  State
		want   orchestratorv1.GateAction
		reason string
		due    bool
	}{
		{"a plain step", nil, Input{Facts: &corev1.StepFacts{GroupsTotal: 32, GroupsWithSignal: 30}}, State{}, proceed, "", false},
		{"an evaluation is always recorded", nil, Input{Evaluation: eval(.5, nil)}, State{}, proceed, "", true},
		{"floor", &orchestratorv1.GateSpec{Floor: proto.Float64(.6), OnRegression: stop}, Input{Evaluation: eval(.5, nil)}, State{}, stop, "floor", true},
		{"a drop that is not sure", &orchestratorv1.GateSpec{MaxDrop: proto.Float64(.1), OnRegression: stop}, Input{Evaluation: eval(.7, proto.Float64(-.05))}, best, proceed, "", true},
		{"a sure drop", &orchestratorv1.GateSpec{MaxDrop: proto.Float64(.1), OnRegression: back}, Input{Evaluation: eval(.7, proto.Float64(-.15))}, best, back, "regression", true},
		{"rollback without a checkpoint", &orchestratorv1.GateSpec{Floor: proto.Float64(.6), OnRegression: back}, Input{Evaluation: eval(.5, nil)}, State{}, stop, "no_checkpoint", true},
		{"too many rollbacks", &orchestratorv1.GateSpec{Floor: proto.Float64(.8), OnRegression: back, MaxRollbacks: 1}, Input{Evaluation: eval(.7, nil)},
			State{Best: proto.Float64(.9), BestCheckpoint: []byte("ck"), Rollbacks: 1}, stop, "rollbacks", true},
		{"critical warns by itself", nil, Input{Findings: critical}, State{}, warn, "critical: kl_blowup since step 7", true},
		{"critical pauses when asked", &orchestratorv1.GateSpec{OnCritical: pause}, Input{Findings: critical}, State{}, pause, "critical", true},
		{"stop beats rollback", &orchestratorv1.GateSpec{OnCritical: stop, Floor: proto.Float64(.95), OnRegression: back}, Input{Findings: critical, Evaluation: eval(.7, nil)}, best, stop, "floor", true},
		{"patience", &orchestratorv1.GateSpec{Patience: 1}, Input{Evaluation: eval(.8, nil)}, best, stop, "patience", true},
		{"no signal", &orchestratorv1.GateSpec{NoSignalSteps: 1, OnNoSignal: pause}, Input{Facts: flat}, State{}, pause, "no_signal: 0.0 %", true},
		{"no signal is said once", &orchestratorv1.GateSpec{NoSignalSteps: 1, OnNoSignal: pause}, Input{Facts: flat}, State{NoSignal: true}, proceed, "", false},
		{"no signal needs its window", nil, Input{Facts: flat}, State{}, proceed, "", false},
		{"nothing could be scored", nil, Input{Evaluation: &evaluatorv1.Evaluation{Estimates: []*evaluatorv1.Estimate{{Unscored: 9}}}}, State{}, warn, "nothing_scored", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _, due := Decide(c.spec, c.in, c.state)
			if d.GetAction() != c.want || due != c.due {
				t.Errorf("got %s (due %v), want %s (due %v)", d.GetAction(), due, c.want, c.due)
			}
			if c.reason != "" && !slices.ContainsFunc(d.GetReasons(), func(r string) bool { return strings.HasPrefix(r, c.reason) }) {
				t.Errorf("reasons %q, want %q", d.GetReasons(), c.reason)
			}
		})
	}
}

func TestABetterOneBecomesTheBest(t *testing.T) {
	_, s, _ := Decide(nil, Input{Evaluation: eval(.7, nil), Checkpoint: []byte("a")}, State{})
	_, s, _ = Decide(nil, Input{Evaluation: eval(.6, nil), Checkpoint: []byte("b")}, s)
	if *s.Best != .7 || string(s.BestCheckpoint) != "a" || s.SinceBest != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestARollbackClearsTheWindow(t *testing.T) {
	s := State{Best: proto.Float64(.9), BestCheckpoint: []byte("ck"), Signal: []Share{{1, 2}}, SinceBest: 3}
	d, next, _ := Decide(&orchestratorv1.GateSpec{Floor: proto.Float64(.8), OnRegression: back}, Input{Evaluation: eval(.1, nil)}, s)
	if string(d.GetCheckpoint()) != "ck" || next.Rollbacks != 1 || len(next.Signal) != 0 || len(s.Signal) != 1 {
		t.Errorf("decision %v, state %+v, before %+v", d, next, s)
	}
}
