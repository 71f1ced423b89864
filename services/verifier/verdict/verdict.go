package verdict

import (
	"math"
	"strconv"
)

// MaxExtracted is how much of an extracted answer a verdict repeats, in bytes.
const MaxExtracted = 4096

// Verdict is a judgement of one candidate. Make it with Score or Unscore; the zero value is unscored (judge_error),
// because a verdict that nobody filled in is a fault of ours.
type Verdict struct {
	Verifier  string
	Extracted string // the answer as it was read; capped at MaxExtracted
	Findings  []Finding
	Members   []Verdict  // of a composite, in order
	Tests     []Test     // where tests ran, in order; only evidence has them
	Execution *Execution // where code ran
	Run       *Run       // where code ran; never part of what is recorded in the tree
	HeldOut   *Verdict   // a stricter verdict that came with this one, for the recorder only

	scored  bool
	score   Scored
	without Unscored
}

// Scored is a reward with its reason.
type Scored struct {
	Reward     float64 // finite and in the declared range
	Passed     bool    // by the spec's rule, never by the reward's sign
	Reason     string  // stable, lower_snake
	Components []Component
}

// Test is what became of one test. Nothing in it may differ on a repeat: no time, no address, no path.
type Test struct{ Name, Outcome, Detail string }

// Component is one step of a reward expression.
type Component struct {
	Name   string
	Op     string
	Value  float64
	Weight *float64 // nil where there is none
	Raw    *float64 // the value before limits; nil where it is the same
}

// Unscored is the reason why there is no reward.
type Unscored struct {
	Reason Reason
	Detail string // for people
}

// Range is what rewards may be. The zero value means [0,1].
type Range struct{ Lo, Hi float64 }

func (r Range) bounds() (lo, hi float64) {
	if r == (Range{}) {
		return 0, 1
	}
	return r.Lo, r.Hi
}

// Score makes a scored verdict, or an unscored one where the score breaks a rule: not finite, outside the range, or
// passed with reward 0, which would say two things at once.
func Score(verifier string, s Scored, r Range) Verdict {
	lo, hi := r.bounds()
	switch {
	case math.IsNaN(s.Reward) || math.IsInf(s.Reward, 0):
		return Unscore(verifier, NonFinite, "the reward is "+number(s.Reward))
	case s.Reward < lo || s.Reward > hi:
		return Unscore(verifier, OutOfRange, "reward "+number(s.Reward)+" is outside ["+number(lo)+", "+number(hi)+"]")
	case s.Passed && s.Reward == 0:
		return Unscore(verifier, OutOfRange, "passed with reward 0; give what passes a reward above 0")
	}
	return Verdict{Verifier: verifier, scored: true, score: s}
}

// Pass is reward 1, Fail is reward 0.
func Pass(verifier, reason string) Verdict {
	return Verdict{Verifier: verifier, scored: true, score: Scored{Reward: 1, Passed: true, Reason: reason}}
}

// Fail is reward 0: the fault is the candidate's.
func Fail(verifier, reason string) Verdict {
	return Verdict{Verifier: verifier, scored: true, score: Scored{Reason: reason}}
}

// Unscore makes a verdict without a reward.
func Unscore(verifier string, reason Reason, detail string) Verdict {
	return Verdict{Verifier: verifier, without: Unscored{Reason: reason, Detail: detail}}
}

// Scored gives the score, if there is one.
func (v *Verdict) Scored() (Scored, bool) { return v.score, v.scored }

// Unscored gives the reason, if there is no score.
func (v *Verdict) Unscored() (Unscored, bool) {
	if v.scored {
		return Unscored{}, false
	}
	if v.without.Reason == 0 {
		return Unscored{Reason: JudgeError, Detail: "no verdict was given"}, true
	}
	return v.without, true
}

// Passed says whether the verdict is scored and passed.
func (v *Verdict) Passed() bool { return v.scored && v.score.Passed }

// Note adds a finding.
func (v *Verdict) Note(kind string, severity Severity, detail string) {
	v.Findings = append(v.Findings, Finding{Kind: kind, Severity: severity, Detail: detail})
}

// Has says whether there is a finding of that kind.
func (v *Verdict) Has(kind string) bool {
	for i := range v.Findings {
		if v.Findings[i].Kind == kind {
			return true
		}
	}
	return false
}

// Cap cuts a text to MaxExtracted bytes without cutting a rune in two.
func Cap(s string) string {
	if len(s) <= MaxExtracted {
		return s
	}
	end := MaxExtracted
	for end > 0 && s[end]&0xC0 == 0x80 {
		end--
	}
	return s[:end]
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
