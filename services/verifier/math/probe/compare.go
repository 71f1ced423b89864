package probe

import (
	"errors"
	"hash/fnv"
	"math/big"
	"math/rand/v2"
	"slices"

	"github.com/provenir/provenir/services/verifier/math/ball"
	"github.com/provenir/provenir/services/verifier/math/exact"
	"github.com/provenir/provenir/services/verifier/math/syntax"
)

// Options of a comparison.
type Options struct {
	Budget    *exact.Budget
	PhiIsName bool
	// Digits above 0 asks for agreement to so many digits only: one side holds a decimal, which is a rounded number.
	Digits int
}

// need is how many points must agree.
const need = 3

// Compare evaluates both sides at points that their text decides. The error is exact.ErrWork.
func Compare(a, b *syntax.Node, o Options) (Answer, error) {
	names := union(a, b, o.PhiIsName)
	if len(names) == 0 {
		return o.constants(a, b)
	}
	p := newPoints(a, b, names)
	agreed, tried := 0, 0
	for at := range p.all {
		if p.integers && agreed >= need {
			break // integers are for what has values nowhere else
		}
		answer, err := o.at(a, b, Point{Values: at.values, Real: at.real, PhiIsName: o.PhiIsName})
		if err != nil && !errors.Is(err, ball.ErrLarge) {
			return exact.Unknown, err
		}
		tried++
		switch answer {
		case exact.Differ:
			return exact.Differ, nil
		case exact.Same:
			agreed++
		}
	}
	if agreed >= need {
		return exact.Same, nil
	}
	return exact.Unknown, nil
}

// constants have one value; one that is too large to compute with is a limit, and not only a point to skip.
func (o Options) constants(a, b *syntax.Node) (Answer, error) {
	answer, err := o.at(a, b, Point{})
	if errors.Is(err, ball.ErrLarge) {
		err = exact.ErrWork
	}
	return answer, err
}

// at compares at one point; Unknown where a side has no value or too wide a one.
func (o Options) at(a, b *syntax.Node, p Point) (Answer, error) {
	x, err := Eval(a, p, o.Budget)
	if err == nil {
		var y ball.Complex
		if y, err = Eval(b, p, o.Budget); err == nil {
			return o.judge(x, y), nil
		}
	}
	if errors.Is(err, exact.ErrWork) || errors.Is(err, ball.ErrLarge) {
		return exact.Unknown, err
	}
	return exact.Unknown, nil
}

func (o Options) judge(x, y ball.Complex) Answer {
	if o.Digits > 0 {
		return ball.Agree(x, y, o.Digits)
	}
	return ball.Same(x, y)
}

func union(a, b *syntax.Node, phi bool) []string {
	names := append(a.Names(), b.Names()...)
	if phi {
		names = append(names, "φ")
	}
	slices.Sort(names)
	return slices.Compact(names)
}

type point struct {
	values map[string]ball.Complex
	real   bool
}

// points gives the points of a comparison: within (0,1) for arcsin and the like, positive, of both signs, far away in
// steps, one complex, and integers at last. Far points matter: |x−100| and 100−x agree wherever x is small.
type points struct {
	names    []string
	rng      *rand.Rand
	complex  bool // no function that needs an order occurs
	integers bool // the points given now are integers
	beyond   int  // bits of the largest number that occurs
}

func newPoints(a, b *syntax.Node, names []string) *points {
	// The texts seed the points, in an order that does not depend on which side is which.
	s, t := a.String(), b.String()
	if s > t {
		s, t = t, s
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	_, _ = h.Write([]byte{0})
	_, _ = h.Write([]byte(t))
	p := &points{names: names, rng: rand.New(rand.NewPCG(h.Sum64(), 1)), complex: true}
	for _, n := range [...]*syntax.Node{a, b} {
		n.Walk(func(m *syntax.Node) bool {
			switch m.Kind {
			case syntax.Call:
				switch m.Text {
				case "abs", "floor", "ceil", "max", "min", "sgn", "gcd", "lcm":
					p.complex = false
				}
			case syntax.Pow: // (−1)^n means its values at integers
				if v := plainRat(m.Args[0]); v != nil && v.Sign() < 0 && len(m.Args[1].Names()) > 0 {
					p.complex = false
				}
				if b, e := plainRat(m.Args[0]), plainRat(m.Args[1]); b != nil && e != nil && e.IsInt() && e.Num().IsInt64() && e.Sign() > 0 && e.Num().Int64() < 1000 {
					p.beyond = max(p.beyond, (b.Num().BitLen()-b.Denom().BitLen()+1)*int(e.Num().Int64()))
				}
			case syntax.Number:
				p.beyond = max(p.beyond, m.Value.Num().BitLen()-m.Value.Denom().BitLen()+1)
			}
			return true
		})
	}
	return p
}

// families are the ranges in which points lie: bits of the magnitude, and whether signs vary.
var families = [...]struct {
	bits   int
	signed bool
}{{0, false}, {2, false}, {2, true}, {0, true}, {5, true}, {10, true}, {20, true}, {2, true}}

func (p *points) all(yield func(point) bool) {
	for _, f := range families {
		if !yield(p.draw(f.bits, f.signed, 0)) {
			return
		}
	}
	if p.complex && !yield(p.draw(1, false, 1)) {
		return
	}
	if p.beyond > 20 && p.beyond < 200 {
		if !yield(p.draw(p.beyond+1, true, 0)) {
			return
		}
	}
	p.integers = true
	for k := range int64(8) {
		values := map[string]ball.Complex{}
		for i, n := range p.names {
			values[n] = ball.FromReal(ball.FromInt(2 + (k*int64(2*i+1)+int64(p.rng.IntN(3)))%11))
		}
		if !yield(point{values, true}) {
			return
		}
	}
}

// draw makes a point of fractions with 20 bits behind the point: exact in a ball, and no integer.
func (p *points) draw(bits int, signed bool, imaginary int) point {
	values := map[string]ball.Complex{}
	for _, n := range p.names {
		v := p.coordinate(bits)
		if signed && p.rng.IntN(2) == 0 {
			v.Neg(v)
		}
		z := ball.FromReal(ball.FromRat(v))
		if imaginary > 0 {
			im := p.coordinate(0)
			z.Im = ball.FromRat(im.Mul(im, big.NewRat(1, 2)))
		}
		values[n] = z
	}
	return point{values, imaginary == 0}
}

func (p *points) coordinate(bits int) *big.Rat {
	n := new(big.Int).SetUint64(p.rng.Uint64()>>44 | 1)
	for shift := bits; shift > 0; shift -= 20 {
		n.Lsh(n, uint(min(shift, 20)))
		n.Or(n, new(big.Int).SetUint64(p.rng.Uint64()>>(64-min(shift, 20))|1))
	}
	return new(big.Rat).SetFrac(n, big.NewInt(1<<20))
}
