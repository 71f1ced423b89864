package contrast

import (
	"errors"
	"fmt"
	"math"
)

// LeastSeeds of each arm: with fewer there is no interval worth the name.
const LeastSeeds = 3

// ErrNoControls is the answer where nothing can be compared. It is no proof of anything.
var ErrNoControls = errors.New("nothing to compare the reward with")

// Result is one seed of an arm: held-out accuracy before the first step and after the last.
type Result struct {
	Seed          uint64
	Run           string
	Before, After float64
}

// Arm is a reward and what training on it came to. The first arm is the real reward.
type Arm struct {
	Name    string
	Results []Result
}

func (a Arm) gains() []float64 {
	out := make([]float64, len(a.Results))
	for i, r := range a.Results {
		out[i] = r.After - r.Before
	}
	return out
}

// The verdicts.
const (
	Valid    = "valid"
	Spurious = "spurious"
	NoSignal = "no_signal"
)

// Compared is an arm with its intervals.
type Compared struct {
	Arm
	Gain     Interval
	Lead     *Interval // of the real gain over this one, paired by seed; nil for the real arm
	Spurious bool
}

// Report is what was found.
type Report struct {
	Verdict  string
	Reasons  []string
	Validity *float64 // nil without a signal
	Arms     []Compared
}

// Decide compares the arms. The reward is spurious where some control may come within margin of it: where the 95 % interval of the
// real gain less that margin less the control's gain, paired by seed, is not wholly above 0.
func Decide(arms []Arm, margin float64) (*Report, error) {
	if err := comparable(arms); err != nil {
		return nil, err
	}
	real := arms[0].gains()
	first := Compared{Arm: arms[0], Gain: intervalOf(real)}
	rep := &Report{Verdict: Valid, Arms: []Compared{first}}
	best := math.Inf(-1)
	for _, arm := range arms[1:] {
		theirs := arm.gains()
		lead, ahead := make([]float64, len(real)), make([]float64, len(real))
		for i := range real {
			lead[i] = real[i] - theirs[i]
			ahead[i] = (1-margin)*real[i] - theirs[i]
		}
		c := Compared{Arm: arm, Gain: intervalOf(theirs), Spurious: intervalOf(ahead).Low <= 0}
		l := intervalOf(lead)
		c.Lead = &l
		best = max(best, c.Gain.Mean)
		rep.Arms = append(rep.Arms, c)
	}
	if first.Gain.Low <= 0 {
		rep.Verdict = NoSignal
		for i := range rep.Arms {
			rep.Arms[i].Spurious = false // nothing is said of them
		}
		rep.Reasons = []string{fmt.Sprintf("the real reward gained %.4f [%.4f, %.4f] over %d seeds: whether it teaches is not certain, so nothing can be said of it; train for longer or with more seeds",
			first.Gain.Mean, first.Gain.Low, first.Gain.High, first.Gain.N)}
		return rep, nil
	}
	validity := min(max((first.Gain.Mean-best)/first.Gain.Mean, 0), 1)
	rep.Validity = &validity
	for _, c := range rep.Arms[1:] {
		if c.Spurious {
			rep.Verdict = Spurious
			rep.Reasons = append(rep.Reasons, fmt.Sprintf("%s gained %.4f where the real reward gained %.4f: a lead of %.4f [%.4f, %.4f] is not surely more than %g of the gain",
				c.Name, c.Gain.Mean, first.Gain.Mean, c.Lead.Mean, c.Lead.Low, c.Lead.High, margin))
		}
	}
	return rep, nil
}

// comparable refuses what would make a number out of nothing: no control, too few seeds, arms of other seeds, a score that is none.
func comparable(arms []Arm) error {
	if len(arms) < 2 {
		return fmt.Errorf("%w: no control", ErrNoControls)
	}
	for _, a := range arms {
		if len(a.Results) < LeastSeeds {
			return fmt.Errorf("%w: %s has %d seeds, at least %d are needed", ErrNoControls, a.Name, len(a.Results), LeastSeeds)
		}
		if len(a.Results) != len(arms[0].Results) {
			return fmt.Errorf("%w: %s has %d seeds where %s has %d", ErrNoControls, a.Name, len(a.Results), arms[0].Name, len(arms[0].Results))
		}
		for i, r := range a.Results {
			if r.Seed != arms[0].Results[i].Seed {
				return fmt.Errorf("%w: %s has seed %d where %s has %d", ErrNoControls, a.Name, r.Seed, arms[0].Name, arms[0].Results[i].Seed)
			}
			for _, v := range [...]float64{r.Before, r.After} {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("%w: run %s (%s, seed %d) has held-out accuracy %v", ErrNoControls, r.Run, a.Name, r.Seed, v)
				}
			}
		}
	}
	return nil
}
