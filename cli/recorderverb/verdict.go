package recorderverb

import (
	"fmt"
	"strings"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

type verdictJSON struct {
	Verdict    string         `json:"verdict"`
	Worst      string         `json:"worst,omitempty"`
	Incidents  []incidentJSON `json:"incidents"`
	FirstOnset *uint64        `json:"first_onset,omitempty"`
	Roles      rolesJSON      `json:"roles"`
	Engine     string         `json:"engine"`
	Method     string         `json:"method"`
	Attempts   uint32         `json:"attempts"`
	Unchecked  []string       `json:"unchecked"`
	Rows       uint64         `json:"rows"`
	Steps      uint64         `json:"steps"`
	Problems   uint64         `json:"problems"`
	Notes      []string       `json:"notes,omitempty"`
}

type rolesJSON struct {
	Proxy   string `json:"proxy,omitempty"`
	Heldout string `json:"heldout,omitempty"`
}

type incidentJSON struct {
	Incident string  `json:"incident"`
	Kind     string  `json:"kind"`
	Metric   string  `json:"metric,omitempty"`
	Severity string  `json:"severity"`
	Onset    uint64  `json:"onset"`
	Opened   uint64  `json:"opened"`
	Resolved *uint64 `json:"resolved"` // null while it is open
	Attempt  uint32  `json:"attempt"`
	Detail   string  `json:"detail"`
	Flaps    uint32  `json:"flaps,omitempty"`
}

func verdictLine(v *recorderv1.LogVerdict) verdictJSON {
	out := verdictJSON{Verdict: v.GetVerdict(), Incidents: []incidentJSON{}, FirstOnset: v.FirstOnset, Engine: v.GetEngine(), Method: v.GetMethod(),
		Roles:    rolesJSON{v.GetRoles().GetProxy(), v.GetRoles().GetHeldout()},
		Attempts: v.GetAttempts(), Unchecked: append([]string{}, v.GetUnchecked()...), Rows: v.GetRows(), Steps: v.GetSteps(), Problems: v.GetProblems(), Notes: v.GetNotes()}
	if v.GetWorst() != 0 {
		out.Worst = severity(v.GetWorst())
	}
	for _, i := range v.GetIncidents() {
		out.Incidents = append(out.Incidents, incidentJSON{i.GetUid(), i.GetKind(), i.GetMetric(), severity(i.GetSeverity()), i.GetOnsetStep(), i.GetOpenedStep(),
			i.ResolvedStep, i.GetAttempt(), i.GetDetail(), i.GetFlaps()})
	}
	return out
}

func verdictText(v *recorderv1.LogVerdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d steps of %s (%s), %d incidents", v.GetVerdict(), v.GetSteps(), v.GetEngine(), v.GetMethod(), len(v.GetIncidents()))
	if v.FirstOnset != nil {
		fmt.Fprintf(&b, ", the first since step %d", v.GetFirstOnset())
	}
	for _, i := range v.GetIncidents() {
		end := "open"
		if i.ResolvedStep != nil {
			end = fmt.Sprintf("until step %d", i.GetResolvedStep())
		}
		fmt.Fprintf(&b, "\n  %-8s %-20s since step %d, %s", severity(i.GetSeverity()), i.GetKind(), i.GetOnsetStep(), end)
	}
	if r := v.GetRoles(); r.GetHeldout() != "" {
		fmt.Fprintf(&b, "\n  paid %s, true %s", r.GetProxy(), r.GetHeldout())
	}
	for _, n := range v.GetNotes() {
		b.WriteString("\n  note: " + n)
	}
	if len(v.GetUnchecked()) > 0 {
		b.WriteString("\n  not checked, because nothing was there to read: " + strings.Join(v.GetUnchecked(), ", "))
	}
	return b.String()
}
