package exact

import "math/big"

// generator is something that a polynomial is made of.
type generator struct {
	key    string
	square Poly // what its square is; nil where nothing is known
	kind   genKind
}

type genKind uint8

const (
	genSymbol genKind = iota // a free variable
	genRoot                  // √p, p prime
	genImaginary
	genPi
	genE
	genAtom // anything else; relations between atoms are unknown
)

// Context holds the generators of one comparison: both sides must share them.
type Context struct {
	gens   []generator
	ids    map[string]int
	budget *Budget
	// PhiIsName treats φ as a symbol: both sides have it, so it may be an angle.
	PhiIsName bool
}

// NewContext makes a context that knows i.
func NewContext(b *Budget) *Context {
	i := generator{key: "i", kind: genImaginary, square: constant(big.NewRat(-1, 1))}
	return &Context{ids: map[string]int{i.key: 0}, gens: []generator{i}, budget: b}
}

// maxGenerators fits an id in a byte of a key.
const maxGenerators = 200

func (x *Context) gen(key string, kind genKind, square Poly) (int, error) {
	if id, ok := x.ids[key]; ok {
		return id, nil
	}
	if len(x.gens) >= maxGenerators {
		return 0, ErrWork
	}
	id := len(x.gens)
	x.gens = append(x.gens, generator{key: key, square: square, kind: kind})
	x.ids[key] = id
	return id, nil
}

func (x *Context) generatorPoly(key string, kind genKind, square Poly) (Poly, error) {
	id, err := x.gen(key, kind, square)
	if err != nil {
		return nil, err
	}
	f := []factor{{id, 1}}
	return Poly{keyOf(f): &term{c: big.NewRat(1, 1), f: f}}, nil
}

// decisive says whether a polynomial that has terms is proved to be different from zero. π and e are transcendental, but
// whether they depend on each other is not known, and atoms may depend on anything.
func (x *Context) decisive(p Poly) bool {
	pi, e := false, false
	for _, t := range p {
		for _, f := range t.f {
			switch x.gens[f.id].kind {
			case genAtom:
				return false
			case genPi:
				pi = true
			case genE:
				e = true
			}
		}
	}
	return !(pi && e)
}
