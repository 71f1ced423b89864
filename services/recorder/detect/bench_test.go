package detect_test

import (
	"slices"
	"testing"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/metric"
)

// BenchmarkStep is one step of 30 metrics through all detectors.
func BenchmarkStep(b *testing.B) {
	p, err := detect.NewProfile(detect.Config{})
	if err != nil {
		b.Fatal(err)
	}
	h := newHealthy(1)
	samples := make([]detect.Sample, 256)
	for i := range samples {
		s := &samples[i]
		for name, x := range h.at(uint64(i)) {
			s.Values = append(s.Values, metric.Value{Name: name, X: x})
		}
		for _, name := range metric.Names() {
			if len(s.Values) < 30 && !slices.ContainsFunc(s.Values, func(v metric.Value) bool { return v.Name == name }) {
				s.Values = append(s.Values, metric.Value{Name: name, X: 0.5})
			}
		}
		slices.SortFunc(s.Values, func(a, b metric.Value) int {
			if a.Name < b.Name {
				return -1
			}
			return 1
		})
	}
	e := detect.NewEngine(p)
	none := func(string) bool { return false }
	shape := metric.NewShape(samples[0].Values)
	for i := range samples {
		samples[i].Shape = shape
	}
	var out []detect.Signal
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		s := &samples[i%len(samples)]
		s.Step, s.Digest[0], s.Digest[1] = uint64(i), byte(i), byte(i>>8)
		out = e.Step(out[:0], s, none)
	}
}
