package monitor

import (
	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
)

// Anomaly is an incident's event as subscribers get it.
func Anomaly(run string, e incident.Event) *recorderv1.Anomaly {
	a := &recorderv1.Anomaly{
		Uid: e.UID, Run: run, Seq: e.Seq, Step: e.Step, Attempt: e.Attempt, Kind: e.Kind, Severity: Severity(e.Severity),
		Event: recorderv1.IncidentEvent(e.What), Incident: e.Incident, OnsetStep: e.Onset, Detail: e.Detail,
		Detector: e.Kind, DetectorVersion: detect.Version,
	}
	ev := e.Evidence
	if ev.HasValue || ev.HasLimit || ev.HasBaseline || ev.Note != "" || e.Metric != "" {
		out := &recorderv1.Evidence{Metric: e.Metric, Note: ev.Note}
		if ev.HasValue {
			out.Value = &ev.Value
		}
		if ev.HasLimit {
			out.Limit = &ev.Limit
		}
		if ev.HasBaseline {
			out.Baseline = &ev.Baseline
		}
		a.Evidence = []*recorderv1.Evidence{out}
	}
	return a
}

// EventOf reads back what [Anomaly] wrote; the evidence but for its metric is left out.
func EventOf(a *recorderv1.Anomaly) incident.Event {
	e := incident.Event{UID: a.GetUid(), Incident: a.GetIncident(), What: incident.What(a.GetEvent()), Kind: a.GetKind(),
		Severity: detect.Severity(a.GetSeverity()), Seq: a.GetSeq(), Step: a.GetStep(), Onset: a.GetOnsetStep(), Attempt: a.GetAttempt(), Detail: a.GetDetail()}
	if len(a.GetEvidence()) > 0 {
		e.Metric = a.GetEvidence()[0].GetMetric()
	}
	return e
}

// Severity translates; the numbers agree by design.
func Severity(s detect.Severity) corev1.Severity { return corev1.Severity(s) }
