package reward

import (
	"fmt"
	"math"
)

// Input is what an expression reads.
type Input struct {
	// Members are the members' rewards; nil for one that is unscored.
	Members []*float64
	// Names are the members' names, for components.
	Names []string
	// Tokens is the length of the response; negative where nobody counted.
	Tokens int
}

// Step is what one operation did.
type Step struct {
	Name  string // of the member, or the path
	Op    string
	Value float64
	Raw   *float64 // before limits
}

// NonFiniteError says which part was NaN or infinite.
type NonFiniteError struct{ Path string }

func (e *NonFiniteError) Error() string { return "the reward of " + e.Path + " is not finite" }

// OutOfRangeError says which part left its declared range.
type OutOfRangeError struct {
	Path          string
	Value, Lo, Hi float64
}

func (e *OutOfRangeError) Error() string {
	return fmt.Sprintf("the reward of %s is %v, outside [%v, %v]; clamp it or declare another range", e.Path, e.Value, e.Lo, e.Hi)
}

// MissingError says which member, or length, has no value.
type MissingError struct {
	Path   string
	Member int // -1 for the length
}

func (e *MissingError) Error() string {
	if e.Member < 0 {
		return e.Path + " needs the number of tokens, which nobody counted"
	}
	return fmt.Sprintf("%s needs the reward of member %d, which is unscored", e.Path, e.Member)
}

// Eval gives the value and the steps, inner ones first. The error is a *NonFiniteError, *OutOfRangeError or
// *MissingError.
func (e *Expr) Eval(in Input) (float64, []Step, error) {
	v := evaluation{in: in}
	out, err := v.eval(e, "reward")
	return out, v.steps, err
}

type evaluation struct {
	in    Input
	steps []Step
}

func (v *evaluation) eval(e *Expr, path string) (float64, error) {
	name := path
	if e.Op == OpMember && int(*e.Member) < len(v.in.Names) {
		name = v.in.Names[*e.Member]
	}
	raw, out, err := v.apply(e, path)
	if err != nil {
		return 0, err
	}
	if !finite(out) {
		if !math.IsNaN(out) || e.NaNValue == nil {
			return 0, &NonFiniteError{Path: path}
		}
		raw, out = *e.NaNValue, *e.NaNValue
	}
	s := Step{Name: name, Op: e.Op, Value: out}
	if raw != out {
		s.Raw = &raw
	}
	v.steps = append(v.steps, s)
	return out, nil
}

// apply gives the value before and after limits.
func (v *evaluation) apply(e *Expr, path string) (raw, out float64, err error) {
	parts := make([]float64, len(e.Parts))
	for i := range e.Parts {
		if parts[i], err = v.eval(&e.Parts[i], fmt.Sprintf("%s.parts[%d]", path, i)); err != nil {
			return 0, 0, err
		}
	}
	switch e.Op {
	case OpMember:
		r := v.in.Members[*e.Member]
		if r == nil {
			return 0, 0, &MissingError{Path: path, Member: int(*e.Member)}
		}
		return *r, *r, nil
	case OpConst:
		return *e.Value, *e.Value, nil
	case OpWeightedSum:
		return weightedSum(e, parts, path)
	case OpMin, OpMax:
		out = parts[0]
		for _, p := range parts[1:] {
			if (p < out) == (e.Op == OpMin) {
				out = p
			}
		}
		return out, out, nil
	case OpGate:
		when, err := v.eval(e.When, path+".when")
		if err != nil {
			return 0, 0, err
		}
		if when >= *e.Threshold {
			return parts[0], parts[0], nil
		}
		return parts[0], 0, nil
	case OpClamp:
		return parts[0], min(max(parts[0], *e.Lo), *e.Hi), nil
	case OpNormalize:
		if parts[0] < *e.Lo || parts[0] > *e.Hi {
			return 0, 0, &OutOfRangeError{Path: path, Value: parts[0], Lo: *e.Lo, Hi: *e.Hi}
		}
		return parts[0], (parts[0] - *e.Lo) / (*e.Hi - *e.Lo), nil
	default: // OpOverlong; Check refused the rest
		if v.in.Tokens < 0 {
			return 0, 0, &MissingError{Path: path, Member: -1}
		}
		out = overlong(float64(v.in.Tokens), float64(*e.MaxTokens), float64(*e.CacheTokens))
		if len(parts) > 0 {
			out += parts[0]
		}
		return out, out, nil
	}
}

func weightedSum(e *Expr, parts []float64, path string) (raw, out float64, err error) {
	sum := 0.0
	for i, p := range parts {
		w := 1.0
		if len(e.Weights) > 0 {
			w = e.Weights[i]
		}
		sum += w
		out += w * p
	}
	if !e.Unnormalised {
		return out / sum, out / sum, nil
	}
	if finite(out) && (out < *e.Lo || out > *e.Hi) {
		return 0, 0, &OutOfRangeError{Path: path, Value: out, Lo: *e.Lo, Hi: *e.Hi}
	}
	return out, out, nil
}

// overlong is the soft penalty of DAPO (arXiv 2503.14476, section 3.4): 0 while the answer is short, falling to −1 over
// the last cache tokens before the limit.
func overlong(length, limit, cache float64) float64 {
	switch {
	case length <= limit-cache:
		return 0
	case length <= limit:
		return (limit - cache - length) / cache
	default:
		return -1
	}
}

// Bounds is the range that the expression's value can have, given that members lie in [0,1].
func (e *Expr) Bounds() (lo, hi float64) {
	parts := make([][2]float64, len(e.Parts))
	for i := range e.Parts {
		parts[i][0], parts[i][1] = e.Parts[i].Bounds()
	}
	switch e.Op {
	case OpConst:
		lo, hi = *e.Value, *e.Value
	case OpWeightedSum:
		lo, hi = e.sumBounds(parts)
	case OpMin, OpMax:
		lo, hi = parts[0][0], parts[0][1]
		for _, p := range parts[1:] {
			if e.Op == OpMin {
				lo, hi = min(lo, p[0]), min(hi, p[1])
			} else {
				lo, hi = max(lo, p[0]), max(hi, p[1])
			}
		}
	case OpGate:
		lo, hi = min(0, parts[0][0]), max(0, parts[0][1])
	case OpClamp:
		lo, hi = *e.Lo, *e.Hi
	case OpOverlong:
		lo, hi = -1, 0
		if len(parts) > 0 {
			lo, hi = parts[0][0]-1, parts[0][1]
		}
	default: // member, normalize
		lo, hi = 0, 1
	}
	if e.NaNValue != nil {
		lo, hi = min(lo, *e.NaNValue), max(hi, *e.NaNValue)
	}
	return lo, hi
}

func (e *Expr) sumBounds(parts [][2]float64) (lo, hi float64) {
	if e.Unnormalised {
		return *e.Lo, *e.Hi
	}
	sum := 0.0
	for i, p := range parts {
		w := 1.0
		if len(e.Weights) > 0 {
			w = e.Weights[i]
		}
		sum += w
		lo, hi = lo+w*p[0], hi+w*p[1]
	}
	return lo / sum, hi / sum
}
