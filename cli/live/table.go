package live

import (
	"fmt"
	"strings"

	"github.com/provenir/provenir/cli/app"
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// table prints one line a step, or a few a stage where steps are many.
type table struct {
	a       *app.App
	stage   string
	heldout string
	lines   int
	open    map[string]bool

	tracked  bool   // its steps are another process's
	checked  uint64 // rows that a person was told of, in tenths of all
	told     int    // warnings of the run that were printed
	verifier string // what pays
	strict   string // what looks on; empty where nothing does
	sampled  uint64 // rollouts since the last line
	scored   uint64
}

const (
	header = "  step        reward  held-out      KL  entropy  length  anomalies   tok/s"
	// A run with a second verifier shows what it says of the same rollouts beside what was paid for them.
	headerStrict = "  step        reward   strict  held-out      KL  entropy  length  anomalies   tok/s"
	// Nobody knows whether what a tracked run was evaluated on was held out.
	headerTracked = "  step        reward      eval      KL  entropy  length  anomalies   tok/s"
)

func (t *table) event(m *orchestratorv1.WatchRunResponse) error {
	t.tracked = t.tracked || m.GetRun().GetTracked() != nil
	t.warnings(m.GetRun())
	if t.a.JSON {
		if m.GetEvent() == nil {
			return nil // a heartbeat says nothing
		}
		return t.a.PrintJSON(m)
	}
	switch e := m.GetEvent().(type) {
	case *orchestratorv1.WatchRunResponse_Run:
		t.run(e.Run)
	case *orchestratorv1.WatchRunResponse_Step:
		t.step(e.Step)
	case *orchestratorv1.WatchRunResponse_Evaluation:
		t.evaluation(e.Evaluation)
	case *orchestratorv1.WatchRunResponse_Gate:
		t.a.Note("! gate after step %d: %s", e.Gate.GetStep(), strings.Join(e.Gate.GetReasons(), "; "))
	case *orchestratorv1.WatchRunResponse_Anomaly:
		t.found(e.Anomaly)
	}
	return nil
}

// warnings go to standard error whatever is printed: a person should know them before the first step.
func (t *table) warnings(r *orchestratorv1.Run) {
	for _, w := range r.GetWarnings()[min(t.told, len(r.GetWarnings())):] {
		t.told++
		if !strings.HasPrefix(w, "NO_SIGNAL") { // the gate's own line says it
			t.a.Warn("%s", w)
		}
	}
}

func (t *table) run(r *orchestratorv1.Run) {
	t.verifier, t.strict = r.GetSpec().GetVerifier().GetName(), r.GetSpec().GetHeldoutVerifier().GetName()
	if w := r.GetProgress().GetWaiting(); w != "" {
		t.a.Note("… waiting for %s", w)
	}
	state := strings.ToLower(strings.TrimPrefix(r.GetState().String(), "RUN_STATE_"))
	if p := r.GetProgress(); p.GetToCheck() > 0 && r.GetState() == orchestratorv1.RunState_RUN_STATE_STARTING {
		t.checking(p)
		return
	}
	switch r.GetState() {
	case orchestratorv1.RunState_RUN_STATE_STARTING, orchestratorv1.RunState_RUN_STATE_SEALING, orchestratorv1.RunState_RUN_STATE_PAUSED,
		orchestratorv1.RunState_RUN_STATE_SILENT:
		t.a.Note("… %s", state)
	}
}

// checking says how far the verifier is with the own answers of the rows: a line for each tenth, and on a terminal all of it.
func (t *table) checking(p *orchestratorv1.Progress) {
	if t.a.Terminal && !t.a.Quiet {
		fmt.Fprintf(t.a.Err, "\r… checking tasks: %d of %d rows   ", p.GetChecked(), p.GetToCheck())
		if p.GetChecked() == p.GetToCheck() {
			fmt.Fprintln(t.a.Err)
		}
		return
	}
	if tenth := 10 * p.GetChecked() / p.GetToCheck(); tenth > t.checked {
		t.checked = tenth
		t.a.Note("… checking tasks: %d of %d rows", p.GetChecked(), p.GetToCheck())
	}
}

func (t *table) evaluation(e *evaluatorv1.Evaluation) {
	if len(e.GetEstimates()) == 0 || e.GetEstimates()[0].Value == nil {
		t.heldout = "-"
		return
	}
	t.heldout = fmt.Sprintf("%.3f", e.GetEstimates()[0].GetValue())
	if e.GetBaseline() {
		t.a.Note("  held-out accuracy before RL: %s", Estimate(e.GetEstimates()[0]))
	}
}

func (t *table) step(s *orchestratorv1.StepRow) {
	f := s.GetFacts()
	for _, x := range s.GetFindings() {
		t.found(x)
	}
	if s.GetStageName() != t.stage {
		t.stage, t.lines = s.GetStageName(), 0
		by := ""
		if t.verifier != "" && t.stage != "sft" {
			by = ", paid by " + t.verifier
			if t.strict != "" {
				by += ", held out: " + t.strict
			}
		}
		t.a.Note("%s%s", stageLine(t.stage, f.GetStageSteps()), by)
		switch {
		case f.GetStageSteps() == 0:
			t.a.Note("%s", headerTracked)
		case t.strict == "":
			t.a.Note("%s", header)
		default:
			t.a.Note("%s", headerStrict)
		}
	}
	t.lines++
	if t.stage != "sft" {
		t.sampled, t.scored = t.sampled+f.GetRowsSampled(), t.scored+f.GetRowsScored()
	}
	place, shown := position(f)
	if !shown && len(s.GetFindings()) == 0 {
		return
	}
	second := ""
	if t.strict != "" {
		second = "        -"
		if s.HeldoutReward != nil {
			second = fmt.Sprintf(" %8.3f", s.GetHeldoutReward())
		}
	}
	t.a.Note("%s %6s%s %9s %7s %8s %7s %10d %7s%s", place, metric(f, "reward.mean", 3), second, or(t.heldout, "-"),
		metric(f, "kl.ref", 4), metric(f, "policy.entropy", 3), metric(f, "length.mean", 1), len(t.open), rate(f, s.GetTiming()), t.unscored(f))
	t.sampled, t.scored = 0, 0
}

func (t *table) found(x *recorderv1.Anomaly) {
	if t.open == nil {
		t.open = map[string]bool{}
	}
	t.open[x.GetIncident()] = true
	t.a.Note("! %s %s since step %d: %s", severity(x.GetSeverity()), x.GetKind(), x.GetOnsetStep(), x.GetDetail())
}

// stageLine heads a stage. Nobody knows how many steps a tracked run will have.
func stageLine(name string, steps uint64) string {
	if steps == 0 {
		return name + ", tracked"
	}
	return fmt.Sprintf("%s, %d steps", name, steps)
}

// position is where a step stands, and whether it has a line: some forty of a stage, and of a tracked run, whose length
// nobody knows, the fewer the longer it is.
func position(f *corev1.StepFacts) (place string, shown bool) {
	if f.GetStageSteps() == 0 {
		every := uint64(1)
		for every*100 <= f.GetStep() {
			every *= 10
		}
		return fmt.Sprintf("%6d%-7s", f.GetStep(), ""), f.GetStep()%every == 0
	}
	done := f.GetStageStep() + 1
	every := max(1, f.GetStageSteps()/40)
	return fmt.Sprintf("%6d/%-6d", done, f.GetStageSteps()), done%every == 0 || done == f.GetStageSteps()
}

// unscored is the share of rollouts since the last line for which the verifier had no reward, with the last step's reasons;
// nothing where every one was scored.
func (t *table) unscored(f *corev1.StepFacts) string {
	if t.scored >= t.sampled {
		return ""
	}
	var why []string
	for _, c := range f.GetUnscored() {
		why = append(why, c.GetName())
	}
	return strings.TrimRight(fmt.Sprintf("  %.1f %% unscored %s", 100*float64(t.sampled-t.scored)/float64(t.sampled), strings.Join(why, ", ")), " ")
}

func severity(s corev1.Severity) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "SEVERITY_"))
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// metric is a value to d digits; an absent one is a dash, never 0.
func metric(f *corev1.StepFacts, name string, d int) string {
	for _, m := range f.GetMetrics() {
		if m.GetCanonical() != name {
			continue
		}
		if m.Value == nil {
			return "NaN"
		}
		return fmt.Sprintf("%.*f", d, m.GetValue())
	}
	return "-"
}

// rate is completion tokens a second of the whole step.
func rate(f *corev1.StepFacts, t *corev1.StepTiming) string {
	took := t.GetTotal().AsDuration().Seconds()
	if took <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", float64(f.GetTokensCompletion())/took)
}

// Estimate writes a score with its interval.
func Estimate(e *evaluatorv1.Estimate) string {
	if e.Value == nil {
		return fmt.Sprintf("not measured (%d rows unscored)", e.GetUnscored())
	}
	if e.GetInterval() == nil {
		return fmt.Sprintf("%.3f (n=%d)", e.GetValue(), e.GetN())
	}
	unscored := ""
	if e.GetUnscored() > 0 {
		unscored = fmt.Sprintf(", %d unscored", e.GetUnscored())
	}
	return fmt.Sprintf("%.3f [%.3f, %.3f] (n=%d%s)", e.GetValue(), e.GetInterval().GetLow(), e.GetInterval().GetHigh(), e.GetN(), unscored)
}
