package detect_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/metric"
)

// run plays samples through detectors and incidents, as the recorder does.
type run struct {
	engine  *detect.Engine
	tracker *incident.Tracker
	events  []incident.Event
	step    uint64
}

func newRun(t testing.TB, c detect.Config) *run {
	t.Helper()
	p, err := detect.NewProfile(c)
	if err != nil {
		t.Fatal(err)
	}
	return &run{engine: detect.NewEngine(p), tracker: incident.New("run")}
}

// row is one step's metrics; NaN and infinities are values, absence is absence.
type row map[string]float64

func (r *run) add(values row, change func(*detect.Sample)) {
	s := detect.Sample{Seq: r.step, Step: r.step, Digest: [32]byte{byte(r.step), byte(r.step >> 8)}}
	for name, x := range values {
		s.Values = append(s.Values, metric.Value{Name: name, X: x})
	}
	slices.SortFunc(s.Values, func(a, b metric.Value) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	if change != nil {
		change(&s)
	}
	signals := r.engine.Step(nil, &s, r.tracker.IsOpen)
	r.events = append(r.events, r.tracker.Step(incident.Place{Seq: s.Seq, Step: s.Step, Attempt: s.Attempt}, r.engine.Spans(), signals)...)
	r.step++
}

// opened lists what opened and escalated, as kind severity@onset.
func (r *run) opened() []string {
	var got []string
	for _, e := range r.events {
		if e.What == incident.Open || e.What == incident.Escalate {
			got = append(got, fmt.Sprintf("%s %s@%d", e.Kind, e.Severity, e.Onset))
		}
	}
	return got
}

// snapshot stores the run and takes it up anew.
func (r *run) restart(t testing.TB, c detect.Config) *run {
	t.Helper()
	again := newRun(t, c)
	for _, pair := range []struct{ from, to any }{{r.engine, again.engine}, {r.tracker, again.tracker}} {
		b, err := json.Marshal(pair.from)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, pair.to); err != nil {
			t.Fatal(err)
		}
	}
	again.events, again.step = r.events, r.step
	return again
}

// healthy is a GRPO run with autocorrelated noise (AR(1), φ 0.6), a warm-up and a slow anneal of the entropy.
type healthy struct {
	r     *rand.Rand
	noise map[string]float64
	more  *healthy // draws for metrics that came later, so that the first ones stay what they were
}

func newHealthy(seed uint64) *healthy {
	draws := func(stream uint64) *healthy {
		return &healthy{r: rand.New(rand.NewPCG(seed, stream)), noise: map[string]float64{}}
	}
	h := draws(7)
	h.more = draws(8)
	return h
}

func (h *healthy) ar(name string) float64 {
	const phi = 0.6
	h.noise[name] = phi*h.noise[name] + math.Sqrt(1-phi*phi)*h.r.NormFloat64()
	return h.noise[name]
}

func (h *healthy) at(step uint64) row {
	x := float64(step)
	return row{
		metric.KLRef:         0.02 * (1 - math.Exp(-x/50)) * math.Exp(0.3*h.ar("kl")) * 1.5,
		metric.Entropy:       1.2 * math.Exp(-x/4000) * math.Exp(0.05*h.ar("entropy")),
		metric.RewardMean:    0.2 + 0.5*(1-math.Exp(-x/300)) + 0.03*h.ar("reward"),
		metric.RewardStd:     0.3 + 0.02*h.ar("std"),
		metric.LengthMean:    120 * math.Exp(0.08*h.ar("length")),
		metric.TruncatedFrac: max(0, 0.05+0.02*h.ar("cut")),
		metric.GradNorm:      0.8 * math.Exp(0.3*h.ar("grad")),
		metric.FracZeroStd:   min(max(0, 0.3+0.1*h.ar("zero")), 0.7),
		metric.LossPolicy:    0.01 * h.ar("loss"),

		metric.ClipLow:         max(0, 0.01+0.003*h.more.ar("low")),
		metric.ClipHigh:        max(0, 0.02+0.006*h.more.ar("high")),
		metric.ClipRegion:      max(0, 0.03+0.008*h.more.ar("clip")),
		metric.RatioMin:        0.6 * math.Exp(0.1*h.more.ar("ratio low")),
		metric.RatioMax:        1.8 * math.Exp(0.15*h.more.ar("ratio high")),
		metric.MismatchK1:      0.001 * h.more.ar("k1"),
		metric.MismatchK3:      0.002 * math.Exp(0.3*h.more.ar("k3")),
		metric.MismatchESS:     min(1, 0.9+0.02*h.more.ar("ess")),
		metric.MismatchChi2:    0.05 * math.Exp(0.3*h.more.ar("chi")),
		metric.MismatchISMean:  1 + 0.01*h.more.ar("is"),
		metric.MismatchAbsMean: 0.02 * math.Exp(0.2*h.more.ar("logp")),
		metric.MismatchPearson: min(1, 0.99+0.003*h.more.ar("pearson")),
		metric.StalenessMean:   max(0, 1+0.2*h.more.ar("stale")),
		metric.StepSeconds:     60 * math.Exp(0.15*h.more.ar("time")),
	}
}
