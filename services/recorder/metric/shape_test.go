package metric

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// drawn is a step's values with names of all kinds, some of them twice.
func drawn(r *rand.Rand) []Value {
	names := append(Names(), "raw.a", "raw.b", "raw.", "", "reward.component.x")
	var vs []Value
	for range r.IntN(60) {
		v := Value{Name: names[r.IntN(len(names))], X: r.NormFloat64(), N: 3}
		v.Scope = []string{"", "train", "eval"}[r.IntN(3)]
		v.Estimator = []string{"", "k1", "k3"}[r.IntN(3)]
		switch r.IntN(12) {
		case 0:
			v.X = math.NaN()
		case 1:
			v.X = math.Inf(1 - 2*r.IntN(2))
		case 2:
			v.X = -1e-10
		}
		vs = append(vs, v)
	}
	slices.SortStableFunc(vs, func(a, b Value) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Scope, b.Scope)) })
	return vs
}

// A shape answers as a look at every value does.
func TestShapeAnswersAsTheValuesDo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	insane := 0
	for range 3000 {
		vs := drawn(r)
		s := NewShape(vs)
		for _, name := range append(Names(), "raw.a", "", "raw.c", "kl") {
			want := slices.IndexFunc(vs, func(v Value) bool { return v.Name == name && v.Scope != "eval" })
			if got := s.Index(name); got != want {
				t.Fatalf("%q is at %d, want %d in %v", name, got, want, vs)
			}
		}
		sane := !slices.ContainsFunc(vs, func(v Value) bool { return !v.Finite() || Problem(v) != "" })
		if s.Sane(vs) != sane {
			t.Fatalf("sane is %t, want %t: %v", s.Sane(vs), sane, vs)
		}
		if !sane {
			insane++
		}
		twice := false
		for i := range vs {
			twice = twice || i > 0 && vs[i].Name == vs[i-1].Name
			if v := s.Values()[i]; v.X != 0 || v.N != 0 || v.Name != vs[i].Name || v.Tags != vs[i].Tags {
				t.Fatalf("value %d is %+v of %+v", i, v, vs[i])
			}
		}
		if s.Unique() == twice {
			t.Fatalf("unique is %t: %v", s.Unique(), vs)
		}
	}
	if insane < 100 || insane > 2900 {
		t.Errorf("%d of 3000 steps had a value that cannot be", insane)
	}
}

func TestShapeOfTooManyValues(t *testing.T) {
	vs := make([]Value, maxShape+1)
	for i := range vs {
		vs[i].Name = "raw." + strconv.Itoa(1e6+i)
	}
	if NewShape(vs) != nil {
		t.Error("a shape of any size would let one run take the memory of all")
	}
	s := NewShape(vs[:maxShape])
	for i := range maxShape {
		if s.Index(vs[i].Name) != i {
			t.Fatalf("value %d is at %d", i, s.Index(vs[i].Name))
		}
	}
}
