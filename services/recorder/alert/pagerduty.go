package alert

import (
	"context"
	"encoding/json"
	"net/http"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// pagerSeverity are PagerDuty's words.
var pagerSeverity = map[corev1.Severity]string{
	corev1.Severity_SEVERITY_INFO: "info", corev1.Severity_SEVERITY_WARN: "warning", corev1.Severity_SEVERITY_CRITICAL: "critical",
}

// pagerDutyRequest is an event of Events API v2. The incident is the dedup key, so an escalation joins its opening and the
// end resolves it there.
func pagerDutyRequest(ctx context.Context, s *Sink, m message) (*http.Request, error) {
	it := m.items[0] // never a digest: it would have no incident that could be resolved
	a := it.anomaly
	event := map[string]any{"routing_key": s.secret, "event_action": "trigger", "dedup_key": a.GetIncident()}
	if eventOf(a) == "resolve" {
		event["event_action"] = "resolve"
	} else {
		event["payload"] = map[string]any{
			"summary": cut(it.summary(), 1024), "source": "run " + a.GetRun(), "severity": pagerSeverity[a.GetSeverity()],
			"class": a.GetKind(), "component": it.tenant, "custom_details": webhookAlertOf(it),
		}
	}
	b, err := json.Marshal(event)
	if err != nil {
		return nil, err
	}
	return post(ctx, s.URL, b)
}
