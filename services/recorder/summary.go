package recorder

import (
	"cmp"
	"context"
	"slices"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/monitor"
)

// GetRunSummary sums up what is known of a run.
func (s *Service) GetRunSummary(ctx context.Context, req *recorderv1.GetRunSummaryRequest) (*recorderv1.GetRunSummaryResponse, error) {
	l, err := s.get(ctx, tenant(ctx), req.GetRun(), false)
	if err != nil {
		return nil, problem(err)
	}
	sum := l.summary()
	for _, kind := range ledger.Logs {
		if _, note := l.log(kind).Checkpoint(); note != nil {
			c, err := checkpoint(l.log(kind))
			if err != nil {
				return nil, problem(err)
			}
			sum.Checkpoints = append(sum.Checkpoints, c)
		}
	}
	return &recorderv1.GetRunSummaryResponse{Summary: sum}, nil
}

func (l *live) summary() *recorderv1.RunSummary {
	l.mu.Lock()
	defer l.mu.Unlock()
	st, tr := l.mon.Stats(), l.mon.Incidents()
	sum := &recorderv1.RunSummary{
		Verdict: string(worse(worse(tr.Verdict(l.mon.Readable()), l.clocked.Verdict(true)), l.insp.known.verdict)),
		Worst:   monitor.Severity(max(tr.Worst(), l.clocked.Worst(), l.insp.known.worst)),
		Counts:  counts(tr.Counts(), l.clocked.Counts(), l.insp.known.counts), Attempts: l.mon.Attempts(),
		Steps: st.Steps, Rollouts: st.Rollouts, Unscored: st.Unscored, TimeDependent: st.TimeDependent,
		Unchecked: append(l.mon.Unchecked(), l.insp.known.unchecked...), Complete: l.run.Sealed(),
	}
	slices.Sort(sum.Unchecked)
	if step, ok := tr.FirstOnset(); ok {
		sum.FirstOnset = &step
	}
	if at := l.insp.known.onset; at != nil && (sum.FirstOnset == nil || *at < sum.GetFirstOnset()) {
		sum.FirstOnset = at
	}
	if t := l.insp.known.totals; t.Inspected > 0 {
		sum.Inspected, sum.Hacked = &t.Inspected, &t.Hacked
	}
	for i := range st.Metrics {
		m := &st.Metrics[i]
		sum.Metrics = append(sum.Metrics, &recorderv1.LastMetric{Metric: m.Proto(), Step: m.Step})
	}
	return sum
}

// worse joins the verdicts of what the events say and of what the clock says. The clock alone cannot make a run healthy.
func worse(events, clock incident.Verdict) incident.Verdict {
	rank := map[incident.Verdict]int{incident.Degraded: 1, incident.Unhealthy: 2}
	if rank[clock] > rank[events] {
		return clock
	}
	return events
}

func counts(lists ...[]incident.Count) []*recorderv1.KindCount {
	var out []*recorderv1.KindCount
	for _, list := range lists {
		for _, c := range list {
			out = append(out, &recorderv1.KindCount{Kind: c.Kind, Severity: corev1.Severity(c.Severity), Incidents: c.Incidents})
		}
	}
	slices.SortFunc(out, func(a, b *recorderv1.KindCount) int {
		return cmp.Or(cmp.Compare(a.GetKind(), b.GetKind()), cmp.Compare(a.GetSeverity(), b.GetSeverity()))
	})
	return out
}
