package contrast

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// arm gives each seed a gain, from a start of 0.4.
func arm(name string, gains ...float64) Arm {
	a := Arm{Name: name}
	for i, g := range gains {
		a.Results = append(a.Results, Result{Seed: uint64(i + 1), Run: name, Before: 0.4, After: 0.4 + g})
	}
	return a
}

func TestDecide(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name     string
		arms     []Arm
		verdict  string // empty: nothing to compare
		validity float64
		spurious string
		why      string // in the error or the first reason
	}{
		{name: "ahead of all", arms: []Arm{arm("real", .30, .32, .31), arm("random", .01, -.01, 0), arm("constant", 0, 0, 0)}, verdict: Valid, validity: 1},
		{name: "a control harms", arms: []Arm{arm("real", .30, .32, .31), arm("random", -.2, -.21, -.19)}, verdict: Valid, validity: 1},
		{name: "a control has half of it", arms: []Arm{arm("real", .30, .32, .31), arm("format_only", .15, .16, .155)}, verdict: Valid, validity: .5},
		{name: "a control has all of it", arms: []Arm{arm("real", .30, .32, .31), arm("random", .30, .31, .32)}, verdict: Spurious, validity: 0, spurious: "random", why: "random gained"},
		{name: "within the margin", arms: []Arm{arm("real", .30, .32, .31), arm("length_only", .285, .305, .295)}, verdict: Spurious, validity: .0484, spurious: "length_only", why: "not surely more than 0.1"},
		{name: "too uncertain to be ahead", arms: []Arm{arm("real", .30, .32, .31), arm("random", .0, .30, .05)}, verdict: Spurious, validity: .6237, spurious: "random"},
		{name: "the second control decides", arms: []Arm{arm("real", .30, .32, .31), arm("random", 0, 0, .01), arm("shuffled", .3, .3, .3)}, verdict: Spurious, validity: .0323, spurious: "shuffled"},
		{name: "a gain that every seed shares is paired", arms: []Arm{arm("real", .10, .30, .50), arm("random", 0, .2, .4)}, verdict: NoSignal, why: "train for longer or with more seeds"},
		{name: "the real reward taught nothing", arms: []Arm{arm("real", 0, .01, -.01), arm("random", 0, 0, 0)}, verdict: NoSignal, why: "not certain"},
		{name: "the real reward harms", arms: []Arm{arm("real", -.2, -.21, -.22), arm("random", -.3, -.3, -.3)}, verdict: NoSignal},
		{name: "all the same to the last digit", arms: []Arm{arm("real", .5, .5, .5), arm("random", .5, .5, .5)}, verdict: Spurious, spurious: "random"},
		{name: "no arms", why: "no control"},
		{name: "no control", arms: []Arm{arm("real", .3, .3, .3)}, why: "no control"},
		{name: "one seed", arms: []Arm{arm("real", .3), arm("random", 0)}, why: "1 seeds"},
		{name: "two seeds", arms: []Arm{arm("real", .3, .3), arm("random", 0, 0)}, why: "2 seeds"},
		{name: "a control lacks a seed", arms: []Arm{arm("real", .3, .3, .3, .3), arm("random", 0, 0, 0)}, why: "3 seeds where real has 4"},
		{name: "NaN in a control", arms: []Arm{arm("real", .3, .3, .3), arm("random", 0, nan, 0)}, why: "accuracy NaN"},
		{name: "NaN in the real reward", arms: []Arm{arm("real", .3, .3, nan), arm("random", 0, 0, 0)}, why: "seed 3"},
		{name: "infinite", arms: []Arm{arm("real", .3, .3, math.Inf(1)), arm("random", 0, 0, 0)}, why: "Inf"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Decide(tt.arms, 0.1)
			if tt.verdict == "" {
				if !errors.Is(err, ErrNoControls) || !strings.Contains(err.Error(), tt.why) {
					t.Fatalf("%+v, %v", r, err)
				}
				return
			}
			if err != nil || r.Verdict != tt.verdict {
				t.Fatalf("%+v, %v", r, err)
			}
			if (r.Validity == nil) != (tt.verdict == NoSignal) || r.Validity != nil && math.Abs(*r.Validity-tt.validity) > 1e-4 {
				t.Errorf("validity %v, want %v", r.Validity, tt.validity)
			}
			for _, a := range r.Arms {
				if a.Spurious != (a.Name == tt.spurious) {
					t.Errorf("%s is spurious: %v; lead %+v", a.Name, a.Spurious, a.Lead)
				}
			}
			if (len(r.Reasons) > 0) == (tt.verdict == Valid) || tt.why != "" && !strings.Contains(r.Reasons[0], tt.why) {
				t.Errorf("reasons %v", r.Reasons)
			}
			if r.Arms[0].Lead != nil || len(r.Arms) != len(tt.arms) {
				t.Errorf("arms %+v", r.Arms)
			}
		})
	}
}

func TestAnotherSeedIsAnotherPair(t *testing.T) {
	a, b := arm("real", .3, .3, .3), arm("random", 0, 0, 0)
	b.Results[1].Seed = 9
	if r, err := Decide([]Arm{a, b}, .1); !errors.Is(err, ErrNoControls) {
		t.Errorf("%+v, %v", r, err)
	}
}

// A lead that seeds share is seen although the gains themselves spread: arms of a seed begin with the same weights.
func TestSeedsArePaired(t *testing.T) {
	r, err := Decide([]Arm{arm("real", .40, .50, .60), arm("random", .01, .11, .21)}, 0)
	if err != nil || r.Verdict != Valid || math.Abs(r.Arms[1].Lead.Mean-.39) > 1e-9 || r.Arms[1].Lead.High-r.Arms[1].Lead.Low > 1e-9 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestAWiderMarginAsksForMore(t *testing.T) {
	arms := []Arm{arm("real", .30, .32, .31), arm("format_only", .15, .16, .155)}
	for margin, want := range map[float64]string{0: Valid, .1: Valid, .4: Valid, .6: Spurious} {
		if r, err := Decide(arms, margin); err != nil || r.Verdict != want {
			t.Errorf("margin %v: %+v, %v", margin, r, err)
		}
	}
}

// The 97.5 % points of Student's t, from any table of it.
func TestQuantiles(t *testing.T) {
	for df, want := range map[float64]float64{1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764, 9: 2.2622, 29: 2.0452, 99: 1.9842} {
		if got := quantile(df); math.Abs(got-want) > 1e-4 {
			t.Errorf("%v degrees: %v, want %v", df, got, want)
		}
	}
	i := intervalOf([]float64{1, 2, 3})
	if i.Mean != 2 || math.Abs(i.High-2-4.3027/math.Sqrt(3)) > 1e-4 || math.Abs(i.Mean-i.Low-(i.High-i.Mean)) > 1e-12 || i.N != 3 {
		t.Errorf("%+v", i)
	}
}
