// Package gate decides whether a run may go on. It is pure: everything it looks at is a value that a record holds, so a
// decision can be made again by anybody who has the ledger.
package gate

import (
	"fmt"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// Input is what one step brings.
type Input struct {
	Step       uint64
	Branch     uint32
	Facts      *corev1.StepFacts
	Evaluation *evaluatorv1.Evaluation // nil when none was due
	Checkpoint []byte                  // of this step; empty when none was saved
	Next       uint64                  // step that follows that checkpoint
	Findings   []*recorderv1.Anomaly   // opened or escalated by this step
}

// State is what earlier steps left. It is part of the journal; its zero value is the beginning of a stage.
type State struct {
	Best           *float64 `json:"best,omitempty"`
	BestRows       []byte   `json:"best_rows,omitempty"` // rows_digest of the best evaluation
	BestCheckpoint []byte   `json:"best_checkpoint,omitempty"`
	BestNext       uint64   `json:"best_next,omitempty"`  // step that follows the best checkpoint
	FirstRows      []byte   `json:"first_rows,omitempty"` // rows_digest of the first evaluation: the "before"
	SinceBest      uint32   `json:"since_best,omitempty"`
	Signal         []Share  `json:"signal,omitempty"` // newest last
	NoSignal       bool     `json:"no_signal,omitempty"`
	Rollbacks      uint32   `json:"rollbacks,omitempty"`
}

// Share is a step's groups with signal, of all its groups.
type Share struct {
	With, Total uint64
}

// Decide gives the decision and the state after it. due says that the decision is worth a record: something was
// evaluated, or something else than going on was decided, or there is a reason to tell.
func Decide(spec *orchestratorv1.GateSpec, in Input, s State) (d *orchestratorv1.GateDecision, next State, due bool) {
	if spec == nil {
		spec = &orchestratorv1.GateSpec{} // every rule off, a critical finding warns
	}
	d, next = seen(spec, in, s)
	if d.GetAction() == orchestratorv1.GateAction_GATE_ACTION_ROLLBACK {
		rollback(spec, d, &next)
	}
	return d, next, in.Evaluation != nil || len(d.GetReasons()) > 0
}

// seen applies every rule but the last: what a rollback needs.
func seen(spec *orchestratorv1.GateSpec, in Input, s State) (*orchestratorv1.GateDecision, State) {
	d := &orchestratorv1.GateDecision{Step: in.Step, Branch: in.Branch}
	s.Signal = append([]Share(nil), s.Signal...)
	evaluated(spec, in, d, &s)
	critical(spec, in, d)
	noSignal(spec, in, d, &s)
	return d, s
}

// Follow gives the state after a decision that was made and recorded before. It may have been made from findings that a
// clock decided, so it counts in place of the one that Decide would give.
func Follow(spec *orchestratorv1.GateSpec, in Input, s State, made *orchestratorv1.GateDecision) State {
	if spec == nil {
		spec = &orchestratorv1.GateSpec{}
	}
	_, next := seen(spec, in, s)
	if made.GetAction() == orchestratorv1.GateAction_GATE_ACTION_ROLLBACK {
		next.rolledBack()
	}
	return next
}

func (s *State) rolledBack() {
	s.Rollbacks++
	s.Signal, s.NoSignal, s.SinceBest = nil, false, 0
}

// raise keeps the harder of two actions.
func raise(d *orchestratorv1.GateDecision, action orchestratorv1.GateAction, format string, args ...any) {
	if action == orchestratorv1.GateAction_GATE_ACTION_UNSPECIFIED {
		action = orchestratorv1.GateAction_GATE_ACTION_WARN
	}
	if rank(action) > rank(d.GetAction()) {
		d.Action = action
	}
	d.Reasons = append(d.Reasons, fmt.Sprintf(format, args...))
}

// rank orders actions by how much they interfere: a stop beats a rollback, which would lose the stop's reason.
func rank(a orchestratorv1.GateAction) int {
	switch a {
	case orchestratorv1.GateAction_GATE_ACTION_WARN:
		return 1
	case orchestratorv1.GateAction_GATE_ACTION_PAUSE:
		return 2
	case orchestratorv1.GateAction_GATE_ACTION_ROLLBACK:
		return 3
	case orchestratorv1.GateAction_GATE_ACTION_STOP:
		return 4
	default:
		return 0
	}
}

func evaluated(spec *orchestratorv1.GateSpec, in Input, d *orchestratorv1.GateDecision, s *State) {
	e := in.Evaluation
	if e == nil || len(e.GetEstimates()) == 0 {
		return
	}
	est := e.GetEstimates()[0]
	d.Metric = est.GetMetric()
	if est.Value == nil {
		raise(d, orchestratorv1.GateAction_GATE_ACTION_WARN, "nothing_scored: %d rows unscored", est.GetUnscored())
		return
	}
	value := est.GetValue()
	d.Value = &value
	d.Best = s.Best
	if len(s.FirstRows) == 0 {
		s.FirstRows = e.GetRowsDigest()
	}
	if f := spec.Floor; f != nil && value < *f {
		raise(d, spec.GetOnRegression(), "floor: %.4f is below %.4f", value, *f)
	}
	if diff := against(e, s.BestRows); diff != nil && spec.MaxDrop != nil {
		d.Difference = diff
		// The drop must be sure: the whole interval of the paired difference lies below -max_drop.
		if hi := diff.GetInterval(); hi != nil && hi.GetHigh() < -spec.GetMaxDrop() {
			raise(d, spec.GetOnRegression(), "regression: %.4f against the best, interval [%.4f, %.4f]", diff.GetValue(), hi.GetLow(), hi.GetHigh())
		}
	}
	if s.Best == nil || value > *s.Best {
		s.Best, s.SinceBest, s.BestRows = &value, 0, e.GetRowsDigest()
		if len(in.Checkpoint) > 0 {
			s.BestCheckpoint, s.BestNext = in.Checkpoint, in.Next
		}
		return
	}
	s.SinceBest++
	if p := spec.GetPatience(); p > 0 && s.SinceBest >= p {
		raise(d, orchestratorv1.GateAction_GATE_ACTION_STOP, "patience: no new best in %d evaluations", s.SinceBest)
	}
}

func against(e *evaluatorv1.Evaluation, baseline []byte) *evaluatorv1.Estimate {
	for _, t := range e.GetTests() {
		if len(baseline) > 0 && string(t.GetBaseline()) == string(baseline) {
			return t.GetDifference()
		}
	}
	return nil
}

func critical(spec *orchestratorv1.GateSpec, in Input, d *orchestratorv1.GateDecision) {
	for _, a := range in.Findings {
		if a.GetSeverity() != corev1.Severity_SEVERITY_CRITICAL {
			continue
		}
		d.Anomalies = append(d.Anomalies, a.GetUid())
		raise(d, spec.GetOnCritical(), "critical: %s since step %d", a.GetKind(), a.GetOnsetStep())
	}
}

// noSignal watches the share of groups with any spread of reward over a window: without it a run burns its budget and
// learns nothing. It speaks once when the share falls under the floor and again only after a recovery.
func noSignal(spec *orchestratorv1.GateSpec, in Input, d *orchestratorv1.GateDecision, s *State) {
	if in.Facts.GetGroupsTotal() == 0 {
		return
	}
	window := int(spec.GetNoSignalSteps())
	if window == 0 {
		window = 10
	}
	floor := 0.05
	if spec.NoSignalFloor != nil {
		floor = spec.GetNoSignalFloor()
	}
	s.Signal = append(s.Signal, Share{in.Facts.GetGroupsWithSignal(), in.Facts.GetGroupsTotal()})
	if len(s.Signal) < window {
		return
	}
	s.Signal = s.Signal[len(s.Signal)-window:]
	var with, total uint64
	for _, x := range s.Signal {
		with, total = with+x.With, total+x.Total
	}
	share := float64(with) / float64(total)
	if share >= floor {
		s.NoSignal = false
		return
	}
	if !s.NoSignal {
		s.NoSignal = true
		d.SignalShare = &share
		raise(d, spec.GetOnNoSignal(), "no_signal: %.1f %% of groups had any spread of reward in %d steps", 100*share, window)
	}
}

// rollback goes to the best checkpoint; without one, or too often, it becomes a stop.
func rollback(spec *orchestratorv1.GateSpec, d *orchestratorv1.GateDecision, s *State) {
	limit := spec.GetMaxRollbacks()
	if limit == 0 {
		limit = 3
	}
	switch {
	case len(s.BestCheckpoint) == 0:
		d.Action = orchestratorv1.GateAction_GATE_ACTION_STOP
		d.Reasons = append(d.Reasons, "no_checkpoint: nothing to roll back to")
	case s.Rollbacks >= limit:
		d.Action = orchestratorv1.GateAction_GATE_ACTION_STOP
		d.Reasons = append(d.Reasons, fmt.Sprintf("rollbacks: %d were made already", s.Rollbacks))
	default:
		d.Checkpoint = s.BestCheckpoint
		s.rolledBack()
	}
}
