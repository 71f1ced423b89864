package detect

import "github.com/provenir/provenir/services/recorder/metric"

// invalid finds values that cannot be what their name says: a negative norm, a fraction above 1.
type invalid struct{}

func (*invalid) name() string    { return "invalid" }
func (*invalid) kinds() []string { return []string{"metric_invalid"} }
func (*invalid) reads() []string { return nil }
func (*invalid) state() any      { return &struct{}{} }
func (*invalid) reset()          {}

func (*invalid) step(f *frame) {
	open := f.isOpen("metric_invalid")
	if f.sane && !open {
		return
	}
	for i := range f.Values {
		v := &f.Values[i]
		if problem := metric.Problem(*v); problem != "" {
			f.signal(Signal{Kind: "metric_invalid", Metric: v.Name, Level: Warn, Need: 1,
				Evidence: Evidence{Value: v.X, HasValue: true, Note: problem}})
		} else if open && v.Finite() {
			f.signal(Signal{Kind: "metric_invalid", Metric: v.Name, Clear: true})
		}
	}
}
