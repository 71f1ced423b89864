package alert

import (
	"slices"
	"strings"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// severityOf reads both vocabularies; nothing is info.
func severityOf(word string) (corev1.Severity, bool) {
	switch strings.ToLower(word) {
	case "", "info", "low":
		return corev1.Severity_SEVERITY_INFO, true
	case "warn", "warning", "medium":
		return corev1.Severity_SEVERITY_WARN, true
	case "critical", "high":
		return corev1.Severity_SEVERITY_CRITICAL, true
	}
	return 0, false
}

// told is what a sink knows of an incident.
type told struct {
	severity corev1.Severity
	open     bool
}

// decide says whether an anomaly is news for a sink, and what the sink knows after it. One incident is told when it opens,
// when it gets worse than was told, and when it ends; an end only to whom it was opened. Critical passes every filter.
func (s *Sink) decide(known told, a *recorderv1.Anomaly) (bool, told) {
	passes := a.GetSeverity() >= corev1.Severity_SEVERITY_CRITICAL ||
		a.GetSeverity() >= s.least && (len(s.Kinds) == 0 || slices.Contains(s.Kinds, a.GetKind()))
	switch a.GetEvent() {
	case recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN, recorderv1.IncidentEvent_INCIDENT_EVENT_ESCALATE:
		if !passes || known.open && a.GetSeverity() <= known.severity {
			return false, known
		}
		return true, told{a.GetSeverity(), true}
	case recorderv1.IncidentEvent_INCIDENT_EVENT_RESOLVE:
		return known.open, told{known.severity, false}
	}
	return false, known
}
