package run

import (
	"strings"
	"time"

	"github.com/provenir/provenir/cli/app"
	"github.com/provenir/provenir/cli/live"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// printTracked shows the run of a tracker: what it said, and nothing in the place of what it did not say.
func printTracked(a *app.App, r *orchestratorv1.Run) {
	t := r.GetTracked()
	a.Print("run       %s  %s", r.GetUid(), t.GetName())
	a.Print("state     %s", lower(r.GetState().String(), "RUN_STATE_"))
	a.Print("recorded  by a tracker%s: numbers, rewards and evaluations are its caller's", from(t))
	for _, x := range []struct{ label, text string }{{"method", t.GetMethod()}, {"model", t.GetModel()}} {
		if x.text != "" {
			a.Print("%-9s %s, as its caller said", x.label, x.text)
		}
	}
	a.Print("progress  %d steps, %d rollouts", t.GetSteps(), t.GetRollouts())
	if t.GetPrivacy() == recorderv1.Privacy_PRIVACY_SALTED {
		a.Print("privacy   salted: `%s ledger erase` destroys a group", app.Command())
	}
	if t.GetConfig() != "" {
		a.Print("config    %s", t.GetConfig())
	}
	for _, e := range r.GetEvaluations() {
		for _, x := range e.GetEstimates() {
			a.Print("eval      after step %d: %s %s, %s", e.GetStep(), x.GetMetric(), live.Estimate(x), x.GetDefinition())
		}
	}
	for _, w := range r.GetWarnings() {
		a.Print("warning   %s", w)
	}
	a.Print("created   %s", r.GetCreateTime().AsTime().Local().Format(time.DateTime))
	if d, ok := live.Took(r); ok {
		a.Print("took      %s by the tracker's clock", d)
	}
	if len(r.GetEventsRoot()) > 0 {
		a.Print("root      %x", r.GetEventsRoot())
	}
	if r.GetPassport() != "" {
		a.Print("passport  %s in %s", r.GetPassport(), r.GetPassportFolder())
	}
}

func from(t *recorderv1.TrackedRun) string {
	var parts []string
	if t.GetSdk() != "" {
		parts = append(parts, "provenir "+t.GetSdk())
	}
	if t.GetHost() != "" {
		parts = append(parts, "on "+t.GetHost())
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, " ") + ")"
}
