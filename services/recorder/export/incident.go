package export

import (
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// Incident is what became of one, from its first anomaly to its last.
type Incident struct {
	ID       string
	Kind     string
	Metric   string // empty where no single metric showed it
	Severity corev1.Severity
	Attempt  uint32
	Onset    uint64
	Opened   uint64
	Resolved *uint64 // nil while it is open
	Detail   string  // of the worst moment
}

// Fold makes incidents of anomalies, in the order in which they were first seen.
func Fold(anomalies []*recorderv1.Anomaly) []Incident {
	at := map[string]int{}
	var out []Incident
	for _, a := range anomalies {
		i, seen := at[a.GetIncident()]
		if !seen {
			i = len(out)
			at[a.GetIncident()] = i
			out = append(out, Incident{ID: a.GetIncident(), Kind: a.GetKind(), Attempt: a.GetAttempt(), Onset: a.GetOnsetStep(), Opened: a.GetStep()})
		}
		out[i].add(a)
	}
	return out
}

func (in *Incident) add(a *recorderv1.Anomaly) {
	in.Resolved = nil
	if a.GetEvent() == recorderv1.IncidentEvent_INCIDENT_EVENT_RESOLVE {
		step := a.GetStep()
		in.Resolved = &step
	}
	if a.GetSeverity() > in.Severity { // what a resolve says about the end does not hide what was wrong
		in.Severity, in.Detail = a.GetSeverity(), a.GetDetail()
	}
	if in.Metric == "" && len(a.GetEvidence()) > 0 {
		in.Metric = a.GetEvidence()[0].GetMetric()
	}
}
