package publish

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/outbox"
)

// Headers of an anomaly's message. The CloudEvents attributes follow the NATS binding's prefix.
const (
	HeaderSchema     = "Provenir-Schema"
	HeaderSeq        = "Provenir-Ledger-Seq" // of the finding, in the log findings
	HeaderCheckpoint = "Provenir-Checkpoint" // signed note that covers it, base64: header values are one line

	HeaderTrace = "traceparent" // W3C trace context of the call that brought the step; missing where it had none

	eventType = "dev.provenir.anomaly.v1"
	schema    = "provenir.recorder.v1.Anomaly"
)

// Messenger makes messages. Source names this recorder in CloudEvents.
type Messenger struct {
	Source string
	Clock  clock.Clock
}

// Message is what goes out for an anomaly: the body is the anomaly, the headers say where it is in the ledger, so that a
// subscriber can ask for the proof.
func (m Messenger) Message(tenant string, a *recorderv1.Anomaly, body, checkpoint []byte) outbox.Message {
	out := outbox.Message{
		ID:      a.GetUid(),
		Subject: Subject(tenant, a),
		Body:    body,
		Headers: map[string]string{
			"ce-specversion": "1.0",
			"ce-id":          a.GetUid(),
			"ce-source":      m.Source,
			"ce-type":        eventType,
			"ce-subject":     a.GetRun(),
			"ce-time":        m.Clock.Now().UTC().Format(time.RFC3339Nano),
			"content-type":   "application/protobuf",
			HeaderSchema:     schema,
			HeaderSeq:        strconv.FormatUint(a.GetFindingSeq(), 10),
			HeaderCheckpoint: base64.StdEncoding.EncodeToString(checkpoint),
		},
	}
	if t := a.GetTraceparent(); t != "" {
		out.Headers[HeaderTrace] = t
	}
	return out
}

// Subject is provenir.v1.<tenant>.anomaly.<severity>.<kind>.<run>.
func Subject(tenant string, a *recorderv1.Anomaly) string {
	return strings.Join([]string{"provenir.v1", token(tenant), "anomaly", SeverityName(a.GetSeverity()), token(a.GetKind()), token(a.GetRun())}, ".")
}

// SeverityName is the word in subjects.
func SeverityName(s corev1.Severity) string {
	return strings.ToLower(strings.TrimPrefix(s.String(), "SEVERITY_"))
}

// token keeps a name one token of a subject: dots would make it two, wildcards and blanks are not allowed.
func token(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '.', '*', '>', ' ', '\t':
			return '_'
		}
		return r
	}, s)
}
