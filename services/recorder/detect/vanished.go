package detect

import (
	"slices"
	"strings"

	"github.com/provenir/provenir/services/recorder/metric"
)

const (
	vanishedAfter = 20    // reports before a metric counts as one that the run has
	vanishedFor   = 3     // periods of silence
	MaxMetrics    = 4_096 // names that are watched in a run; later ones are recorded only
)

// vanished finds a metric that was always there and is no longer. How often it is reported is learned first: some are
// logged every tenth step.
type vanished struct {
	S struct {
		Seen []presence `json:"seen"` // sorted by name
	}
	shape *metric.Shape // Seen are its names, one by one
}

type presence struct {
	Name   string `json:"name"`
	Count  uint64 `json:"count"`  // reports in this attempt
	Last   uint64 `json:"last"`   // row of the newest
	Period uint64 `json:"period"` // longest silence between two
}

func (*vanished) name() string    { return "vanished" }
func (*vanished) kinds() []string { return []string{"metric_vanished"} } // and metric_invalid, which is another's too
func (*vanished) reads() []string { return nil }
func (d *vanished) state() any    { return &d.S }
func (d *vanished) reset()        { d.S.Seen, d.shape = nil, nil }

func (d *vanished) step(f *frame) {
	open := f.isOpen("metric_vanished")
	if f.Shape != nil && f.Shape == d.shape {
		for i := range d.S.Seen {
			d.heard(f, &d.S.Seen[i], open)
		}
		d.full(f, false)
		return
	}
	next, over := 0, false // both lists are sorted: one pass
	for i := range f.Values {
		name := f.Values[i].Name
		for next < len(d.S.Seen) && d.S.Seen[next].Name < name {
			d.silent(f, &d.S.Seen[next])
			next++
		}
		if next < len(d.S.Seen) && d.S.Seen[next].Name == name {
			d.heard(f, &d.S.Seen[next], open)
			next++
			continue
		}
		if i > 0 && f.Values[i-1].Name == name {
			continue
		}
		if len(d.S.Seen) == MaxMetrics {
			over = true
			continue
		}
		d.S.Seen = slices.Insert(d.S.Seen, next, presence{Name: strings.Clone(name), Count: 1, Last: f.row, Period: 1})
		next++
	}
	for ; next < len(d.S.Seen); next++ {
		d.silent(f, &d.S.Seen[next])
	}
	d.full(f, over)
	d.shape = nil
	if f.Shape != nil && f.Shape.Unique() && len(d.S.Seen) == len(f.Values) { // all of them are this step's
		d.shape = f.Shape
	}
}

// full says that a run has more names than are watched: what is not watched must not pass for healthy.
func (d *vanished) full(f *frame, over bool) {
	switch {
	case over:
		f.signal(Signal{Kind: "metric_invalid", Level: Warn, Need: 1, Evidence: Evidence{Limit: MaxMetrics, HasLimit: true,
			Note: "names of metrics; what comes beyond them is recorded and not watched"}})
	case f.isOpen("metric_invalid"):
		f.signal(Signal{Kind: "metric_invalid", Clear: true})
	}
}

func (d *vanished) heard(f *frame, p *presence, open bool) {
	gap := f.row - p.Last
	if p.Count < vanishedAfter {
		p.Period = max(p.Period, gap)
	}
	if gap >= vanishedFor*p.Period && p.Count >= vanishedAfter || open {
		f.signal(Signal{Kind: "metric_vanished", Metric: p.Name, Clear: true})
	}
	p.Count++
	p.Last = f.row
}

func (d *vanished) silent(f *frame, p *presence) {
	if p.Count < vanishedAfter || f.row-p.Last < vanishedFor*p.Period {
		return
	}
	level := Warn
	if metric.Rewarding(p.Name) {
		level = Critical
	}
	f.signal(Signal{Kind: "metric_vanished", Metric: p.Name, Level: level, Need: 1,
		Evidence: Evidence{Value: float64(f.row - p.Last), HasValue: true, Limit: float64(vanishedFor * p.Period), HasLimit: true,
			Note: "steps without a report"}})
}
