package pyvalue

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// key is a text that is the same for values that are equal as keys of a dict or members of a set.
func (c *comparison) key(v plain.Value) (string, error) {
	if err := c.step(); err != nil {
		return "", err
	}
	v = unwrap(v)
	if n, ok := number(v); ok {
		return c.numberKey(n), nil
	}
	switch v := v.(type) {
	case nil:
		return "N", nil
	case plain.Str:
		return "s" + string(v), nil
	case plain.Bytes:
		return "b" + string(v), nil
	case plain.Tuple:
		var b strings.Builder
		b.WriteByte('(')
		for _, x := range v {
			k, err := c.key(x)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "%d:%s", len(k), k)
		}
		return b.String(), nil
	case plain.FrozenSet:
		set, err := c.keys(v)
		if err != nil {
			return "", err
		}
		list := make([]string, 0, len(set))
		for k := range set {
			list = append(list, strconv.Itoa(len(k))+":"+k)
		}
		slices.Sort(list)
		return "<" + strings.Join(list, ""), nil
	case plain.Other:
		k, err := c.key(v.State)
		return "o" + v.Kind + ":" + k, err
	case plain.Object:
		if v.Flags&plain.Inert == 0 {
			return "", fmt.Errorf("%w: it is a key of type %s", ErrObject, v.Type)
		}
		return fmt.Sprintf("h%d", v.ID), nil // by identity
	}
	return "", fmt.Errorf("%w: unhashable %T as a key", ErrType, v)
}

func (c *comparison) numberKey(n num) string {
	if n.i == nil && n.im == 0 && n.f == math.Trunc(n.f) && !math.IsInf(n.f, 0) {
		exact, _ := new(big.Float).SetFloat64(n.f).Int(nil)
		n.i = exact
	}
	if n.i != nil {
		return "i" + n.i.Text(62)
	}
	if math.IsNaN(n.f) || math.IsNaN(n.im) { // equal to nothing, not to itself either
		return fmt.Sprintf("nan%d", c.work)
	}
	return "f" + strconv.FormatFloat(n.f, 'x', -1, 64) + "," + strconv.FormatFloat(n.im+0, 'x', -1, 64)
}
