// Package reward turns the rewards of a composite's members into one: a small expression language without variables.
//
// NaN and infinity never pass through: an expression that meets one has no value, and the error names the part.
package reward

import (
	"fmt"
	"math"
)

// Expr is a node of an expression. Which fields count depends on Op; Check refuses the others' absence.
type Expr struct {
	Op           string    `json:"op"`
	Parts        []Expr    `json:"parts,omitempty"`
	Member       *uint32   `json:"member,omitempty"`
	Value        *float64  `json:"value,omitempty"`
	Weights      []float64 `json:"weights,omitempty"`
	When         *Expr     `json:"when,omitempty"`
	Threshold    *float64  `json:"threshold,omitempty"`
	Lo           *float64  `json:"lo,omitempty"`
	Hi           *float64  `json:"hi,omitempty"`
	MaxTokens    *uint32   `json:"max_tokens,omitempty"`
	CacheTokens  *uint32   `json:"cache_tokens,omitempty"`
	Unnormalised bool      `json:"unnormalised,omitempty"`
	NaNValue     *float64  `json:"nan_value,omitempty"`
}

// The operations.
const (
	OpMember      = "member"
	OpConst       = "const"
	OpWeightedSum = "weighted_sum"
	OpMin         = "min"
	OpMax         = "max"
	OpGate        = "gate"
	OpClamp       = "clamp"
	OpNormalize   = "normalize"
	OpOverlong    = "overlong"
)

// Ops are all operations, as errors list them.
const Ops = "member, const, weighted_sum, min, max, gate, clamp, normalize, overlong"

// maxDepth bounds how deep an expression may nest; nobody writes more by hand.
const maxDepth = 32

// InvalidError says which field of which part is wrong.
type InvalidError struct {
	Path    string // of, of.when, parts[1], …
	Field   string
	Value   string
	Allowed string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("reward expression %s: %s is %s; allowed: %s", e.Path, e.Field, e.Value, e.Allowed)
}

// Check refuses an expression that could fail at run time for a reason that is known now.
func (e *Expr) Check(members int) error { return e.check("reward", members, 0) }

func (e *Expr) check(path string, members, depth int) error {
	bad := func(field, value, allowed string) error {
		return &InvalidError{Path: path, Field: field, Value: value, Allowed: allowed}
	}
	if depth > maxDepth {
		return bad("depth", fmt.Sprint(depth), fmt.Sprintf("at most %d", maxDepth))
	}
	for _, f := range []struct {
		name string
		v    *float64
	}{{"value", e.Value}, {"threshold", e.Threshold}, {"lo", e.Lo}, {"hi", e.Hi}, {"nan_value", e.NaNValue}} {
		if f.v != nil && !finite(*f.v) {
			return bad(f.name, fmt.Sprint(*f.v), "a finite number")
		}
	}
	if err := e.checkOp(bad, members); err != nil {
		return err
	}
	if e.When != nil {
		if err := e.When.check(path+".when", members, depth+1); err != nil {
			return err
		}
	}
	for i := range e.Parts {
		if err := e.Parts[i].check(fmt.Sprintf("%s.parts[%d]", path, i), members, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (e *Expr) checkOp(bad func(field, value, allowed string) error, members int) error {
	needParts := func(lo, hi int) error {
		if len(e.Parts) < lo || (hi > 0 && len(e.Parts) > hi) {
			return bad("parts", fmt.Sprint(len(e.Parts)), fmt.Sprintf("%d parts for %s", lo, e.Op))
		}
		return nil
	}
	switch e.Op {
	case OpMember:
		if e.Member == nil || int64(*e.Member) >= int64(members) {
			return bad("member", show(e.Member), fmt.Sprintf("0 to %d", members-1))
		}
		return needParts(0, 0)
	case OpConst:
		if e.Value == nil {
			return bad("value", "absent", "a finite number")
		}
	case OpWeightedSum:
		return e.checkWeights(bad)
	case OpMin, OpMax:
		if len(e.Parts) == 0 {
			return bad("parts", "empty", "at least one part")
		}
	case OpGate:
		if e.When == nil || e.Threshold == nil {
			return bad("when", "absent, or threshold is", "a condition and a threshold")
		}
		return needParts(1, 1)
	case OpClamp, OpNormalize:
		if e.Lo == nil || e.Hi == nil || *e.Lo >= *e.Hi {
			return bad("lo, hi", show(e.Lo)+", "+show(e.Hi), "two numbers, lo below hi")
		}
		return needParts(1, 1)
	case OpOverlong:
		if e.MaxTokens == nil || e.CacheTokens == nil || *e.CacheTokens == 0 || *e.CacheTokens > *e.MaxTokens {
			return bad("max_tokens, cache_tokens", show(e.MaxTokens)+", "+show(e.CacheTokens), "1 ≤ cache_tokens ≤ max_tokens")
		}
	default:
		return bad("op", fmt.Sprintf("%q", e.Op), Ops)
	}
	return nil
}

func (e *Expr) checkWeights(bad func(field, value, allowed string) error) error {
	if len(e.Parts) == 0 {
		return bad("parts", "empty", "at least one part")
	}
	if len(e.Weights) != 0 && len(e.Weights) != len(e.Parts) {
		return bad("weights", fmt.Sprint(len(e.Weights)), fmt.Sprintf("%d, one a part, or none for equal ones", len(e.Parts)))
	}
	if e.Unnormalised && (e.Lo == nil || e.Hi == nil || *e.Lo >= *e.Hi) {
		return bad("lo, hi", show(e.Lo)+", "+show(e.Hi), "the range of a plain sum, lo below hi")
	}
	sum := 0.0
	for _, w := range e.Weights {
		if !finite(w) || w < 0 {
			return bad("weights", fmt.Sprint(w), "finite and at least 0")
		}
		sum += w
	}
	if len(e.Weights) > 0 && (sum <= 0 || !finite(sum)) {
		return bad("weights", fmt.Sprintf("of sum %v", sum), "a finite sum above 0")
	}
	return nil
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

func show[T any](p *T) string {
	if p == nil {
		return "absent"
	}
	return fmt.Sprint(*p)
}
