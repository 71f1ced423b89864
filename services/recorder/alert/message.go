package alert

import (
	"fmt"
	"strings"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/publish"
)

// message is one call of a sink: one anomaly, or several as a digest. Its id stays the same over tries.
type message struct {
	id    string
	items []item
}

type item struct {
	tenant  string
	anomaly *recorderv1.Anomaly
}

func (m message) digest() bool { return len(m.items) > 1 }

func (m message) severity() corev1.Severity {
	worst := corev1.Severity_SEVERITY_UNSPECIFIED
	for _, it := range m.items {
		worst = max(worst, it.anomaly.GetSeverity())
	}
	return worst
}

func eventOf(a *recorderv1.Anomaly) string {
	return strings.ToLower(strings.TrimPrefix(a.GetEvent().String(), "INCIDENT_EVENT_"))
}

// summary is one line for people.
func (it item) summary() string {
	a := it.anomaly
	verb := map[string]string{"open": "", "escalate": "got worse: ", "resolve": "resolved: "}[eventOf(a)]
	return fmt.Sprintf("[%s] %s%s in run %s at step %d: %s", publish.SeverityName(a.GetSeverity()), verb, a.GetKind(), a.GetRun(), a.GetStep(), a.GetDetail())
}

func (m message) summary() string {
	if !m.digest() {
		return m.items[0].summary()
	}
	return fmt.Sprintf("[%s] %d alerts at once; the rate limit made one message of them", publish.SeverityName(m.severity()), len(m.items))
}

// cut shortens a text to a number of runes and shows that it did.
func cut(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}
