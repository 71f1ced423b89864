package detect

import (
	"slices"
	"strings"

	"github.com/provenir/provenir/services/recorder/metric"
)

// tags finds a quantity that is made in another way from one step to the next: another estimator, reduction or unit under
// the same name. Values with other tags are never compared, so whoever reads the quantity begins anew.
type tags struct {
	S struct {
		Seen []tagged `json:"seen"` // sorted by name; names of the vocabulary only, so the list is bounded
	}
	shape *metric.Shape // whose tags were compared last
}

type tagged struct {
	Name      string `json:"name"`
	Estimator string `json:"estimator"`
	Reduction string `json:"reduction"`
	Unit      string `json:"unit"`
}

func (*tags) name() string    { return "tags" }
func (*tags) kinds() []string { return []string{"metric_invalid"} }
func (*tags) reads() []string { return nil }
func (d *tags) state() any    { return &d.S }
func (d *tags) reset()        { d.S.Seen, d.shape = nil, nil }

func (d *tags) step(f *frame) {
	if f.Shape != nil && f.Shape == d.shape {
		return
	}
	d.shape = f.Shape
	next := 0
	for i := range f.Values {
		v := &f.Values[i]
		if v.Scope == "eval" || v.Estimator == "" && v.Reduction == "" && v.Unit == "" {
			continue
		}
		for next < len(d.S.Seen) && d.S.Seen[next].Name < v.Name {
			next++
		}
		if next == len(d.S.Seen) || d.S.Seen[next].Name != v.Name {
			if _, known := metric.Lookup(v.Name); known {
				d.S.Seen = slices.Insert(d.S.Seen, next, taggedOf(v))
			}
			continue
		}
		d.compare(f, &d.S.Seen[next], v)
	}
}

func taggedOf(v *metric.Value) tagged {
	return tagged{strings.Clone(v.Name), strings.Clone(v.Estimator), strings.Clone(v.Reduction), strings.Clone(v.Unit)}
}

func (d *tags) compare(f *frame, was *tagged, v *metric.Value) {
	for _, pair := range [3][3]string{{"estimator", was.Estimator, v.Estimator}, {"reduction", was.Reduction, v.Reduction}, {"unit", was.Unit, v.Unit}} {
		what, before, now := pair[0], pair[1], pair[2]
		if before == now || before == "" || now == "" { // unknown is no other one
			continue
		}
		f.signal(Signal{Kind: "metric_invalid", Metric: v.Name, Level: Warn, Need: 1, Evidence: Evidence{Value: v.X, HasValue: v.Finite(),
			Note: "its " + what + " was " + before + " and is " + now + ": another quantity under the same name; comparisons begin anew"}})
		f.retagged = append(f.retagged, v.Name)
		*was = taggedOf(v)
		return
	}
}
