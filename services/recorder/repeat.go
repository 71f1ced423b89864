package recorder

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/store"
)

// repeat gives what steps opened or escalated when they were first observed. A writer that was killed before its gate
// decided sends the step again, and must be told the same. The log is read from the end: findings are few, and a writer
// goes back a step or two. The caller holds mu.
func (l *live) repeat(ctx context.Context, steps []uint64) ([]*recorderv1.Anomaly, error) {
	findings := l.log(ledger.Findings)
	var out []*recorderv1.Anomaly
	for to := findings.Durable(); to > 0; {
		from := to - min(to, stateWindow)
		older := false
		var page []*recorderv1.Anomaly
		for f, err := range findings.Events(ctx, store.Query{From: from, To: to, Types: []ledger.RecordType{ledger.Anomaly}}) {
			if err != nil {
				return nil, fmt.Errorf("read the findings of run %s: %w", l.run.ID, err)
			}
			a := &recorderv1.Anomaly{}
			if err := proto.Unmarshal(f.Stored, a); err != nil {
				return nil, fmt.Errorf("finding %d of run %s: %w", f.Seq, l.run.ID, err)
			}
			older = older || a.GetSeq() < steps[0]
			if slices.Contains(steps, a.GetSeq()) && l.tells(a) {
				seq := f.Seq
				a.FindingSeq = &seq
				page = append(page, a)
			}
		}
		out = append(page, out...)
		if older {
			break
		}
		to = from
	}
	return out, nil
}

// tells says whether a writer hears of an anomaly.
func (l *live) tells(a *recorderv1.Anomaly) bool {
	switch a.GetEvent() {
	case recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN, recorderv1.IncidentEvent_INCIDENT_EVENT_ESCALATE:
		return !clockKinds[a.GetKind()] && (l.insp.strict || !slices.Contains(detect.OfRollouts(), a.GetKind()))
	}
	return false
}
