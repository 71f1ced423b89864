package equal

import (
	"math/big"
	"testing"

	"github.com/provenir/provenir/services/verifier/math/exact"
	"github.com/provenir/provenir/services/verifier/math/syntax"
)

func parse(t testing.TB, text string) *syntax.Node {
	t.Helper()
	n, err := syntax.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

func newComparer() *comparer {
	return &comparer{o: Defaults(), budget: exact.NewBudget(exact.MaxWork)}
}

// The package's own table lies one folder up and runs through the verifier; here are the parts that it does not show.
func TestOutcomes(t *testing.T) {
	tests := []struct {
		name, reference, answer string
		want                    Outcome
	}{
		{"equal", "1/2", "0.5", Equal},
		{"different", "1", "2", Different},
		{"kinds", "1", `\{1,2\}`, WrongKind},
		{"words against a number", "yes", "1", WrongKind},
		{"opaque", `\sum_{i=1}^n i`, "n", Undecided},
		{"tower", "9^{9^9}", "9^{9^8}", TooLarge},
		{"no value", "1/0", "1/0", Different},
		{"unknown functions", "f(x)", "g(x)", Undecided},
		{"a set too large to match", "1,2", largeList(), TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Compare(parse(t, tt.reference), parse(t, tt.answer), Defaults()).Outcome; got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

func largeList() string {
	s := "x_{0}"
	for range 60 {
		s += ", -1, -2"
	}
	return s
}

func TestNotes(t *testing.T) {
	if r := Compare(parse(t, "5 km"), parse(t, "5"), Defaults()); r.Outcome != Equal || !r.UnitMissing {
		t.Errorf("a missing unit: %+v", r)
	}
	if r := Compare(parse(t, "5 km"), parse(t, "6"), Defaults()); r.UnitMissing {
		t.Errorf("a note on what is different: %+v", r)
	}
	if r := Compare(parse(t, "3.14"), parse(t, "3,14"), Defaults()); r.Outcome != Equal || !r.DecimalComma {
		t.Errorf("a decimal comma: %+v", r)
	}
}

func TestSameRounded(t *testing.T) {
	tests := []struct {
		name     string
		a, b     string
		decimals int
		want     bool
	}{
		{"within", "0.3333334", "0.3333333", 6, true},
		{"beyond", "0.333333", "0.333334", 6, false},
		{"half away from zero", "0.125", "0.13", 2, true},
		{"negative half", "-0.125", "-0.13", 2, true},
		{"signs", "0.001", "-0.001", 2, false},
		{"tiny ones keep three digits", "0.0000001", "0.0000002", 6, false},
		{"tiny ones that agree", "0.000000123401", "0.000000123402", 6, true},
		{"zero", "0", "0.0000001", 6, false},
		{"no decimals", "2.4", "2.3", 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := new(big.Rat).SetString(tt.a)
			b, _ := new(big.Rat).SetString(tt.b)
			if got := sameRounded(a, b, tt.decimals); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestRealSets(t *testing.T) {
	tests := []struct {
		name, a, b string
		same       bool
	}{
		{"order of a union", `(1,2)\cup(3,4)`, `(3,4)\cup(1,2)`, true},
		{"touching ends join", `[1,2]\cup(2,3]`, "[1,3]", true},
		{"a gap of one point stays", `[1,2)\cup(2,3]`, "[1,3]", false},
		{"overlap", `[1,3]\cup[2,4]`, "[1,4]", true},
		{"within", `[1,9]\cup[2,4]`, "[1,9]", true},
		{"a point fills the gap", `[1,2)\cup\{2\}\cup(2,3]`, "[1,3]", true},
		{"without two points", `\mathbb{R}\setminus\{1,2\}`, `(-\infty,1)\cup(1,2)\cup(2,\infty)`, true},
		{"without an end", `[1,2]\setminus\{1\}`, "(1,2]", true},
		{"without a point outside", `[1,2]\setminus\{5\}`, "[1,2]", true},
		{"roots as ends", `(\sqrt2,\sqrt3)`, `(2^{1/2},3^{1/2})`, true},
		{"inequality", "x>3", `(3,\infty)`, true},
		{"from the right", "3<x", `(3,\infty)`, true},
		{"chain downwards", "5>x\\ge 1", "[1,5)", true},
		{"membership", `x\in[1,2]`, "[1,2]", true},
		{"closed is not open", "[1,2]", "[1,2)", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newComparer()
			a, okA := c.realSet(parse(t, tt.a))
			b, okB := c.realSet(parse(t, tt.b))
			if !okA || !okB {
				t.Fatalf("not read as sets: %v %v", okA, okB)
			}
			if got := c.sameSets(a, b) == Equal; got != tt.same {
				t.Errorf("%v, want %v: %+v %+v", got, tt.same, a, b)
			}
		})
	}
	for _, none := range []string{"(2,1)", "(x,2)", "x+y>2", "x^2<4", `A\cup B`, "5"} {
		if _, ok := newComparer().realSet(parse(t, none)); ok {
			t.Errorf("%s is read as a set of real numbers", none)
		}
	}
}

func TestExpand(t *testing.T) {
	tests := []struct {
		name, text string
		want       int
	}{{"none", "1+2", 1}, {"one", `1\pm2`, 2}, {"two without a link", `\pm1\pm2`, 1}, {"two that go together", `a\pm b\mp c`, 2}, {"within a root", `\sqrt{1\pm x}`, 2}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := expand(parse(t, tt.text)); len(got) != tt.want {
				t.Errorf("%d values, want %d", len(got), tt.want)
			}
		})
	}
	both := expand(parse(t, `a\pm b\mp c`))
	if Compare(both[0], parse(t, "a+b-c"), Defaults()).Outcome != Equal || Compare(both[1], parse(t, "a-b+c"), Defaults()).Outcome != Equal {
		t.Errorf("%v", both)
	}
}

// A greedy match would pair 0.333333 with 1/3 first and leave 0.3333332 alone, or the other way round.
func TestMatchingIsNotGreedy(t *testing.T) {
	c := newComparer()
	a := []*syntax.Node{parse(t, "0.333333"), parse(t, "1/3")}
	if got := c.matching(a, []*syntax.Node{a[1], a[0]}); got != Equal {
		t.Errorf("%d", got)
	}
	edges := [][]int{{0, 1}, {0}}
	owner := []int{-1, -1}
	for i := range edges {
		if !augment(i, edges, owner, make([]bool, 2)) {
			t.Fatalf("no match for %d", i)
		}
	}
	if owner[0] != 1 || owner[1] != 0 {
		t.Errorf("owners %v", owner)
	}
}

func TestValue(t *testing.T) {
	tests := []struct{ name, text, want string }{ // empty for none
		{"name", "x=5", "5"}, {"chain", "x=2+3=5", "5"}, {"numbers", "10/2=5", "5"}, {"contradiction", "x=4=5", ""}, {"false", "1=5", ""},
		{"expression", "a+b=7", ""}, {"function", "f(2)=3", "3"}, {"segment", "AB=4", "4"}, {"inequality", "x<5", ""}, {"membership", `x\in\{1,2\}`, `\{1,2\}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, ok := newComparer().value(parse(t, tt.text))
			if ok != (tt.want != "") || ok && v.String() != parse(t, tt.want).String() {
				t.Errorf("%v %v", v, ok)
			}
		})
	}
}
