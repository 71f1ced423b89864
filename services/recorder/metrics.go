package recorder

import (
	"context"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/metric"
	"github.com/provenir/provenir/services/recorder/monitor"
	"github.com/provenir/provenir/services/recorder/store"
)

const defaultPoints = 1000

// QueryMetrics reads series from the STEP records. It holds at most twice max_points of each series.
func (s *Service) QueryMetrics(ctx context.Context, req *recorderv1.QueryMetricsRequest) (*recorderv1.QueryMetricsResponse, error) {
	l, log, err := s.reading(ctx, req.GetRun(), recorderv1.Log_LOG_EVENTS)
	if err != nil {
		return nil, problem(err)
	}
	most := int(req.GetMaxPoints())
	if most == 0 {
		most = defaultPoints
	}
	q := seriesQuery{req: req, most: most, byName: map[string]*series{}}
	types := []ledger.RecordType{ledger.Step}
	if l.compares(req.GetNames()) {
		q.channels, types = &monitor.Channels{}, append(types, ledger.Verdict, ledger.HeldoutVerdict)
	}
	for f, err := range log.Events(ctx, store.Query{Types: types}) {
		if err != nil {
			return nil, problem(err)
		}
		if f.Type != ledger.Step {
			if store.Unreadable(f) == "" && f.Inline() { // of what is gone nothing is concluded, as in the monitor
				q.channels.Verdict(f.Type, f.Stored)
			}
			continue
		}
		if err := readable(log, f); err != nil {
			return nil, problem(err)
		}
		if err := q.step(f.Stored); err != nil {
			return nil, fmt.Errorf("STEP record %d: %w", f.Seq, err)
		}
	}
	return &recorderv1.QueryMetricsResponse{Series: q.result()}, nil
}

// compares tells whether series of two verdicts are wanted of a run that has some. They are worked out of all its verdicts,
// which are many more than its steps.
func (l *live) compares(names []string) bool {
	both := func(name string) bool { return name == metric.HeldoutMean || name == metric.ProxyMean }
	if len(names) > 0 && !slices.ContainsFunc(names, both) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.mon.Stats().Metrics, func(m monitor.LastMetric) bool { return both(m.Name) })
}

type seriesQuery struct {
	channels *monitor.Channels // nil where nobody asks for what it gives
	req      *recorderv1.QueryMetricsRequest
	most     int
	byName   map[string]*series
}

func (q *seriesQuery) step(payload []byte) error {
	var rec corev1.StepRecord
	var facts corev1.StepFacts
	if err := proto.Unmarshal(payload, &rec); err != nil {
		return err
	}
	if err := proto.Unmarshal(rec.GetFacts(), &facts); err != nil {
		return err
	}
	values := make([]metric.Value, 0, len(facts.GetMetrics()))
	for _, m := range facts.GetMetrics() {
		if v, ok := monitor.Value(m); ok {
			values = append(values, v)
		}
	}
	if q.channels != nil {
		values = q.channels.Step(values)
	}
	step := facts.GetStep()
	if step < q.req.GetFromStep() || q.req.GetToStep() > 0 && step >= q.req.GetToStep() {
		return nil
	}
	for _, v := range values {
		if v.Scope == "eval" || len(q.req.GetNames()) > 0 && !slices.Contains(q.req.GetNames(), v.Name) {
			continue
		}
		sr := q.byName[v.Name]
		if sr == nil {
			if len(q.byName) == detect.MaxMetrics {
				continue
			}
			sr = &series{width: 1, unit: unit(v)}
			q.byName[v.Name] = sr
		}
		sr.add(&v, step, facts.GetBranch(), q.most)
	}
	return nil
}

func unit(v metric.Value) string {
	if v.Unit != "" {
		return v.Unit
	}
	spec, _ := metric.Lookup(v.Name)
	return spec.Unit
}

func (q *seriesQuery) result() []*recorderv1.Series {
	var out []*recorderv1.Series
	for name, sr := range q.byName {
		out = append(out, &recorderv1.Series{Name: name, Unit: sr.unit, Points: sr.finish(q.most)})
	}
	slices.SortFunc(out, func(a, b *recorderv1.Series) int {
		if a.GetName() < b.GetName() {
			return -1
		}
		return 1
	})
	return out
}

// series averages neighbours when there are too many points: whenever twice the wanted number is reached, pairs become
// one. A value that is not finite, or of another attempt, is never averaged: it stays a point of its own.
type series struct {
	unit   string
	width  uint32 // values a full point stands for
	points []*recorderv1.Point
}

func (s *series) add(v *metric.Value, step uint64, attempt uint32, most int) {
	p := &recorderv1.Point{Step: step, Attempt: attempt, N: 1}
	if v.Finite() {
		x := v.X
		p.Value = &x
	} else {
		p.NonFinite = monitor.NonFinite(v.X)
	}
	if k := len(s.points) - 1; k >= 0 && s.points[k].GetN()+p.GetN() <= s.width && mergeable(s.points[k], p) {
		merge(s.points[k], p)
		return
	}
	if s.points = append(s.points, p); len(s.points) >= 2*most {
		s.halve()
	}
}

func (s *series) halve() {
	s.width *= 2
	out := s.points[:0]
	for _, p := range s.points {
		if k := len(out) - 1; k >= 0 && out[k].GetN()+p.GetN() <= s.width && mergeable(out[k], p) {
			merge(out[k], p)
			continue
		}
		out = append(out, p)
	}
	clear(s.points[len(out):])
	s.points = out
}

func mergeable(a, b *recorderv1.Point) bool {
	return a.Value != nil && b.Value != nil && a.GetAttempt() == b.GetAttempt()
}

func merge(into, p *recorderv1.Point) {
	n := into.GetN() + p.GetN()
	mean := into.GetValue() + (p.GetValue()-into.GetValue())*float64(p.GetN())/float64(n)
	into.Value, into.N = &mean, n
}

// finish brings the series down to the wanted number, as far as its points can be averaged.
func (s *series) finish(most int) []*recorderv1.Point {
	for before := -1; len(s.points) > most && len(s.points) != before; {
		before = len(s.points)
		s.halve()
	}
	return s.points
}
