// Package doctor says what is wrong with a run and what to do next: exactly one category and one decision.
//
// It is pure. Trends come from Mann and Kendall's test and from Theil and Sen's slope, causes from open incidents and from
// what the caller measured. Weights are log-odds fitted on simulated faults (package faults), and the confidence is the
// posterior of that model: it tells how often such evidence came from such a fault there, not in the world.
package doctor

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
)

// Incident is one that is open. Warn is below critical.
type Incident struct {
	Kind, Detail, UID string
	Onset             *uint64 // step, where it is known
	Warn              bool
}

// Slice is a part of the data with its failures among scored rows.
type Slice struct {
	Name              string
	Failures, Support uint64
	Thin              bool
}

// Input is all that is known. What is missing is unknown, and never 0.
type Input struct {
	Rewards, Heldout []float64 // by step, oldest first
	Incidents        []Incident
	HackingRate      *float64
	Inspected        *uint64 // rows behind HackingRate
	Contamination    *float64
	AgeDays          *float64
	Span             float64 // width of the range of rewards; 0 is 1
	Slices           []Slice
	Limits           map[string]float64
}

// InputError names the field that is wrong.
type InputError struct{ Field, Reason string }

func (e *InputError) Error() string { return e.Field + ": " + e.Reason }

var defaults = map[string]float64{"plateau_window": 5, "hacking_rate_max": 0.1, "stale_data_days": 180, "slice_failure_max": 0.5, "min_examples_per_slice": 50}

func (in *Input) limit(name string) float64 {
	if v, ok := in.Limits[name]; ok {
		return v
	}
	return defaults[name]
}

func (in *Input) span() float64 {
	return cmp.Or(in.Span, 1)
}

func (in *Input) check() error {
	share := func(field string, v *float64) error {
		if v != nil && !(*v >= 0 && *v <= 1) {
			return &InputError{field, fmt.Sprintf("%g is no share; want 0 to 1", *v)}
		}
		return nil
	}
	if err := cmp.Or(share("hacking_rate", in.HackingRate), share("contamination_rate", in.Contamination)); err != nil {
		return err
	}
	switch {
	case in.AgeDays != nil && !(*in.AgeDays >= 0 && !math.IsInf(*in.AgeDays, 0)):
		return &InputError{"data_age_days", "want a number of days from 0 on"}
	case !(in.span() > 0) || math.IsInf(in.Span, 0):
		return &InputError{"reward_range", "want a width above 0"}
	case in.Inspected != nil && *in.Inspected == 0:
		return &InputError{"hacking_inspected", "a rate of no rows is none; leave both out"}
	}
	for _, i := range in.Incidents {
		if !Known(i.Kind) {
			return &InputError{"anomalies", fmt.Sprintf("%q is no kind of anomaly; docs/diagnosis.md lists them", i.Kind)}
		}
	}
	for i, s := range in.Slices {
		if s.Name == "" || s.Failures > s.Support {
			return &InputError{fmt.Sprintf("slices[%d]", i), "a slice has a name, and at most as many failures as support"}
		}
	}
	return in.checkLimits()
}

func (in *Input) checkLimits() error {
	for _, name := range slices.Sorted(maps.Keys(in.Limits)) {
		v, field := in.Limits[name], "limits."+name
		if _, ok := defaults[name]; !ok {
			return &InputError{field, fmt.Sprintf("no such limit; there are %v", slices.Sorted(maps.Keys(defaults)))}
		}
		switch {
		case !(v > 0) || math.IsInf(v, 0):
			return &InputError{field, "want a number above 0"}
		case (name == "hacking_rate_max" || name == "slice_failure_max") && v > 1:
			return &InputError{field, "a share is at most 1"}
		case name == "plateau_window" && (v < 2 || v != math.Trunc(v)):
			return &InputError{field, "want a whole number of steps from 2 on"}
		case name == "min_examples_per_slice" && (v != math.Trunc(v) || v > 1e6):
			return &InputError{field, "want a whole number of rows"}
		}
	}
	return nil
}
