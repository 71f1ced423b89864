package detect

import (
	"math"

	"github.com/provenir/provenir/services/recorder/metric"
)

// nonFinite finds NaN and infinities, in any metric, known or not.
type nonFinite struct{}

func (*nonFinite) name() string    { return "non_finite" }
func (*nonFinite) kinds() []string { return []string{"non_finite"} }
func (*nonFinite) reads() []string { return nil }
func (*nonFinite) state() any      { return &struct{}{} }
func (*nonFinite) reset()          {}

func (*nonFinite) step(f *frame) {
	open := f.isOpen("non_finite")
	if f.sane && !open {
		return
	}
	for i := range f.Values {
		v := &f.Values[i]
		s := Signal{Kind: "non_finite", Metric: v.Name, Need: 1, Clear: true}
		if !v.Finite() {
			spec, _ := metric.Lookup(v.Name)
			s.Clear, s.Level = false, Warn
			if spec.Vital {
				s.Level = Critical
			}
			switch {
			case math.IsNaN(v.X):
				s.Evidence.Note = "NaN"
			case v.X > 0:
				s.Evidence.Note = "+Inf"
			default:
				s.Evidence.Note = "-Inf"
			}
		} else if !open {
			continue // nothing to end: the usual case costs nothing
		}
		f.signal(s)
	}
}
