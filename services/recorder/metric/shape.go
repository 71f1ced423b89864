package metric

import "math"

// Shape is what the steps of a run have in common: the names and tags of their metrics, in order. Engines report the same
// metrics step after step, so whoever reads a step can look up once what it would else search for in each. It never
// changes, and runs share it.
type Shape struct {
	values []Value // sorted by name; without numbers
	ranges []span  // by value
	table  []uint16
	unique bool
}

// span is where a value is finite and can be what its name says.
type span struct{ low, high float64 }

// maxShape bounds the values of a shape; a step of more has none.
const maxShape = 1 << 12

// NewShape makes the shape of sorted values; nil where there are too many of them. It keeps a copy without their numbers.
func NewShape(values []Value) *Shape {
	if len(values) > maxShape {
		return nil
	}
	s := &Shape{values: make([]Value, len(values)), ranges: make([]span, len(values)), unique: true}
	size := 8
	for size < 4*len(values) {
		size *= 2
	}
	s.table = make([]uint16, size)
	for i := range values {
		v := &s.values[i]
		*v = values[i]
		v.X, v.N = 0, 0
		s.ranges[i] = rangeOf(*v)
		if i > 0 && s.values[i-1].Name == v.Name {
			s.unique = false
		}
		if v.Scope != "eval" && s.Index(v.Name) < 0 {
			at := s.slot(v.Name)
			for s.table[at] != 0 {
				at = (at + 1) & (len(s.table) - 1)
			}
			s.table[at] = uint16(i + 1)
		}
	}
	return s
}

// Values are the shape's values without their numbers. They are shared: read only.
func (s *Shape) Values() []Value { return s.values }

// Unique tells that no name is there twice, as one is that has a training and an evaluation value.
func (s *Shape) Unique() bool { return s.unique }

// Index is where the training value of a name is; -1 where there is none.
func (s *Shape) Index(name string) int {
	for at := s.slot(name); s.table[at] != 0; at = (at + 1) & (len(s.table) - 1) {
		if i := int(s.table[at]) - 1; s.values[i].Name == name {
			return i
		}
	}
	return -1
}

// slot mixes the length and four letters: names of metrics differ in them.
func (s *Shape) slot(name string) int {
	n := len(name)
	if n == 0 {
		return 0
	}
	h := uint32(n)
	for _, c := range [4]byte{name[0], name[n/2], name[3*n/4], name[n-1]} {
		h = h*31 + uint32(c)
	}
	return int(h^h>>7) & (len(s.table) - 1)
}

// Sane tells that every number is finite and can be what its name says: the usual case, of which nobody needs the details.
func (s *Shape) Sane(values []Value) bool {
	for i := range values {
		if x, r := values[i].X, &s.ranges[i]; !(x >= r.low && x <= r.high) { // NaN is in no range
			return false
		}
	}
	return true
}

// rangeOf is where [Problem] finds nothing and the value is finite.
func rangeOf(v Value) span {
	r := span{-math.MaxFloat64, math.MaxFloat64}
	spec, known := Lookup(v.Name)
	if !known {
		return r
	}
	switch spec.Domain {
	case Fraction:
		r = span{0, 1}
	case NonNegative:
		r.low = 0
	case Any:
	}
	if v.Estimator == "k3" {
		r.low = max(r.low, leastK3)
	}
	return r
}
