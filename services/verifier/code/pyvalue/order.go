package pyvalue

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// Less is a < b, LessEqual a <= b. The error is ErrType where Python has no order, and ErrObject.
func Less(a, b plain.Value) (bool, error) { return (&comparison{}).less(a, b, false) }

// LessEqual is a <= b.
func LessEqual(a, b plain.Value) (bool, error) { return (&comparison{}).less(a, b, true) }

func (c *comparison) less(a, b plain.Value, orEqual bool) (bool, error) {
	if err := c.step(); err != nil {
		return false, err
	}
	for _, v := range []plain.Value{a, b} {
		if o, ok := v.(plain.Object); ok {
			return false, fmt.Errorf("%w: it is a %s", ErrObject, o.Type)
		}
	}
	a, b = unwrap(a), unwrap(b)
	if x, ok := number(a); ok {
		y, ok := number(b)
		if !ok || x.cplx || y.cplx {
			return false, ErrType
		}
		r := cmpReal(x, y)
		return r == -1 || orEqual && r == 0, nil
	}
	switch x := a.(type) {
	case plain.Str: // UTF-8 sorts as code points do
		y, ok := b.(plain.Str)
		if !ok {
			return false, ErrType
		}
		return x < y || orEqual && x == y, nil
	case plain.Bytes:
		y, ok := b.(plain.Bytes)
		if !ok {
			return false, ErrType
		}
		return x < y || orEqual && x == y, nil
	case plain.List:
		if y, ok := b.(plain.List); ok {
			return c.lexical(x, y, orEqual)
		}
	case plain.Tuple:
		if y, ok := b.(plain.Tuple); ok {
			return c.lexical(x, y, orEqual)
		}
	case plain.Set, plain.FrozenSet:
		return c.subset(a, b, orEqual)
	}
	return false, ErrType
}

func (c *comparison) lexical(x, y []plain.Value, orEqual bool) (bool, error) {
	for i := range min(len(x), len(y)) {
		eq, err := c.equal(x[i], y[i])
		if err != nil {
			return false, err
		}
		if !eq {
			return c.less(x[i], y[i], orEqual)
		}
	}
	return len(x) < len(y) || orEqual && len(x) == len(y), nil
}

func (c *comparison) subset(a, b plain.Value, orEqual bool) (bool, error) {
	x, y := members(a), members(b)
	if x == nil || y == nil {
		return false, ErrType
	}
	left, err := c.keys(x)
	if err != nil {
		return false, err
	}
	right, err := c.keys(y)
	if err != nil {
		return false, err
	}
	for k := range left {
		if _, ok := right[k]; !ok {
			return false, nil
		}
	}
	return orEqual || len(left) < len(right), nil
}

// In is a in b.
func In(a, b plain.Value) (bool, error) {
	c := &comparison{}
	if o, ok := b.(plain.Object); ok {
		return false, fmt.Errorf("%w: it is a %s", ErrObject, o.Type)
	}
	var items []plain.Value
	switch b := unwrap(b).(type) {
	case plain.Str:
		s, ok := unwrap(a).(plain.Str)
		if !ok {
			if o, isObject := a.(plain.Object); isObject {
				return false, fmt.Errorf("%w: it is a %s", ErrObject, o.Type)
			}
			return false, ErrType
		}
		return strings.Contains(string(b), string(s)), nil
	case plain.Bytes:
		return inBytes(a, b)
	case plain.List:
		items = b
	case plain.Tuple:
		items = b
	case plain.Set:
		return c.member(frozen(a), b)
	case plain.FrozenSet:
		return c.member(frozen(a), b)
	case plain.Dict:
		for _, p := range b {
			items = append(items, p.Key)
		}
		return c.member(a, items)
	default:
		return false, ErrType
	}
	for _, x := range items {
		if eq, err := c.equal(a, x); eq || err != nil {
			return eq, err
		}
	}
	return false, nil
}

// frozen is what Python looks for when a set is sought in a set.
func frozen(v plain.Value) plain.Value {
	if s, ok := v.(plain.Set); ok {
		return plain.FrozenSet(s)
	}
	return v
}

// inBytes is a part of bytes, or one byte as a number.
func inBytes(a plain.Value, b plain.Bytes) (bool, error) {
	if part, ok := unwrap(a).(plain.Bytes); ok {
		return strings.Contains(string(b), string(part)), nil
	}
	if o, ok := a.(plain.Object); ok {
		return false, fmt.Errorf("%w: it is a %s", ErrObject, o.Type)
	}
	n, ok := number(a)
	if !ok || n.i == nil || !n.i.IsInt64() || n.i.Int64() < 0 || n.i.Int64() > 255 {
		return false, ErrType
	}
	return strings.IndexByte(string(b), byte(n.i.Int64())) >= 0, nil
}

func (c *comparison) member(a plain.Value, items []plain.Value) (bool, error) {
	k, err := c.key(a)
	if err != nil {
		return false, err
	}
	set, err := c.keys(items)
	_, ok := set[k]
	return ok, err
}

// Truth is bool(v).
func Truth(v plain.Value) (bool, error) {
	if o, ok := v.(plain.Object); ok {
		return false, fmt.Errorf("%w: the truth of a %s", ErrObject, o.Type)
	}
	v = unwrap(v)
	if n, ok := number(v); ok {
		return n.i != nil && n.i.Sign() != 0 || n.i == nil && (n.f != 0 || n.im != 0), nil
	}
	switch v := v.(type) {
	case nil:
		return false, nil
	case plain.Str:
		return v != "", nil
	case plain.Bytes:
		return v != "", nil
	case plain.List:
		return len(v) > 0, nil
	case plain.Tuple:
		return len(v) > 0, nil
	case plain.Set:
		return len(v) > 0, nil
	case plain.FrozenSet:
		return len(v) > 0, nil
	case plain.Dict:
		return len(v) > 0, nil
	}
	return false, fmt.Errorf("%w: the truth of a %T is not known here", ErrUndecided, v)
}

// AbsDifference is abs(a - b).
func AbsDifference(a, b plain.Value) (plain.Value, error) {
	for _, v := range []plain.Value{a, b} {
		if o, ok := v.(plain.Object); ok {
			return nil, fmt.Errorf("%w: arithmetic with a %s", ErrObject, o.Type)
		}
	}
	x, ok1 := number(approximate(a))
	y, ok2 := number(approximate(b))
	switch {
	case !ok1 || !ok2:
		return nil, ErrType
	case x.i != nil && y.i != nil:
		d := new(big.Int).Sub(x.i, y.i)
		return plain.Int(d.Abs(d)), nil
	}
	re, err := asFloat(x)
	if err != nil {
		return nil, err
	}
	other, err := asFloat(y)
	if err != nil {
		return nil, err
	}
	if x.cplx || y.cplx {
		return math.Hypot(re-other, x.im-y.im), nil
	}
	return math.Abs(re - other), nil
}

func asFloat(n num) (float64, error) {
	if n.i == nil {
		return n.f, nil
	}
	f, _ := new(big.Float).SetInt(n.i).Float64()
	if math.IsInf(f, 0) {
		return 0, fmt.Errorf("%w: int too large to convert to float", ErrType)
	}
	return f, nil
}

// approximate takes a Fraction for the nearest float, as arithmetic with a float does.
func approximate(v plain.Value) plain.Value {
	if o, ok := v.(plain.Other); ok && o.Kind == "fractions.Fraction" {
		if r, ok := rational(v); ok {
			f, _ := r.Float64()
			return f
		}
	}
	return v
}
