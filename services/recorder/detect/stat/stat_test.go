package stat_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/provenir/provenir/services/recorder/detect/stat"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
		t.Errorf("%s = %g, want %g", what, got, want)
	}
}

func TestMedianMAD(t *testing.T) {
	tests := []struct {
		name   string
		in     []float64
		m, mad float64
	}{
		{"odd", []float64{3, 1, 2}, 2, 1},
		{"even", []float64{4, 1, 3, 2}, 2.5, 1},
		{"one outlier", []float64{1, 1, 1, 1, 1000}, 1, 0},
		{"near the float range", []float64{1.7e308, 1.7e308}, 1.7e308, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, mad := stat.MedianMAD(tt.in)
			near(t, "median", m, tt.m)
			near(t, "mad", mad, tt.mad)
		})
	}
	if !math.IsNaN(stat.Median(nil)) {
		t.Error("the median of nothing is not a number")
	}
}

func TestBaseline(t *testing.T) {
	var b stat.Baseline
	for i, x := range []float64{1, 1.2, 0.8, 50} {
		if b.Add(x, 0.01); b.Ready() || b.Z(99) != 0 {
			t.Errorf("ready after %d values", i+1)
		}
	}
	b.Add(1, 0.01)
	near(t, "median despite an outlier", b.M, 1)
	for range 15 {
		b.Add(1, 0.01)
	}
	frozen := b
	b.Add(1e6, 0.01)
	if b != frozen {
		t.Error("a frozen baseline moved")
	}
	near(t, "spread of a constant is 2 % of it", b.Sigma, 0.02)
}

func TestWindow(t *testing.T) {
	var w stat.Window
	if _, ok := w.Median(1, 0); ok {
		t.Error("median of an empty window")
	}
	for i := range 100 {
		w.Add(float64(i))
	}
	if w.Len() != 32 || w.At(0) != 99 || w.At(31) != 68 {
		t.Errorf("len %d, newest %g, oldest %g", w.Len(), w.At(0), w.At(31))
	}
	if m, ok := w.Median(5, 5); !ok || m != 92 {
		t.Errorf("median of 5 behind the newest 5 = %g", m)
	}
	if _, ok := w.Median(30, 5); ok {
		t.Error("more values than there are")
	}
	m, sigma, ok := w.Robust(0.1)
	if !ok || m != 83.5 || sigma < 8*stat.Consistency { // a ramp hangs together, so its spread counts for more
		t.Errorf("robust = %g, %g", m, sigma)
	}
}

func TestCUSUM(t *testing.T) {
	var c stat.CUSUM
	for step := range uint64(50) {
		c.Add(0, step)
	}
	if c.S != 0 {
		t.Errorf("sum of nothing = %g", c.S)
	}
	at := uint64(0)
	for step := uint64(50); !c.Alarm(); step++ {
		c.Add(1.5, step)
		at = step
	}
	if c.Onset != 50 || at != 58 { // 9 steps of 1.5 − 0.5 pass 8
		t.Errorf("onset %d, alarm at %d; want 50, 58", c.Onset, at)
	}
	var spike stat.CUSUM
	if spike.Add(1e9, 0); spike.Alarm() {
		t.Error("one wild value is no shift")
	}
}

func TestPageHinkley(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var p stat.PageHinkley
	for step := range uint64(500) {
		if p.Add(r.NormFloat64(), 1, step); p.Height(1) > stat.PHLimit {
			t.Fatalf("alarm on noise at step %d", step)
		}
	}
	for step := uint64(500); p.Height(1) <= stat.PHLimit; step++ {
		if step > 560 {
			t.Fatal("a drift of 0.05 spreads a step was not found in 60 steps")
		}
		p.Add(r.NormFloat64()+0.05*float64(step-500), 1, step)
	}
	if p.From < 480 || p.From > 545 {
		t.Errorf("drift began at %d, want about 500", p.From)
	}
}

func TestEWMA(t *testing.T) {
	var e stat.EWMA
	e.Add(1)
	near(t, "first", e.E, 0.2)
	near(t, "first limit", e.Limit(), 4*0.2)
	for range 200 {
		e.Add(1)
	}
	near(t, "mean of a constant", math.Round(e.E*1e6)/1e6, 1)
	near(t, "last limit", e.Limit(), 4*math.Sqrt(0.2/1.8))
}

func TestTheilSen(t *testing.T) {
	line := make([]float64, 20)
	for i := range line {
		line[i] = 3 + 0.5*float64(i)
	}
	got, ok := stat.TheilSen(line)
	if !ok || got.Slope != 0.5 || got.Low != 0.5 || got.High != 0.5 || got.N != 20 {
		t.Errorf("a line gives %+v", got)
	}
	if n := got.Noise(slices.Clone(line)); n > 1e-9 {
		t.Errorf("noise around a line = %g", n)
	}
	line[7] = 1000
	if got, _ := stat.TheilSen(line); math.Abs(got.Slope-0.5) > 0.05 {
		t.Errorf("one outlier moves the slope to %g", got.Slope)
	}
	if _, ok := stat.TheilSen(line[:4]); ok {
		t.Error("a trend of 4 points")
	}
	// The interval holds the true slope in about 95 of 100 noisy series.
	r := rand.New(rand.NewPCG(3, 4))
	hit := 0
	for range 1000 {
		y := make([]float64, 20)
		for i := range y {
			y[i] = 0.1*float64(i) + r.NormFloat64()
		}
		if tr, _ := stat.TheilSen(y); tr.Low <= 0.1 && 0.1 <= tr.High {
			hit++
		}
	}
	if hit < 920 || hit > 985 {
		t.Errorf("the interval holds the slope in %d of 1000 series", hit)
	}
}

func TestScaleInvariance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		xs := rapid.SliceOfN(rapid.Float64Range(-10, 10), 5, 20).Draw(t, "values")
		scale := rapid.Float64Range(0.01, 100).Draw(t, "scale")
		var a, b stat.Baseline
		for _, x := range xs {
			a.Add(x, 1e-3)
			b.Add(x*scale, 1e-3*scale)
		}
		if za, zb := a.Z(3), b.Z(3*scale); math.Abs(za-zb) > 1e-6*max(1, math.Abs(za)) {
			t.Fatalf("z %g and %g", za, zb)
		}
	})
}

func TestStateIsItsJSON(t *testing.T) {
	var b stat.Baseline
	var w stat.Window
	for i := range 40 {
		b.Add(math.Sqrt(float64(i)), 0.1)
		w.Add(1 / float64(i+1))
	}
	for _, pair := range [][2]any{{&b, new(stat.Baseline)}, {&w, new(stat.Window)}} {
		first, err := json.Marshal(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(first, pair[1]); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(pair[1])
		if err != nil || string(first) != string(again) {
			t.Errorf("state changed on its way: %v", err)
		}
	}
}
