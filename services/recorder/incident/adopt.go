package incident

import "github.com/provenir/provenir/services/recorder/detect"

// Adopt takes up incidents from what was told of them, oldest first, on a fresh tracker: what is open goes on under its
// name, and counts are what they were. It is for incidents that no replay of the run brings back, because a clock or the
// machine raised them. How many breaches in a row there were is not told, so an escalation begins to count anew. spans is how many attempts and stages have begun, as [Tracker.Step] is told.
func (t *Tracker) Adopt(spans uint32, told []Event) {
	t.s.Spans = spans
	for i := range told {
		ev := &told[i]
		e := t.byKey[key{ev.Kind, ev.Metric}]
		if e == nil {
			e = t.add(&detect.Signal{Kind: ev.Kind, Metric: ev.Metric}, Place{Attempt: ev.Attempt})
		}
		switch ev.What {
		case Open:
			if !e.Open {
				t.open[e.Kind]++
			}
			e.Open, e.Severity, e.Incident, e.Onset, e.Attempt = true, ev.Severity, ev.Incident, ev.Onset, ev.Attempt
			t.count(e)
			if !t.s.HasOnset {
				t.s.Onset, t.s.HasOnset = e.Onset, true
			}
		case Escalate:
			e.Severity = ev.Severity
			t.count(e)
		case Resolve:
			if !e.Open {
				continue
			}
			if t.open[e.Kind]--; t.open[e.Kind] == 0 {
				delete(t.open, e.Kind)
			}
			e.Open, e.Ended, e.EndRow = false, true, t.s.Rows
			if e.Severity >= detect.Warn {
				t.s.LastEnd, t.s.HasEnd = t.s.Rows, true
			}
		}
	}
}
