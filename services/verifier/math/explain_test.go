package math

import (
	"math"
	"math/cmplx"
	"testing"
)

func TestExplain(t *testing.T) {
	x := map[string]float64{"x": .3, "y": -2}
	tests := []struct {
		name, text string
		at         map[string]float64
		kind       string
		canonical  string
		value      complex128 // NaN for none
	}{
		{"number", `\frac{1}{2}`, nil, "number", "1/2", .5},
		{"box", `so \boxed{42}`, nil, "number", "42", 42},
		{"sum of numbers", "1+2", nil, "number", "3", 3},
		{"root", `\sqrt{8}`, nil, "expr", "2*√2", complex(math.Sqrt(8), 0)},
		{"expression", "2x+y", x, "expr", "2*x+y", complex(2*.3-2, 0)},
		{"expression without a point", "2x", nil, "expr", "2*x", cmplx.NaN()},
		{"function", `\sin x`, x, "expr", "sin(x)", complex(math.Sin(.3), 0)},
		{"complex", `\sqrt{-4}`, nil, "expr", "2*i", 2i},
		{"set", `\{1,2\}`, nil, "set", "(set (num 1) (num 2))", cmplx.NaN()},
		{"plus minus", `\pm 2`, nil, "set", "(pm (num 0) (num 2))", cmplx.NaN()},
		{"interval", "[1,2)", nil, "interval", "(interval [) (num 1) (num 2))", cmplx.NaN()},
		{"union", `[1,2)\cup(3,4]`, nil, "interval", "(union (interval [) (num 1) (num 2)) (interval (] (num 3) (num 4)))", cmplx.NaN()},
		{"tuple", "(1,2)", nil, "tuple", "(tuple () (num 1) (num 2))", cmplx.NaN()},
		{"matrix", `\begin{pmatrix}1&2\end{pmatrix}`, nil, "matrix", "(matrix 2 (num 1) (num 2))", cmplx.NaN()},
		{"relation", "y=2x", x, "relation", "(relation = (name y) (mul (num 2) (name x)))", .6},
		{"text", `\text{Paris}`, nil, "text", "paris", cmplx.NaN()},
		{"sum", `\sum_{i} i`, nil, "text", `\sum_{i} i`, cmplx.NaN()},
		{"quantity", "5 km", nil, "number", "5 km", 5},
		{"base", "1101_2", nil, "number", "(based 13 2)", 13},
		{"a point that is no number", "x", map[string]float64{"x": math.NaN()}, "expr", "x", cmplx.NaN()},
		{"no value there", `\frac{1}{x}`, map[string]float64{"x": 0}, "expr", "(1)/(x)", cmplx.NaN()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := Explain(tt.text, tt.at)
			if e.Kind != tt.kind || e.Canonical != tt.canonical || e.Error != "" || e.Tree == "" {
				t.Errorf("%+v, want %s %s", e, tt.kind, tt.canonical)
			}
			if (e.Value == nil) != cmplx.IsNaN(tt.value) || e.Value != nil && cmplx.Abs(*e.Value-tt.value) > 1e-12 {
				t.Errorf("value %v, want %v", e.Value, tt.value)
			}
		})
	}
	for _, bad := range []string{"", `\frac{`, "import os"} {
		if e := Explain(bad, nil); e.Kind != "none" || e.Error == "" || e.Value != nil {
			t.Errorf("%q: %+v", bad, e)
		}
	}
}
