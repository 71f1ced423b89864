package loop

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/services/orchestrator/run"
)

const (
	goOn  = trainerv1.Decision_DECISION_PROCEED
	held  = trainerv1.Decision_DECISION_PAUSE
	save  = trainerv1.Decision_DECISION_SAVE_AND_STOP
	back  = trainerv1.Decision_DECISION_ROLLBACK
	warn_ = orchestratorv1.GateAction_GATE_ACTION_WARN
	pause = orchestratorv1.GateAction_GATE_ACTION_PAUSE
	stop  = orchestratorv1.GateAction_GATE_ACTION_STOP
	roll  = orchestratorv1.GateAction_GATE_ACTION_ROLLBACK
)

func criticalAt(step uint64) func(uint64) *recorderv1.Anomaly {
	return func(at uint64) *recorderv1.Anomaly {
		if at != step {
			return nil
		}
		return &recorderv1.Anomaly{Uid: "finding", Kind: "kl_blowup", Severity: corev1.Severity_SEVERITY_CRITICAL, Step: at, OnsetStep: at, Event: recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN}
	}
}

// Each outcome of a gate, from what made it to what the trainer was told, the ledger holds and the run became.
func TestGateOutcomes(t *testing.T) {
	for _, c := range []struct {
		name     string
		gate     *orchestratorv1.GateSpec
		mood     func(*rig)
		state    run.State
		told     []trainerv1.Decision
		actions  []orchestratorv1.GateAction // of GATE records
		warnings int
	}{
		{"nothing to say", nil, func(*rig) {}, run.Succeeded, []trainerv1.Decision{goOn, goOn, goOn, goOn},
			[]orchestratorv1.GateAction{0, 0}, 0},
		{"a critical finding warns", nil, func(r *rig) { r.rec.finds = criticalAt(2) }, run.Succeeded, []trainerv1.Decision{goOn, goOn, goOn, goOn},
			[]orchestratorv1.GateAction{0, warn_, 0}, 0},
		{"a critical finding stops", &orchestratorv1.GateSpec{EvalEvery: 2, OnCritical: stop}, func(r *rig) { r.rec.finds = criticalAt(2) }, run.Stopped,
			[]trainerv1.Decision{goOn, goOn, save}, []orchestratorv1.GateAction{0, stop}, 0},
		{"a floor stops", &orchestratorv1.GateSpec{EvalEvery: 2, Floor: proto.Float64(.4), OnRegression: stop}, func(r *rig) { r.eval.values = []float64{.5, .3} }, run.Stopped,
			[]trainerv1.Decision{goOn, save}, []orchestratorv1.GateAction{stop}, 0},
		{"patience stops", &orchestratorv1.GateSpec{EvalEvery: 1, Patience: 2}, func(r *rig) { r.eval.values = []float64{.5, .4} }, run.Stopped,
			[]trainerv1.Decision{goOn, save}, []orchestratorv1.GateAction{0, stop}, 0},
		{"a regression rolls back once, then is good", &orchestratorv1.GateSpec{EvalEvery: 2, MaxDrop: proto.Float64(.01), OnRegression: roll, MaxRollbacks: 1},
			func(r *rig) { r.eval.values = []float64{.2, .6, .3} }, run.Stopped, []trainerv1.Decision{goOn, back, goOn, back}, nil, 0},
		{"a critical finding rolls back to the best", &orchestratorv1.GateSpec{EvalEvery: 2, OnCritical: roll, MaxRollbacks: 1},
			func(r *rig) { r.eval.values = []float64{.2, .6, .7}; r.rec.finds = criticalAt(2) }, run.Succeeded, []trainerv1.Decision{goOn, goOn, back, goOn, goOn},
			[]orchestratorv1.GateAction{0, roll, 0}, 0},
		{"a rollback without a checkpoint is a stop", &orchestratorv1.GateSpec{OnCritical: roll}, func(r *rig) { r.spec.Eval = nil; r.rec.finds = criticalAt(1) }, run.Stopped,
			[]trainerv1.Decision{goOn, save}, []orchestratorv1.GateAction{stop}, 0},
		{"no signal is said once and goes on", &orchestratorv1.GateSpec{EvalEvery: 4, NoSignalSteps: 2}, func(r *rig) { r.tr.signal = func(uint64) uint64 { return 0 } }, run.Succeeded,
			[]trainerv1.Decision{goOn, goOn, goOn, goOn}, []orchestratorv1.GateAction{warn_, 0}, 1},
		{"no signal stops by policy", &orchestratorv1.GateSpec{EvalEvery: 4, NoSignalSteps: 2, OnNoSignal: stop}, func(r *rig) { r.tr.signal = func(uint64) uint64 { return 0 } }, run.Stopped,
			[]trainerv1.Decision{goOn, save}, []orchestratorv1.GateAction{stop}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.evals()
			if c.gate != nil {
				r.spec.Gate = c.gate
			}
			c.mood(r)
			got := r.play(c.state)
			if c.name == "a regression rolls back once, then is good" { // the paired test of the fake always says that it fell
				if len(r.tr.told()) < 2 || !slices.Contains(r.tr.told(), back) || got.GetProgress().GetBranch() != 1 {
					t.Errorf("told %v, branch %d", r.tr.told(), got.GetProgress().GetBranch())
				}
				return
			}
			if !slices.Equal(r.tr.told(), c.told) {
				t.Errorf("the trainer was told %v, want %v", r.tr.told(), c.told)
			}
			var actions []orchestratorv1.GateAction
			for _, b := range r.rec.find(recorderv1.RecordType_RECORD_TYPE_GATE) {
				actions = append(actions, unmarshal(t, b, &orchestratorv1.GateDecision{}).GetAction())
			}
			if !slices.Equal(actions, c.actions) {
				t.Errorf("recorded %v, want %v", actions, c.actions)
			}
			if len(got.GetWarnings()) != c.warnings || c.warnings > 0 && !strings.HasPrefix(got.GetWarnings()[0], "NO_SIGNAL") {
				t.Errorf("warnings %q", got.GetWarnings())
			}
			if c.state == run.Stopped && (got.GetPassport() == "" || !r.gov.sealed[0].GetAllowPartial()) {
				t.Error("a stopped run is sealed as what it is")
			}
		})
	}
}

// A gate that pauses holds the run until a person resumes it; the state says so, and the step is decided after.
func TestAGateThatPauses(t *testing.T) {
	r := newRig(t)
	r.evals()
	r.spec.Gate = &orchestratorv1.GateSpec{EvalEvery: 4, OnCritical: pause}
	r.rec.finds = criticalAt(1)
	r.create()
	lived := make(chan error, 1)
	go func() { lived <- r.live(t.Context(), nil) }()
	r.await("PAUSED")
	if err := r.board.Ask(t.Context(), uid, ""); err != nil {
		t.Fatal(err)
	}
	if err := <-lived; err != nil {
		t.Fatal(err)
	}
	if got := r.get(); got.GetState() != run.Succeeded || !slices.Equal(r.tr.told(), []trainerv1.Decision{goOn, held, goOn, goOn, goOn}) {
		t.Errorf("%s; the trainer was told %v", got.GetState(), r.tr.told())
	}
}

// A decision that is recorded counts on a repeat, also where today's findings would decide otherwise: what a clock raised
// then may not come again.
func TestARecordedDecisionCounts(t *testing.T) {
	for _, action := range []orchestratorv1.GateAction{stop, roll} {
		t.Run(action.String(), func(t *testing.T) {
			r := newRig(t)
			r.evals()
			r.eval.values = []float64{.2, .6, .7}
			r.spec.Gate = &orchestratorv1.GateSpec{EvalEvery: 2, OnCritical: action, NoSignalSteps: 3}
			r.rec.finds = criticalAt(2)
			r.create()
			r.killed(PointGate, 2)
			r.rec.lock.Lock()
			r.rec.finds = nil
			r.rec.lock.Unlock()
			if err := r.live(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			got := r.get()
			want := map[orchestratorv1.GateAction]run.State{stop: run.Stopped, roll: run.Succeeded}[action]
			if got.GetState() != want {
				t.Fatalf("%s, %v\n%s", got.GetState(), got.GetFailure(), r.log.String())
			}
			if action == roll && got.GetProgress().GetBranch() != 1 {
				t.Errorf("branch %d after the recorded rollback", got.GetProgress().GetBranch())
			}
			if action == roll {
				last, ok, err := journalOf(r).Last(t.Context(), uid)
				if err != nil || !ok || last.Gate.Rollbacks != 1 {
					t.Errorf("%d rollbacks are remembered, %v", last.Gate.Rollbacks, err)
				}
			}
		})
	}
}
