package exact

import (
	"math/big"
	"slices"
	"strings"
)

// factor is a generator with its exponent.
type factor struct {
	id  int
	exp int
}

// term is a coefficient times factors, which are sorted by id.
type term struct {
	c *big.Rat
	f []factor
}

// Poly is a sum of terms, by the key of their factors. It is never changed after it was made.
type Poly map[string]*term

// costTerm is what a product of two terms costs besides its coefficients, in limb operations: most of it is memory.
const costTerm = 48

func keyOf(f []factor) string {
	b := make([]byte, 0, 3*len(f))
	for _, x := range f {
		b = append(b, byte(x.id), byte(x.exp), byte(x.exp>>8))
	}
	return string(b)
}

func constant(v *big.Rat) Poly {
	if v.Sign() == 0 {
		return Poly{}
	}
	return Poly{"": &term{c: v}}
}

// rational gives the value of a polynomial without generators.
func (p Poly) rational() (*big.Rat, bool) {
	switch len(p) {
	case 0:
		return new(big.Rat), true
	case 1:
		if t := p[""]; t != nil {
			return t.c, true
		}
	}
	return nil, false
}

func (p Poly) put(t *term) {
	k := keyOf(t.f)
	if old := p[k]; old != nil {
		sum := new(big.Rat).Add(old.c, t.c)
		if sum.Sign() == 0 {
			delete(p, k)
			return
		}
		p[k] = &term{c: sum, f: old.f}
		return
	}
	if t.c.Sign() != 0 {
		p[k] = t
	}
}

func (x *Context) add(a, b Poly) (Poly, error) {
	out := make(Poly, len(a)+len(b))
	for k, t := range a {
		out[k] = t
	}
	for _, t := range b {
		if err := x.budget.Spend(4 + limbs(t.c)); err != nil {
			return nil, err
		}
		out.put(t)
	}
	return out, x.check(out)
}

func (x *Context) check(p Poly) error {
	if len(p) > maxTerms {
		return ErrWork
	}
	for _, t := range p {
		if t.c.Num().BitLen()+t.c.Denom().BitLen() > 8*maxBits {
			return ErrWork
		}
	}
	return nil
}

func scale(p Poly, c *big.Rat) Poly {
	if c.Sign() == 0 {
		return Poly{}
	}
	out := make(Poly, len(p))
	for k, t := range p {
		out[k] = &term{c: new(big.Rat).Mul(t.c, c), f: t.f}
	}
	return out
}

func (x *Context) mul(a, b Poly) (Poly, error) {
	if v, ok := a.rational(); ok {
		return scale(b, v), x.budget.Spend(4 * len(b) * limbs(v))
	}
	if v, ok := b.rational(); ok {
		return scale(a, v), x.budget.Spend(4 * len(a) * limbs(v))
	}
	out := make(Poly, len(a)*len(b))
	for _, s := range a {
		for _, t := range b {
			if err := x.budget.Spend(costTerm + limbs(s.c)*limbs(t.c)); err != nil {
				return nil, err
			}
			if err := x.mulTerms(out, s, t); err != nil {
				return nil, err
			}
			if len(out) > maxTerms {
				return nil, ErrWork
			}
		}
	}
	return out, x.check(out)
}

// mulTerms adds s·t to out, with the relations of the generators applied: √d·√d = d, i·i = −1.
func (x *Context) mulTerms(out Poly, s, t *term) error {
	c := new(big.Rat).Mul(s.c, t.c)
	merged := make([]factor, 0, len(s.f)+len(t.f))
	var squares []Poly // what generators with a relation leave behind
	i, j := 0, 0
	for i < len(s.f) || j < len(t.f) {
		var f factor
		switch {
		case j == len(t.f) || i < len(s.f) && s.f[i].id < t.f[j].id:
			f = s.f[i]
			i++
		case i == len(s.f) || t.f[j].id < s.f[i].id:
			f = t.f[j]
			j++
		default:
			f = factor{s.f[i].id, s.f[i].exp + t.f[j].exp}
			i++
			j++
		}
		if f.exp > maxPower {
			return ErrWork
		}
		if sq := x.gens[f.id].square; sq != nil && f.exp >= 2 {
			if v, ok := sq.rational(); ok {
				for range f.exp / 2 {
					c.Mul(c, v)
				}
			} else {
				for range f.exp / 2 {
					squares = append(squares, sq)
				}
			}
			f.exp %= 2
		}
		if f.exp > 0 {
			merged = append(merged, f)
		}
	}
	if len(squares) == 0 {
		out.put(&term{c: c, f: merged})
		return nil
	}
	p := Poly{keyOf(merged): &term{c: c, f: merged}}
	var err error
	for _, sq := range squares {
		if p, err = x.mul(p, sq); err != nil {
			return err
		}
	}
	for _, t := range p {
		out.put(t)
	}
	return nil
}

// sorted gives the terms in the order of their keys, so that text made of them repeats.
func (p Poly) sorted() []*term {
	keys := make([]string, 0, len(p))
	for k := range p {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	out := make([]*term, len(keys))
	for i, k := range keys {
		out[i] = p[k]
	}
	return out
}

// show writes a polynomial: 3*x^2+1/2.
func (x *Context) show(p Poly) string {
	if len(p) == 0 {
		return "0"
	}
	parts := make([]string, 0, len(p))
	for _, t := range p.sorted() {
		var b strings.Builder
		one := t.c.IsInt() && t.c.Num().IsInt64() && t.c.Num().Int64() == 1
		if !one || len(t.f) == 0 {
			b.WriteString(t.c.RatString())
		}
		for _, f := range t.f {
			if b.Len() > 0 {
				b.WriteByte('*')
			}
			b.WriteString(x.gens[f.id].key)
			if f.exp > 1 {
				b.WriteByte('^')
				b.WriteString(new(big.Int).SetInt64(int64(f.exp)).String())
			}
		}
		parts = append(parts, b.String())
	}
	slices.Sort(parts)
	return strings.Join(parts, "+")
}
