package probe

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/provenir/provenir/services/verifier/math/ball"
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

func TestEval(t *testing.T) {
	at := map[string]ball.Complex{"x": ball.FromReal(ball.FromRat(big.NewRat(3, 4)))}
	x := .75
	tests := []struct {
		name, text string
		want       complex128
	}{
		{"number", "7/2", 3.5}, {"name", "x", complex(x, 0)}, {"sum", "x+1-2x", complex(1-x, 0)}, {"product", "2x\\cdot x", complex(2*x*x, 0)},
		{"power", "x^3", complex(x*x*x, 0)}, {"negative power", "x^{-2}", complex(1/x/x, 0)}, {"root", `\sqrt{x}`, complex(math.Sqrt(x), 0)},
		{"half power", "x^{3/2}", complex(math.Pow(x, 1.5), 0)}, {"real power", "x^{0.3}", complex(math.Pow(x, .3), 0)}, {"cube root", `\sqrt[3]{-8}`, -2},
		{"imaginary root", `\sqrt{-x}`, complex(0, math.Sqrt(x))}, {"sin", `\sin x`, complex(math.Sin(x), 0)}, {"cos", `\cos x`, complex(math.Cos(x), 0)},
		{"tan", `\tan x`, complex(math.Tan(x), 0)}, {"cot", `\cot x`, complex(1/math.Tan(x), 0)}, {"sec", `\sec x`, complex(1/math.Cos(x), 0)},
		{"csc", `\csc x`, complex(1/math.Sin(x), 0)}, {"arcsin", `\arcsin x`, complex(math.Asin(x), 0)}, {"arccos", `\arccos x`, complex(math.Acos(x), 0)},
		{"arctan", `\arctan x`, complex(math.Atan(x), 0)}, {"arcsin of 1", `\arcsin 1`, complex(math.Pi/2, 0)}, {"sinh", `\sinh x`, complex(math.Sinh(x), 0)},
		{"cosh", `\cosh x`, complex(math.Cosh(x), 0)}, {"tanh", `\tanh x`, complex(math.Tanh(x), 0)}, {"arcsinh", `\operatorname{arcsinh} x`, complex(math.Asinh(x), 0)},
		{"arccosh", `\operatorname{arccosh} 2`, complex(math.Acosh(2), 0)}, {"arctanh", `\operatorname{arctanh} x`, complex(math.Atanh(x), 0)},
		{"ln", `\ln x`, complex(math.Log(x), 0)}, {"ln of a negative number", `\ln(-1)`, complex(0, math.Pi)}, {"log to a base", `\log_2 x`, complex(math.Log2(x), 0)},
		{"exp", "e^x", complex(math.Exp(x), 0)}, {"Euler", `e^{i\pi/2}`, 1i}, {"abs", `|3+4i|`, 5}, {"factorial", "5!", 120}, {"half factorial", `\Gamma(\frac12)`, complex(math.Sqrt(math.Pi), 0)},
		{"negative half", `\Gamma(-\frac12)`, complex(-2*math.Sqrt(math.Pi), 0)}, {"binomial", `\binom{6}{2}`, 15}, {"floor", `\lfloor -x\rfloor`, -1}, {"ceiling", `\lceil x\rceil`, 1},
		{"max", `\max(x,1)`, 1}, {"min", `\min(x,1)`, complex(x, 0)}, {"gcd", `\gcd(12,18)`, 6}, {"lcm", `\operatorname{lcm}(4,6)`, 12}, {"golden ratio", `\phi`, complex((1+math.Sqrt(5))/2, 0)},
		{"sign", `\operatorname{sgn}(-x)`, -1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			z, err := Eval(parse(t, tt.text), Point{Values: at}, exact.NewBudget(exact.MaxWork))
			if err != nil {
				t.Fatal(err)
			}
			got := complex(z.Re.Float(), z.Im.Float())
			if math.Abs(real(got)-real(tt.want)) > 1e-12*(1+math.Abs(real(tt.want))) || math.Abs(imag(got)-imag(tt.want)) > 1e-12 {
				t.Errorf("%s is %v, want %v", tt.text, got, tt.want)
			}
		})
	}
}

func TestNoValue(t *testing.T) {
	minus := map[string]ball.Complex{"x": ball.FromReal(ball.FromInt(-2))}
	tests := []struct {
		name, text string
		want       error
	}{
		{"1/0", "1/0", ball.ErrUndefined}, {"real root", `\sqrt{x}`, ball.ErrUndefined}, {"real logarithm", `\ln x`, ball.ErrUndefined}, {"real power", "x^{0.3}", ball.ErrUndefined},
		{"factorial of a negative number", "x!", ball.ErrUndefined}, {"unknown name", "y", ErrUnsupported}, {"unknown function", "f(x)", ErrUnsupported},
		{"infinity", `\infty`, ErrUnsupported}, {"tower", "9^{9^9}", ball.ErrLarge}, {"angle beyond reason", `\sin(10^{10})`, ball.ErrLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Eval(parse(t, tt.text), Point{Values: minus, Real: true}, exact.NewBudget(exact.MaxWork)); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
	if _, err := Eval(parse(t, `\sin\sin\sin 1`), Point{}, exact.NewBudget(10_000)); !errors.Is(err, exact.ErrWork) {
		t.Errorf("a small budget: %v", err)
	}
}

func TestCompare(t *testing.T) {
	tests := []struct {
		name, a, b string
		want       Answer
	}{
		{"identity", `\sin^2 x+\cos^2 x`, "1", exact.Same},
		{"addition theorem", `\sin(x+y)`, `\sin x\cos y+\cos x\sin y`, exact.Same},
		{"no identity", `\sin(x+y)`, `\sin x+\sin y`, exact.Differ},
		{"constants", `\arctan\frac12+\arctan\frac13`, `\frac\pi4`, exact.Same},
		{"Machin", `4\arctan\frac15-\arctan\frac{1}{239}`, `\frac\pi4`, exact.Same},
		{"nearly an integer", `e^{\pi\sqrt{163}}`, "262537412640768744", exact.Differ},
		{"tiny", `\sin(10^{-40})`, "10^{-40}", exact.Differ},
		{"tiny is not zero", `\sin(10^{-50})`, "0", exact.Differ},
		{"zero", `\sin\pi`, "0", exact.Same},
		{"agree only where x is small", "|x-100|", "100-x", exact.Differ},
		{"agree only below a million million", "|x-10^{12}|", "10^{12}-x", exact.Differ},
		{"root of a square", `\sqrt{x^2}`, "|x|", exact.Same},
		{"root of a square is not x", `\sqrt{x^2}`, "x", exact.Differ},
		{"real where both are real", `\sqrt{\frac{2h}{g}}`, `\frac{\sqrt{2h}}{\sqrt g}`, exact.Same},
		{"logarithms", `\ln(xy)`, `\ln x+\ln y`, exact.Same},
		{"arcsin needs small points", `\arcsin x+\arccos x`, `\frac\pi2`, exact.Same},
		{"integers only", `\frac{n!}{(n-1)!}`, "n", exact.Same},
		{"integers only, different", `\frac{n!}{(n-1)!}`, "n+1", exact.Differ},
		{"signs", "(-1)^{2n}", "1", exact.Same},
		{"alternating", "(-1)^{n}", "1", exact.Differ},
		{"floor is not x", `\lfloor x\rfloor`, "x", exact.Differ},
		{"nowhere defined", `\ln(-x^2)`, `\ln(-x^2)+1`, exact.Differ},
		{"unknown function", "g(x)", "g(x)+0", exact.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, b := parse(t, tt.a), parse(t, tt.b)
			for _, pair := range [][2]*syntax.Node{{a, b}, {b, a}} {
				got, err := Compare(pair[0], pair[1], Options{Budget: exact.NewBudget(exact.MaxWork)})
				if err != nil || got != tt.want {
					t.Errorf("%s and %s: %d, %v; want %d", tt.a, tt.b, got, err, tt.want)
				}
			}
		})
	}
}

func TestDigits(t *testing.T) {
	a, b := parse(t, `0.333333333333333333x`), parse(t, `\frac{x}{3}`)
	got, err := Compare(a, b, Options{Budget: exact.NewBudget(exact.MaxWork), Digits: 15})
	if err != nil || got != exact.Same {
		t.Errorf("to 15 digits: %d, %v", got, err)
	}
	got, err = Compare(parse(t, "0.3333x"), b, Options{Budget: exact.NewBudget(exact.MaxWork), Digits: 15})
	if err != nil || got != exact.Differ {
		t.Errorf("four digits: %d, %v", got, err)
	}
}

func BenchmarkIdentity(b *testing.B) {
	x, y := parse(b, `\sin^2 x+\cos^2 x`), parse(b, "1")
	for b.Loop() {
		if _, err := Compare(x, y, Options{Budget: exact.NewBudget(exact.MaxWork)}); err != nil {
			b.Fatal(err)
		}
	}
}
