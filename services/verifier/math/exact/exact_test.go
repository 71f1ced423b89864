package exact

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/provenir/provenir/services/verifier/math/syntax"
)

func read(t testing.TB, x *Context, text string) (Form, error) {
	t.Helper()
	n, err := syntax.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return x.Read(n)
}

func TestCompare(t *testing.T) {
	tests := []struct {
		name, a, b string
		want       Answer
	}{
		{"numbers", "1/2+1/3", "5/6", Same},
		{"other numbers", "1/2", "1/3", Differ},
		{"expansion", "(x+y)^3", "x^3+3x^2y+3xy^2+y^3", Same},
		{"not the expansion", "(x+y)^2", "x^2+y^2", Differ},
		{"fractions in x", `\frac{x^2-1}{x-1}`, "x+1", Same},
		{"partial fractions", `\frac{1}{x}-\frac{1}{x+1}`, `\frac{1}{x(x+1)}`, Same},
		{"roots", `\sqrt{8}`, `2\sqrt2`, Same},
		{"product of roots", `\sqrt6`, `\sqrt2\sqrt3`, Same},
		{"sum of roots", `\sqrt2+\sqrt3`, `\sqrt5`, Differ},
		{"roots that nearly agree", `\sqrt{10}+\sqrt{11}`, `\sqrt5+\sqrt{18}`, Differ},
		{"denominator with a root", `\frac{1}{\sqrt2-1}`, `1+\sqrt2`, Same},
		{"negative root", `\sqrt{-4}`, "2i", Same},
		{"imaginary unit", "i^{10}", "-1", Same},
		{"complex", `\frac{1}{1+i}`, `\frac{1-i}{2}`, Same},
		{"pi", `2\pi-\pi`, `\pi`, Same},
		{"pi and a number", `\pi`, "22/7", Differ},
		{"pi and e", `\pi`, "e", Unknown},
		{"golden ratio", `\phi^2`, `\phi+1`, Same},
		{"exponents", "2^{n+1}", `2\cdot 2^n`, Same},
		{"powers of e", "e^{x+y}", "e^x e^y", Same},
		{"square of a root of x", `\sqrt{x}^2`, "x", Same},
		{"content of a root", `\sqrt{4x+8}`, `2\sqrt{x+2}`, Same},
		{"root of a square", `\sqrt{x^2}`, "x", Unknown},
		{"functions are atoms", `\sin x+\sin x`, `2\sin x`, Same},
		{"other functions", `\sin x`, `\cos x`, Unknown},
		{"order of max", `\max(a,b)`, `\max(b,a)`, Same},
		{"factorials", `\frac{20!}{18!}`, "380", Same},
		{"gcd and lcm", `\gcd(12,18)\cdot\operatorname{lcm}(12,18)`, "216", Same},
		{"floor", `\lfloor -2.5\rfloor`, "-3", Same},
		{"ceiling", `\lceil -2.5\rceil`, "-2", Same},
		{"cube root", `\sqrt[3]{-27}`, "-3", Same},
		{"principal root", `(-27)^{1/3}`, "-3", Unknown},
		{"large primes", `\sqrt{1000003}\sqrt{1000003}`, "1000003", Same},
		{"square of a large prime", `\sqrt{1000006000009}`, "1000003", Same},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := NewContext(NewBudget(MaxWork))
			a, err := read(t, x, tt.a)
			if err != nil {
				t.Fatal(err)
			}
			b, err := read(t, x, tt.b)
			if err != nil {
				t.Fatal(err)
			}
			for _, pair := range [][2]Form{{a, b}, {b, a}} {
				if got, err := x.Compare(pair[0], pair[1]); err != nil || got != tt.want {
					t.Errorf("%s and %s: %d, %v; want %d", x.Show(pair[0]), x.Show(pair[1]), got, err, tt.want)
				}
			}
		})
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name, text string
		want       error
	}{
		{"division by zero", "1/0", ErrUndefined},
		{"hidden zero", `\frac{1}{x-x}`, ErrUndefined},
		{"zero to the zero", "0^0", ErrUndefined},
		{"factorial of a fraction", "(1/2)!", ErrUndefined},
		{"tower", "9^{9^9}", ErrNotPolynomial},
		{"infinity", `\infty+1`, ErrNotPolynomial},
		{"huge factorial", "20000!", ErrWork},
		{"power of a sum", "(x+1)^{5000}", ErrWork},
		{"large power", "(123456789)^{10000}", ErrWork},
		{"many terms", "(a+b+c+d+e+f+g+h)^{40}", ErrWork},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := read(t, NewContext(NewBudget(MaxWork)), tt.text); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func TestRatio(t *testing.T) {
	tests := []struct {
		name, a, b string
		ratio      string // empty for none
		answer     Answer
	}{
		{"constant", "2x+4", "x+2", "2", Same},
		{"negative", "x-y", "y-x", "-1", Same},
		{"none", "x+1", "x+2", "", Differ},
		{"not constant", "x^2", "x", "", Differ},
		{"always true", "x-x", "x", "", Differ},
		{"unknown", `\sin x`, `\cos x`, "", Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := NewContext(NewBudget(MaxWork))
			a, errA := read(t, x, tt.a)
			b, errB := read(t, x, tt.b)
			if errA != nil || errB != nil {
				t.Fatal(errA, errB)
			}
			c, answer, err := x.Ratio(a, b)
			if err != nil || answer != tt.answer || (c != nil) != (tt.ratio != "") || c != nil && c.RatString() != tt.ratio {
				t.Errorf("%v %d %v", c, answer, err)
			}
		})
	}
}

func TestShowRepeats(t *testing.T) {
	const text = "3x^2y+2x-y^3+7-z"
	var first string
	for range 10 {
		x := NewContext(NewBudget(MaxWork))
		f, err := read(t, x, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := x.Show(f); first == "" {
			first = got
		} else if got != first {
			t.Fatalf("%s and then %s", first, got)
		}
	}
	if !strings.Contains(first, "3*x^2*y") {
		t.Errorf("%s", first)
	}
}

// Arithmetic of forms agrees with arithmetic of rational numbers.
func TestFormsOfNumbers(t *testing.T) {
	rat := rapid.Custom(func(t *rapid.T) *big.Rat {
		return big.NewRat(rapid.Int64Range(-99, 99).Draw(t, "numerator"), rapid.Int64Range(1, 30).Draw(t, "denominator"))
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := rat.Draw(t, "a"), rat.Draw(t, "b")
		x := NewContext(NewBudget(MaxWork))
		fa, fb := whole(constant(a)), whole(constant(b))
		sum, err := x.Add(fa, fb)
		if v, ok := sum.Rational(); err != nil || !ok || v.Cmp(new(big.Rat).Add(a, b)) != 0 {
			t.Fatalf("%v + %v", a, b)
		}
		product, err := x.Mul(fa, fb)
		if v, ok := product.Rational(); err != nil || !ok || v.Cmp(new(big.Rat).Mul(a, b)) != 0 {
			t.Fatalf("%v · %v", a, b)
		}
		if a.Sign() >= 0 {
			root, err := x.sqrtRat(a)
			if err != nil {
				t.Fatal(err)
			}
			square, err := x.Mul(root, root)
			if v, ok := square.Rational(); err != nil || !ok || v.Cmp(a) != 0 {
				t.Fatalf("√%v squared is %v", a, square)
			}
		}
	})
}

func TestBudget(t *testing.T) {
	b := NewBudget(3)
	if b.Spend(2) != nil || !errors.Is(b.Spend(2), ErrWork) {
		t.Error("a budget of 3 gave 4, or not 2")
	}
}

func BenchmarkCompare(b *testing.B) {
	n, _ := syntax.Parse("(x+y)^3")
	m, _ := syntax.Parse("x^3+3x^2y+3xy^2+y^3")
	for b.Loop() {
		x := NewContext(NewBudget(MaxWork))
		l, _ := x.Read(n)
		r, _ := x.Read(m)
		if a, err := x.Compare(l, r); err != nil || a != Same {
			b.Fatal(a, err)
		}
	}
}
