// Package pyvalue compares plain data as Python would: 1 == 1.0 == True, integers against floats exactly, list ≠ tuple,
// set = frozenset, dicts in no order, NaN ≠ NaN. It runs no code of anybody's, so a value cannot decide how it compares.
package pyvalue

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// ErrObject is a comparison that only a candidate's own object could decide. That is not evidence.
var ErrObject = errors.New("a comparison would be decided by an object of the candidate's")

// ErrType is what Python raises TypeError for.
var ErrType = errors.New("TypeError")

// maxWork bounds a comparison: two values of a message's size compare well within it.
const maxWork = 1 << 22

// Equal is a == b.
func Equal(a, b plain.Value) (bool, error) { return (&comparison{}).equal(a, b) }

type comparison struct{ work int }

func (c *comparison) step() error {
	if c.work++; c.work > maxWork {
		return errors.New("a comparison takes too long")
	}
	return nil
}

func (c *comparison) equal(a, b plain.Value) (bool, error) {
	if err := c.step(); err != nil {
		return false, err
	}
	if inert, err := objects(a, b); inert || err != nil {
		return false, err
	}
	a, b = unwrap(a), unwrap(b)
	if x, ok := number(a); ok {
		if y, ok := number(b); ok {
			return x.equal(y), nil
		}
		return ratEqual(a, b), nil
	}
	if _, ok := rational(a); ok {
		return ratEqual(a, b), nil
	}
	switch x := a.(type) {
	case nil:
		return b == nil, nil
	case plain.Str:
		y, ok := b.(plain.Str)
		return ok && x == y, nil
	case plain.Bytes:
		y, ok := b.(plain.Bytes)
		return ok && x == y, nil
	case plain.List:
		y, ok := b.(plain.List)
		if !ok {
			return false, nil
		}
		return c.items(x, y)
	case plain.Tuple:
		y, ok := b.(plain.Tuple)
		if !ok {
			return false, nil
		}
		return c.items(x, y)
	case plain.Set, plain.FrozenSet:
		return c.sets(a, b)
	case plain.Dict:
		y, ok := b.(plain.Dict)
		if !ok {
			return false, nil
		}
		return c.dicts(x, y)
	case plain.Other:
		y, ok := b.(plain.Other)
		if !ok || x.Kind != y.Kind {
			return false, nil
		}
		return c.equal(x.State, y.State)
	}
	return false, fmt.Errorf("a value of type %T", a)
}

// objects says whether a side is an object; one that compares by identity is unequal to all plain data, any other decides
// for itself, which is refused.
func objects(a, b plain.Value) (inert bool, err error) {
	for _, v := range []plain.Value{a, b} {
		if o, ok := v.(plain.Object); ok {
			if o.Flags&plain.Inert == 0 {
				return false, fmt.Errorf("%w: it is a %s", ErrObject, o.Type)
			}
			inert = true
		}
	}
	return inert, nil
}

// unwrap takes a value of the standard library for the built-in one that it equals.
func unwrap(v plain.Value) plain.Value {
	o, ok := v.(plain.Other)
	if !ok {
		return v
	}
	switch o.Kind {
	case "namedtuple":
		if t, ok := o.State.(plain.Tuple); ok && len(t) == 3 {
			if values, ok := t[2].(plain.List); ok {
				return plain.Tuple(values)
			}
		}
	case "bytearray", "collections.Counter", "collections.OrderedDict", "collections.defaultdict":
		switch o.State.(type) {
		case plain.Bytes, plain.Dict:
			return o.State
		}
	}
	return v
}

func (c *comparison) items(x, y []plain.Value) (bool, error) {
	if len(x) != len(y) {
		return false, nil
	}
	for i := range x {
		if eq, err := c.equal(x[i], y[i]); !eq || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (c *comparison) sets(a, b plain.Value) (bool, error) {
	x, y := members(a), members(b)
	if y == nil {
		return false, nil
	}
	left, err := c.keys(x)
	if err != nil {
		return false, err
	}
	right, err := c.keys(y)
	if err != nil || len(left) != len(right) {
		return false, err
	}
	for k := range left {
		if _, ok := right[k]; !ok {
			return false, nil
		}
	}
	return true, nil
}

// members gives a set's; not nil for an empty one.
func members(v plain.Value) []plain.Value {
	switch s := v.(type) {
	case plain.Set:
		return append([]plain.Value{}, s...)
	case plain.FrozenSet:
		return append([]plain.Value{}, s...)
	}
	return nil
}

func (c *comparison) keys(list []plain.Value) (map[string]int, error) {
	out := make(map[string]int, len(list))
	for i, v := range list {
		k, err := c.key(v)
		if err != nil {
			return nil, err
		}
		out[k] = i
	}
	return out, nil
}

func (c *comparison) dicts(x, y plain.Dict) (bool, error) {
	left, err := c.index(x)
	if err != nil {
		return false, err
	}
	right, err := c.index(y)
	if err != nil || len(left) != len(right) {
		return false, err
	}
	for k, v := range left {
		w, ok := right[k]
		if !ok {
			return false, nil
		}
		if eq, err := c.equal(v, w); !eq || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (c *comparison) index(d plain.Dict) (map[string]plain.Value, error) {
	out := make(map[string]plain.Value, len(d))
	for _, p := range d {
		k, err := c.key(p.Key)
		if err != nil {
			return nil, err
		}
		out[k] = p.Value
	}
	return out, nil
}

// num is a number of any kind: real and imaginary part.
type num struct {
	i    *big.Int // exact, or nil for a float
	f    float64
	im   float64
	cplx bool
}

func number(v plain.Value) (num, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return num{i: big.NewInt(1)}, true
		}
		return num{i: new(big.Int)}, true
	case int64:
		return num{i: big.NewInt(v)}, true
	case *big.Int:
		return num{i: v}, true
	case float64:
		return num{f: v}, true
	case complex128:
		return num{f: real(v), im: imag(v), cplx: true}, true
	}
	return num{}, false
}

func (x num) equal(y num) bool { return x.im == y.im && cmpReal(x, y) == 0 }

// cmpReal compares real parts exactly; 2 where one is NaN.
func cmpReal(x, y num) int {
	switch {
	case x.i != nil && y.i != nil:
		return x.i.Cmp(y.i)
	case x.i == nil && y.i == nil:
		switch {
		case x.f < y.f:
			return -1
		case x.f > y.f:
			return 1
		case x.f == y.f:
			return 0
		}
		return 2
	case x.i == nil:
		return flip(cmpReal(y, x))
	}
	switch {
	case math.IsNaN(y.f):
		return 2
	case math.IsInf(y.f, 1):
		return -1
	case math.IsInf(y.f, -1):
		return 1
	}
	whole, rest := math.Modf(y.f)
	exact, _ := new(big.Float).SetFloat64(whole).Int(nil)
	if c := x.i.Cmp(exact); c != 0 {
		return c
	}
	switch {
	case rest > 0:
		return -1
	case rest < 0:
		return 1
	}
	return 0
}

func flip(c int) int {
	if c == 2 {
		return 2
	}
	return -c
}

// ErrUndecided is a value of the standard library whose rule is not known in Go; a judge in Python knows it.
var ErrUndecided = errors.New("the value is of a kind that only Python can judge")
