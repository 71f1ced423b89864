package faults

import (
	"math"
	"math/rand/v2"

	"github.com/provenir/provenir/services/recorder/doctor"
)

// Case is a run and what was wrong with it.
type Case struct {
	Fault, Category string
	Input           doctor.Input
}

// Simulate makes n runs; categories are equally frequent, and a seed always gives the same runs.
func Simulate(seed uint64, n int) []Case {
	r := rand.New(rand.NewPCG(seed, 7))
	of := map[string][]fault{}
	for _, f := range catalogue {
		of[f.category] = append(of[f.category], f)
	}
	all := doctor.Categories()
	out := make([]Case, n)
	for i := range out {
		list := of[all[i%len(all)]]
		out[i] = simulate(r, &list[r.IntN(len(list))])
	}
	return out
}

func simulate(r *rand.Rand, f *fault) Case {
	steps := 20 + r.IntN(130)
	began := r.IntN(steps/2 + 1)
	in := doctor.Input{}
	kind := f.shapes[r.IntN(len(f.shapes))]
	in.Rewards = rewards(r, steps, began, kind)
	if f.opposed || r.Float64() < 0.5 {
		in.Heldout = rewards(r, steps, began, heldout(r, f, kind))
	}
	for _, s := range f.symptoms {
		if r.Float64() < s.chance {
			raise(&in, s.kind, began+r.IntN(s.late+1), r.Float64() < 0.3)
		}
	}
	for range 2 {
		if r.Float64() < 0.15 {
			raise(&in, alarms[r.IntN(len(alarms))], r.IntN(steps), r.Float64() < 0.9)
		}
	}
	measure(r, f, &in)
	return Case{f.name, f.category, in}
}

func heldout(r *rand.Rand, f *fault, paid shape) shape {
	switch {
	case f.opposed && paid == rises:
		return falls
	case f.opposed:
		return rises
	case f.hacked > 0 && r.Float64() < 0.6:
		return falls
	case f.hacked > 0:
		return stays
	}
	return paid
}

func raise(in *doctor.Input, kind string, step int, warn bool) {
	at := uint64(step)
	in.Incidents = append(in.Incidents, doctor.Incident{Kind: kind, Onset: &at, Warn: warn})
}

// measure fills in what callers know beside the metrics, where they do.
func measure(r *rand.Rand, f *fault, in *doctor.Input) {
	if f.contaminated {
		x := 0.002 + 0.2*r.Float64()
		in.Contamination = &x
	} else if r.Float64() < 0.5 {
		x := 0.0
		in.Contamination = &x
	}
	n, rate := uint64(50+r.IntN(450)), 0.02*r.Float64()
	if high := r.Float64() < f.hacked; high {
		rate = 0.2 + 0.7*r.Float64()
	}
	if rate > 0.1 || r.Float64() < 0.5 {
		in.HackingRate, in.Inspected = &rate, &n
	}
	age := 170 * r.Float64()
	if r.Float64() < f.stale {
		age += 190
	}
	in.AgeDays = &age
	if failures := uint64(5 + r.IntN(15)); r.Float64() < f.slices {
		in.Slices = []doctor.Slice{{Name: "source=web", Failures: 30 + failures, Support: 50}}
	} else {
		in.Slices = []doctor.Slice{{Name: "source=web", Failures: failures, Support: 50}}
	}
}

// rewards are those of a run whose reward rises until the fault and then takes its shape, with correlated noise.
func rewards(r *rand.Rand, steps, began int, kind shape) []float64 {
	out := make([]float64, steps)
	start, gain, sigma, noise := 0.2+0.2*r.Float64(), 0.15+0.3*r.Float64(), 0.005+0.03*r.Float64(), 0.0
	if kind == stays || kind == falls || kind == solved {
		began = 0 // what is asked about is the stretch since the fault
	}
	for i := range out {
		part := float64(i) / float64(steps)
		level := start + gain*part
		after := float64(i-began) / float64(steps-began)
		switch {
		case i < began || kind == rises:
		case kind == stays:
			level = start
		case kind == falls:
			level = start + gain*(1-after)
		case kind == drops:
			level = 0
		case kind == solved:
			level = 0.985
		}
		noise = 0.4*noise + sigma*r.NormFloat64()
		out[i] = min(max(level+noise, 0), 1)
		if kind == solved {
			out[i] = min(level+math.Abs(noise)*0.2, 1)
		}
	}
	return out
}
