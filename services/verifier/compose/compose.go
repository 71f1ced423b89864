// Package compose judges by several verifiers at once: all, any, weighted or lexicographic, with gates and a reward
// expression.
//
// Members keep their place, so two of the same name never become one. A member without a score makes the whole
// unscored where the rule needs it: weights are never renormalised in silence, for that would pay more for less.
package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/provenir/provenir/services/verifier/reward"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Name is the composite's name in specs.
const Name = "composite"

// Mode says when a composite passes.
type Mode string

// The modes.
const (
	All           Mode = "all"           // every member passes; reward is the mean
	Any           Mode = "any"           // one member passes; reward is the highest
	Weighted      Mode = "weighted"      // Σwr/Σw reaches the threshold
	Lexicographic Mode = "lexicographic" // the first member that fails decides
)

// maxMembers bounds a composite.
const maxMembers = 64

// Descriptor describes composite.
func Descriptor() spec.Descriptor {
	return spec.Descriptor{
		Name: Name, Summary: "several verifiers as one, with gates and a reward expression", Members: true,
		Options: []spec.Option{
			{Name: "mode", Type: spec.Choice, Allowed: []string{string(All), string(Any), string(Weighted), string(Lexicographic)}, Default: string(All),
				Doc: "when the whole passes"},
			{Name: "threshold", Type: spec.Number, Max: 1, Default: 0.5, Doc: "of mode weighted: the share that passes"},
		},
	}
}

// Member is a part of a composite.
type Member struct {
	Name     string
	Judge    verdict.Judge
	Weight   float64
	Required bool // a gate: where it fails the whole fails with reward 0
}

// Composite is a judge of members.
type Composite struct {
	mode      Mode
	threshold float64
	members   []Member
	names     []string
	expr      *reward.Expr
	rng       verdict.Range
	weightSum float64
}

// New checks members and expression together. The error is a *spec.BadSpecError.
func New(path string, v spec.Values, members []Member, expr *reward.Expr) (*Composite, error) {
	bad := func(field, value, allowed string) error {
		return &spec.BadSpecError{Path: path, Field: field, Value: value, Allowed: allowed}
	}
	if len(members) == 0 || len(members) > maxMembers {
		return nil, bad("members", fmt.Sprint(len(members)), fmt.Sprintf("1 to %d members", maxMembers))
	}
	c := &Composite{mode: Mode(v.String("mode")), members: members, expr: expr}
	c.threshold, _ = v.Number("threshold")
	for _, m := range members {
		c.weightSum += m.Weight
		c.names = append(c.names, m.Name)
	}
	if c.weightSum <= 0 {
		return nil, bad("weight", "of sum 0", "at least one weight above 0")
	}
	if expr != nil {
		if err := expr.Check(len(members)); err != nil {
			var invalid *reward.InvalidError
			if errors.As(err, &invalid) {
				return nil, bad(invalid.Path+" "+invalid.Field, invalid.Value, invalid.Allowed)
			}
			return nil, err
		}
		lo, hi := expr.Bounds()
		c.rng = verdict.Range{Lo: min(lo, 0), Hi: max(hi, 1)}
	}
	return c, nil
}

// Range is what rewards may be.
func (c *Composite) Range() verdict.Range { return c.rng }

// Judge asks every member and applies the rule.
func (c *Composite) Judge(in *verdict.Candidate) verdict.Verdict {
	return c.JudgeContext(context.Background(), in)
}

// Waits says whether a member does.
func (c *Composite) Waits() bool {
	return slices.ContainsFunc(c.members, func(m Member) bool { return verdict.Waits(m.Judge) })
}

// JudgeContext asks every member and applies the rule.
func (c *Composite) JudgeContext(ctx context.Context, in *verdict.Candidate) verdict.Verdict {
	parts := make([]verdict.Verdict, len(c.members))
	for i := range c.members {
		parts[i] = verdict.Within(ctx, c.members[i].Judge, in)
	}
	v := c.decide(in, parts)
	v.Members = parts
	for i := range parts {
		if parts[i].Has("time_dependent") && !v.Has("time_dependent") {
			v.Note("time_dependent", verdict.Info, "of member "+c.names[i])
		}
		if v.Extracted == "" {
			v.Extracted = parts[i].Extracted
		}
		if v.Run == nil {
			v.Run = parts[i].Run
		}
	}
	return v
}

func (c *Composite) decide(in *verdict.Candidate, parts []verdict.Verdict) verdict.Verdict {
	gate := c.gate(parts)
	if gate.unscored != nil {
		return *gate.unscored
	}
	passed, value, whole := c.rule(parts)
	if whole != nil && !gate.closed {
		return *whole
	}
	if gate.closed {
		passed, value = false, 0
	}
	s := verdict.Scored{Reward: value, Passed: passed, Reason: "rejected"}
	if passed {
		s.Reason = "accepted"
	}
	if c.expr == nil || gate.closed {
		s.Components = c.components(parts)
		return verdict.Score(Name, s, c.rng)
	}
	out, steps, err := c.expr.Eval(c.input(in, parts))
	if err != nil {
		return c.unscore(err, parts)
	}
	s.Reward = out
	for _, step := range steps {
		s.Components = append(s.Components, verdict.Component{Name: step.Name, Op: step.Op, Value: step.Value, Raw: step.Raw})
	}
	return verdict.Score(Name, s, c.rng)
}

type gated struct {
	closed   bool
	unscored *verdict.Verdict
}

// gate looks at required members: one that is unscored makes the whole unscored, one that failed closes it.
func (c *Composite) gate(parts []verdict.Verdict) gated {
	var g gated
	for i := range parts {
		if !c.members[i].Required {
			continue
		}
		if u, ok := parts[i].Unscored(); ok {
			v := c.missing(i, u)
			return gated{unscored: &v}
		}
		g.closed = g.closed || !parts[i].Passed()
	}
	return g
}

// rule applies the mode; the last value is an unscored whole, where the members that the rule needs have no score.
func (c *Composite) rule(parts []verdict.Verdict) (passed bool, value float64, whole *verdict.Verdict) {
	var firstMissing *verdict.Verdict
	passed = true
	anyPassed := false
	best, sum, weighted := 0.0, 0.0, 0.0
	for i := range parts {
		s, ok := parts[i].Scored()
		if !ok {
			if firstMissing == nil {
				u, _ := parts[i].Unscored()
				v := c.missing(i, u)
				firstMissing = &v
			}
			if c.mode == Lexicographic {
				return false, 0, firstMissing // all before it passed, so it would decide
			}
			continue
		}
		passed = passed && s.Passed
		anyPassed = anyPassed || s.Passed
		best = max(best, s.Reward)
		sum += s.Reward
		weighted += c.members[i].Weight * s.Reward
		if c.mode == Lexicographic && !s.Passed {
			return false, min(s.Reward, 1) * float64(i) / float64(len(parts)), nil
		}
	}
	switch c.mode {
	case Any:
		if anyPassed {
			return true, best, nil
		}
		return false, best, firstMissing
	case Weighted:
		value = weighted / c.weightSum
		return value >= c.threshold && value > 0, value, firstMissing
	case Lexicographic:
		return true, sum / float64(len(parts)), nil
	default:
		return passed, sum / float64(len(parts)), firstMissing
	}
}

func (c *Composite) missing(i int, u verdict.Unscored) verdict.Verdict {
	return verdict.Unscore(Name, u.Reason, fmt.Sprintf("member %d (%s): %s", i, c.names[i], u.Detail))
}

func (c *Composite) components(parts []verdict.Verdict) []verdict.Component {
	var out []verdict.Component
	for i := range parts {
		if s, ok := parts[i].Scored(); ok {
			out = append(out, verdict.Component{Name: c.names[i], Op: reward.OpMember, Value: s.Reward, Weight: &c.members[i].Weight})
		}
	}
	return slices.Clip(out)
}

func (c *Composite) input(in *verdict.Candidate, parts []verdict.Verdict) reward.Input {
	values := make([]float64, len(parts))
	out := reward.Input{Members: make([]*float64, len(parts)), Names: c.names, Tokens: in.Tokens}
	if in.Tokens == 0 && in.Response != "" {
		out.Tokens = -1 // nobody counted
	}
	for i := range parts {
		if s, ok := parts[i].Scored(); ok {
			values[i] = s.Reward
			out.Members[i] = &values[i]
		}
	}
	return out
}

// unscore turns an expression's error into the reason that belongs to it.
func (c *Composite) unscore(err error, parts []verdict.Verdict) verdict.Verdict {
	var nonFinite *reward.NonFiniteError
	var outside *reward.OutOfRangeError
	var missing *reward.MissingError
	switch {
	case errors.As(err, &nonFinite):
		v := verdict.Unscore(Name, verdict.NonFinite, err.Error())
		v.Note("non_finite", verdict.Warn, nonFinite.Path)
		return v
	case errors.As(err, &outside):
		return verdict.Unscore(Name, verdict.OutOfRange, err.Error())
	case errors.As(err, &missing) && missing.Member >= 0:
		u, _ := parts[missing.Member].Unscored()
		return c.missing(missing.Member, u)
	default:
		return verdict.Unscore(Name, verdict.BadRow, err.Error())
	}
}
