package exact

import "math/big"

// Ratio says whether a = c·b for a constant c other than zero, and gives c. Differ is a proof, as in Compare.
func (x *Context) Ratio(a, b Form) (*big.Rat, Answer, error) {
	l, err := x.mul(a.Num, b.Den)
	if err != nil {
		return nil, Unknown, err
	}
	r, err := x.mul(b.Num, a.Den)
	if err != nil {
		return nil, Unknown, err
	}
	if len(l) == 0 || len(r) == 0 {
		return nil, Differ, nil // always true or always false: no other relation is like it
	}
	sure := x.decisive(l) && x.decisive(r)
	unknown := Unknown
	if sure {
		unknown = Differ
	}
	first := l.sorted()[0]
	other := r[keyOf(first.f)]
	if other == nil {
		return nil, unknown, nil
	}
	c := new(big.Rat).Quo(first.c, other.c)
	d, err := x.add(l, scale(r, new(big.Rat).Neg(c)))
	if err != nil {
		return nil, Unknown, err
	}
	if len(d) == 0 {
		return c, Same, nil
	}
	return nil, unknown, nil
}
