package reward

import (
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func ptr[T any](v T) *T { return &v }

func member(i uint32) Expr { return Expr{Op: OpMember, Member: &i} }

func TestEval(t *testing.T) {
	clamp := Expr{Op: OpClamp, Lo: ptr(0.0), Hi: ptr(1.0), Parts: []Expr{{Op: OpWeightedSum, Unnormalised: true, Lo: ptr(-9.0), Hi: ptr(9.0),
		Weights: []float64{2, 3}, Parts: []Expr{member(0), member(1)}}}}
	gate := func(threshold float64) Expr {
		when := member(1)
		return Expr{Op: OpGate, When: &when, Threshold: &threshold, Parts: []Expr{member(0)}}
	}
	long := Expr{Op: OpOverlong, MaxTokens: ptr(uint32(100)), CacheTokens: ptr(uint32(20))}
	tests := []struct {
		name    string
		e       Expr
		members []float64
		tokens  int
		want    float64
	}{
		{"member", member(1), []float64{0, .25}, -1, .25},
		{"const", Expr{Op: OpConst, Value: ptr(.5)}, nil, -1, .5},
		{"weighted sum", Expr{Op: OpWeightedSum, Weights: []float64{3, 1}, Parts: []Expr{member(0), member(1)}}, []float64{1, 0}, -1, .75},
		{"mean without weights", Expr{Op: OpWeightedSum, Parts: []Expr{member(0), member(1)}}, []float64{1, 0}, -1, .5},
		{"min", Expr{Op: OpMin, Parts: []Expr{member(0), member(1)}}, []float64{.7, .2}, -1, .2},
		{"max", Expr{Op: OpMax, Parts: []Expr{member(0), member(1)}}, []float64{.7, .2}, -1, .7},
		{"gate open", gate(1), []float64{.7, 1}, -1, .7},
		{"gate closed", gate(1), []float64{.7, .99}, -1, 0},
		{"clamp", clamp, []float64{1, 1}, -1, 1},
		{"normalize", Expr{Op: OpNormalize, Lo: ptr(-1.0), Hi: ptr(1.0), Parts: []Expr{member(0)}}, []float64{.5}, -1, .75},
		{"overlong short", long, nil, 80, 0},
		{"overlong within the cache", long, nil, 90, -.5},
		{"overlong at the limit", long, nil, 100, -1},
		{"overlong beyond", long, nil, 5000, -1},
		{"overlong on top", Expr{Op: OpOverlong, MaxTokens: ptr(uint32(100)), CacheTokens: ptr(uint32(20)), Parts: []Expr{member(0)}}, []float64{1}, 90, .5},
		{"NaN replaced", Expr{Op: OpMember, Member: ptr(uint32(0)), NaNValue: ptr(.1)}, []float64{math.NaN()}, -1, .1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.e.Check(len(tt.members)); err != nil {
				t.Fatal(err)
			}
			got, steps, err := tt.e.Eval(input(tt.members, tt.tokens))
			if err != nil || math.Abs(got-tt.want) > 1e-12 {
				t.Fatalf("got %v, %v; want %v", got, err, tt.want)
			}
			if last := steps[len(steps)-1]; last.Value != got || last.Op != tt.e.Op {
				t.Errorf("the last step %+v does not say what came out", last)
			}
		})
	}
}

func input(members []float64, tokens int) Input {
	in := Input{Tokens: tokens}
	for i := range members {
		in.Members = append(in.Members, &members[i])
		in.Names = append(in.Names, "m")
	}
	return in
}

func TestEvalErrors(t *testing.T) {
	two := Expr{Op: OpWeightedSum, Parts: []Expr{member(0), member(1)}}
	_, _, err := two.Eval(Input{Members: []*float64{ptr(1.0), nil}})
	var missing *MissingError
	if !errors.As(err, &missing) || missing.Member != 1 || missing.Path != "reward.parts[1]" {
		t.Errorf("unscored member: %v", err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		_, _, err = two.Eval(Input{Members: []*float64{ptr(1.0), &bad}})
		var nonFinite *NonFiniteError
		if !errors.As(err, &nonFinite) || nonFinite.Path != "reward.parts[1]" {
			t.Errorf("%v: %v", bad, err)
		}
	}
	replaced := Expr{Op: OpMember, Member: ptr(uint32(0)), NaNValue: ptr(0.0)}
	if _, _, err = replaced.Eval(Input{Members: []*float64{ptr(math.Inf(1))}}); err == nil {
		t.Error("infinity was replaced like NaN")
	}
	norm := Expr{Op: OpNormalize, Lo: ptr(0.0), Hi: ptr(.5), Parts: []Expr{member(0)}}
	var outside *OutOfRangeError
	if _, _, err = norm.Eval(Input{Members: []*float64{ptr(.75)}}); !errors.As(err, &outside) || outside.Value != .75 {
		t.Errorf("outside of normalize: %v", err)
	}
	sum := Expr{Op: OpWeightedSum, Unnormalised: true, Lo: ptr(0.0), Hi: ptr(1.0), Parts: []Expr{member(0), member(1)}}
	if _, _, err = sum.Eval(Input{Members: []*float64{ptr(.75), ptr(.75)}}); !errors.As(err, &outside) {
		t.Errorf("a plain sum outside its range: %v", err)
	}
	long := Expr{Op: OpOverlong, MaxTokens: ptr(uint32(10)), CacheTokens: ptr(uint32(2))}
	if _, _, err = long.Eval(Input{Tokens: -1}); !errors.As(err, &missing) || missing.Member != -1 {
		t.Errorf("length unknown: %v", err)
	}
}

func TestCheck(t *testing.T) {
	deep := member(0)
	for range 40 {
		deep = Expr{Op: OpMin, Parts: []Expr{deep}}
	}
	tests := []struct {
		name  string
		e     Expr
		field string
	}{
		{"unknown op", Expr{Op: "mean"}, "op"},
		{"member outside", member(2), "member"},
		{"member absent", Expr{Op: OpMember}, "member"},
		{"const without value", Expr{Op: OpConst}, "value"},
		{"const NaN", Expr{Op: OpConst, Value: ptr(math.NaN())}, "value"},
		{"no parts", Expr{Op: OpMin}, "parts"},
		{"sum without parts", Expr{Op: OpWeightedSum}, "parts"},
		{"weights of another number", Expr{Op: OpWeightedSum, Weights: []float64{1}, Parts: []Expr{member(0), member(1)}}, "weights"},
		{"negative weight", Expr{Op: OpWeightedSum, Weights: []float64{1, -1}, Parts: []Expr{member(0), member(1)}}, "weights"},
		{"weights of sum 0", Expr{Op: OpWeightedSum, Weights: []float64{0, 0}, Parts: []Expr{member(0), member(1)}}, "weights"},
		{"NaN weight", Expr{Op: OpWeightedSum, Weights: []float64{math.NaN()}, Parts: []Expr{member(0)}}, "weights"},
		{"plain sum without range", Expr{Op: OpWeightedSum, Unnormalised: true, Parts: []Expr{member(0)}}, "lo, hi"},
		{"clamp upside down", Expr{Op: OpClamp, Lo: ptr(1.0), Hi: ptr(0.0), Parts: []Expr{member(0)}}, "lo, hi"},
		{"clamp of two", Expr{Op: OpClamp, Lo: ptr(0.0), Hi: ptr(1.0), Parts: []Expr{member(0), member(1)}}, "parts"},
		{"gate without condition", Expr{Op: OpGate, Threshold: ptr(1.0), Parts: []Expr{member(0)}}, "when"},
		{"cache above the limit", Expr{Op: OpOverlong, MaxTokens: ptr(uint32(1)), CacheTokens: ptr(uint32(2))}, "max_tokens, cache_tokens"},
		{"error inside", Expr{Op: OpMin, Parts: []Expr{{Op: "x"}}}, "op"},
		{"too deep", deep, "depth"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var invalid *InvalidError
			if err := tt.e.Check(2); !errors.As(err, &invalid) || invalid.Field != tt.field {
				t.Errorf("%v, want an error of field %s", err, tt.field)
			}
		})
	}
}

// Whatever the members are, the value lies in the bounds that were declared from the expression alone.
func TestValuesStayWithinBounds(t *testing.T) {
	var expr func(depth int) *rapid.Generator[Expr]
	expr = func(depth int) *rapid.Generator[Expr] {
		return rapid.Custom(func(t *rapid.T) Expr {
			if depth == 0 {
				return member(uint32(rapid.IntRange(0, 2).Draw(t, "member")))
			}
			parts := rapid.SliceOfN(expr(depth-1), 1, 3).Draw(t, "parts")
			switch rapid.IntRange(0, 5).Draw(t, "op") {
			case 0:
				return Expr{Op: OpMin, Parts: parts}
			case 1:
				return Expr{Op: OpMax, Parts: parts}
			case 2:
				return Expr{Op: OpWeightedSum, Parts: parts}
			case 3:
				return Expr{Op: OpClamp, Lo: ptr(.2), Hi: ptr(.6), Parts: parts[:1]}
			case 4:
				return Expr{Op: OpGate, When: &parts[0], Threshold: ptr(.5), Parts: parts[:1]}
			default:
				return Expr{Op: OpOverlong, MaxTokens: ptr(uint32(10)), CacheTokens: ptr(uint32(5)), Parts: parts[:1]}
			}
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		e := expr(3).Draw(t, "expression")
		if err := e.Check(3); err != nil {
			t.Fatal(err)
		}
		members := rapid.SliceOfN(rapid.Float64Range(0, 1), 3, 3).Draw(t, "members")
		v, _, err := e.Eval(input(members, rapid.IntRange(0, 20).Draw(t, "tokens")))
		if err != nil {
			t.Fatal(err)
		}
		if lo, hi := e.Bounds(); v < lo-1e-9 || v > hi+1e-9 {
			t.Fatalf("%v outside [%v, %v]", v, lo, hi)
		}
	})
}
