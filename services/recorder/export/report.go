package export

import (
	_ "embed"
	"html/template"
	"io"
	"slices"
	"strings"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

//go:embed report.html
var reportText string

// page is what the template sees.
type page struct {
	Run       string
	Verdict   string
	Complete  bool
	Summary   *recorderv1.RunSummary
	Worst     string
	Onset     string
	Charts    []chart
	Incidents []Incident
	Metrics   []lastRow
	Logs      []Log
	Unchecked []string
	Missing   []string

	Tracked      *recorderv1.TrackedRun // nil where the mesh trained it
	TrackedState string
}

type lastRow struct {
	Name, Value, Unit string
	Step              uint64
}

// writeHTML writes one file that needs no network: a policy in it forbids scripts and everything from outside, and
// html/template escapes whatever a run wrote for the place where it stands.
func writeHTML(w io.Writer, r *Run) error {
	t, err := template.New("report").Funcs(template.FuncMap{"severity": severity}).Parse(reportText)
	if err != nil {
		return err
	}
	return t.Execute(w, pageOf(r))
}

func pageOf(r *Run) page {
	s := r.Summary
	p := page{Run: r.ID, Verdict: s.GetVerdict(), Complete: s.GetComplete(), Summary: s, Incidents: r.Incidents, Logs: r.Logs,
		Unchecked: s.GetUnchecked(), Worst: "none", Tracked: r.Tracked, TrackedState: trackedState(r.Tracked)}
	if s.GetWorst() != corev1.Severity_SEVERITY_UNSPECIFIED {
		p.Worst = severity(s.GetWorst())
	}
	if p.Verdict == "" {
		p.Verdict = "not known"
	}
	for _, c := range charted {
		found := false
		for _, series := range r.Charts {
			if slices.Contains(c.names, series.GetName()) && len(series.GetPoints()) > 0 {
				p.Charts = append(p.Charts, newChart(c.title, series, r.Incidents))
				found = true
			}
		}
		if !found {
			p.Missing = append(p.Missing, c.title+": no step of the run has "+strings.Join(c.names, " or ")+", so there is no plot. It is not zero.")
		}
	}
	p.Missing = append(p.Missing, missing(r)...)
	for _, m := range s.GetMetrics() {
		p.Metrics = append(p.Metrics, lastRow{Name: m.GetMetric().GetCanonical(), Value: lastValue(m.GetMetric()), Unit: m.GetMetric().GetUnit(), Step: m.GetStep()})
	}
	return p
}

// trackedState says how a tracked run stands, by its tracker's word.
func trackedState(t *recorderv1.TrackedRun) string {
	switch t.GetState() {
	case recorderv1.TrackedState_TRACKED_STATE_WRITING:
		return "It is being written."
	case recorderv1.TrackedState_TRACKED_STATE_SILENT:
		return "It has no end, and nobody writes it."
	case recorderv1.TrackedState_TRACKED_STATE_BROKEN:
		return "It ended before its work was done" + because(t.GetError()) + "."
	case recorderv1.TrackedState_TRACKED_STATE_UNREADABLE:
		return "How it ended was erased or is damaged."
	}
	if t.GetPartial() {
		return "It came to its end, and not all of it could be recorded."
	}
	return "It came to its end by its tracker's word."
}

func because(err string) string {
	if err == "" {
		return ""
	}
	return " (" + err + ")"
}

func missing(r *Run) []string {
	var out []string
	if len(r.Logs) == 0 {
		out = append(out, "Checkpoints: no log of the run has a signed one yet.")
	}
	if !r.Summary.GetComplete() {
		out = append(out, "The end: the run is not sealed, so the report is of a part of it.")
	}
	return append(out, "Passport: unchecked. The recorder holds none; `provenir passport verify` checks the one that governance issued.")
}

func lastValue(m *corev1.Metric) string {
	switch {
	case m.GetNonFinite() != corev1.NonFinite_NON_FINITE_UNSPECIFIED:
		return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(m.GetNonFinite().String(), "NON_FINITE_"), "_", " "))
	case m.Value != nil:
		return number(m.GetValue())
	}
	return "absent"
}
