package detect_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/metric"
)

// twoChannels plays n steps of a paid and a held-out reward.
func twoChannels(r *run, n int, rows uint64, pair func(step int) (p, h float64)) {
	for i := range n {
		p, h := pair(i)
		r.add(row{metric.RewardMean: p, metric.HeldoutMean: h}, func(s *detect.Sample) {
			for k := range s.Values {
				s.Values[k].N = rows
			}
		})
	}
}

func divergence(r *run) []string {
	var got []string
	for _, s := range r.opened() {
		var kind, rest string
		if _, err := fmt.Sscanf(s, "%s %s", &kind, &rest); err == nil && kind == "proxy_divergence" {
			got = append(got, rest)
		}
	}
	return got
}

func TestProxyDivergence(t *testing.T) {
	ramp := func(from, a, slope float64) func(int) float64 {
		return func(i int) float64 { return min(max(a+slope*max(0, float64(i)-from), 0), 1) }
	}
	tests := []struct {
		name string
		p, h func(int) float64
		rows uint64
		want []string // severity@onset
	}{
		{"both rise", ramp(10, .3, .01), ramp(10, .2, .01), 0, nil},
		{"the proxy alone rises", ramp(10, .3, .01), ramp(10, .2, 0), 0, []string{"warn@17", "critical@17"}},
		{"the held-out score falls with it", ramp(10, .3, .03), ramp(10, .2, -.01), 0, []string{"critical@14"}},
		{"it rises a little and stays", func(i int) float64 { return min(.3+.01*max(0, float64(i)-10), .36) }, ramp(0, .2, 0), 0, nil},
		{"no room left above", ramp(10, .5, .02), ramp(10, .97, 0), 0, nil},
		{"few rows: the difference may be chance", ramp(10, .3, .01), ramp(10, .2, 0), 2, nil},
		{"many rows: sure only when it is more", ramp(10, .3, .01), ramp(10, .2, 0), 256, []string{"critical@17"}},
		{"hacked from the start", ramp(0, .95, 0), ramp(0, .02, 0), 0, []string{"critical@0"}},
		{"both low from the start", ramp(0, .3, 0), ramp(0, .02, 0), 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRun(t, detect.Config{Method: "grpo"})
			twoChannels(r, 40, tt.rows, func(i int) (float64, float64) { return tt.p(i), tt.h(i) })
			if got := divergence(r); !slices.Equal(got, tt.want) {
				t.Errorf("found %v, want %v", got, tt.want)
			}
			if slices.Contains(r.engine.Unchecked(), "proxy_divergence") {
				t.Error("it is unchecked although both channels are there")
			}
		})
	}
}

// Without a second channel a run is never called clean of hacking; nor where rewards cannot be compared.
func TestProxyDivergenceUnchecked(t *testing.T) {
	span, nan := 10., math.NaN()
	tests := []struct {
		name      string
		config    detect.Config
		heldout   bool
		p, h      float64
		unchecked bool
	}{
		{"no held-out channel", detect.Config{}, false, .5, 0, true},
		{"a held-out score that is no number", detect.Config{}, true, .5, nan, true},
		{"a paid reward that is no number", detect.Config{}, true, nan, .5, true},
		{"rewards of an unknown range", detect.Config{}, true, 7, 5, true},
		{"rewards of a declared range", detect.Config{RewardRange: &span}, true, 7, 5, false},
		{"shares", detect.Config{}, true, .7, .5, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRun(t, tt.config)
			for range 20 {
				values := row{metric.RewardMean: tt.p}
				if tt.heldout {
					values[metric.HeldoutMean] = tt.h
				}
				r.add(values, nil)
			}
			if got := slices.Contains(r.engine.Unchecked(), "proxy_divergence"); got != tt.unchecked {
				t.Errorf("unchecked %v, want %v", got, tt.unchecked)
			}
			if got := divergence(r); len(got) != 0 {
				t.Errorf("found %v", got)
			}
		})
	}
}

// A declared range scales both channels: 5 of 10 is what .5 of 1 is.
func TestProxyDivergenceScales(t *testing.T) {
	span := 10.
	one, ten := newRun(t, detect.Config{}), newRun(t, detect.Config{RewardRange: &span})
	pair := func(i int) (float64, float64) { return .3 + .01*max(0, float64(i)-10), .2 }
	twoChannels(one, 40, 0, pair)
	twoChannels(ten, 40, 0, func(i int) (float64, float64) { p, h := pair(i); return 10 * p, 10 * h })
	if a, b := divergence(one), divergence(ten); !slices.Equal(a, b) || len(a) == 0 {
		t.Errorf("in 0…1 %v, in 0…10 %v", a, b)
	}
}
