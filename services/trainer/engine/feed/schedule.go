// Package feed says in which order rows are trained and at which learning rate: pure functions of the seed and of the
// cursor, so that a resumed run goes on exactly where it stopped.
package feed

import (
	"fmt"
	"math"
)

// Kind is the shape of a learning-rate schedule after its warm-up.
type Kind string

// Schedules.
const (
	Constant Kind = "constant"
	Cosine   Kind = "cosine" // half a cosine from the peak down to Floor × peak
	Linear   Kind = "linear" // a line from the peak down to Floor × peak
)

// Schedule gives the learning rate of each step.
type Schedule struct {
	Kind   Kind // empty: constant
	Peak   float64
	Warmup int     // steps from Peak/Warmup up to Peak
	Steps  int     // of the whole stage; read by cosine and linear
	Floor  float64 // share of the peak that is left at the end
}

// Check says what cannot be meant.
func (s Schedule) Check() error {
	switch {
	case s.Kind != "" && s.Kind != Constant && s.Kind != Cosine && s.Kind != Linear:
		return fmt.Errorf("schedule %q: there are constant, cosine, linear", s.Kind)
	case !(s.Peak > 0) || math.IsInf(s.Peak, 0):
		return fmt.Errorf("learning rate %g: want above 0", s.Peak)
	case s.Warmup < 0 || s.Floor < 0 || s.Floor > 1:
		return fmt.Errorf("warm-up of %d steps with floor %g: want at least 0, and 0 to 1", s.Warmup, s.Floor)
	case (s.Kind == Cosine || s.Kind == Linear) && s.Steps < 1:
		return fmt.Errorf("a %s schedule needs the number of steps", s.Kind)
	}
	return nil
}

// At is the learning rate of step n, counted from 0 within the stage.
func (s Schedule) At(n int) float64 {
	lr := s.Peak
	if at := math.Min(1, float64(n)/float64(max(s.Steps, 1))); s.Kind == Cosine {
		lr *= s.Floor + (1-s.Floor)*(1+math.Cos(math.Pi*at))/2
	} else if s.Kind == Linear {
		lr *= 1 - (1-s.Floor)*at
	}
	if n+1 < s.Warmup {
		lr *= float64(n+1) / float64(s.Warmup)
	}
	return lr
}
