package syntax

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/provenir/provenir/services/verifier/math/lex"
)

// The trees that answers are read as. Equality has its own table; this one pins the readings themselves.
func TestTrees(t *testing.T) {
	tests := []struct{ name, text, tree string }{
		{"integer", "42", "(num 42)"},
		{"sentence point", "42.", "(num 42)"},
		{"thousands", "1,234", "(num 1234)"},
		{"thousands in braces", `1{,}234.5`, "(num 2469/2)"},
		{"thousands by thin spaces", `1\,000\,000`, "(num 1000000)"},
		{"points as separators", "1.234,56", "(num 30864/25)"},
		{"coordinates are no thousands", "(1,234)", "(tuple () (num 1) (num 234))"},
		{"thousands in a set", `\{1,000, 2,000\}`, "(set (num 1000) (num 2000))"},
		{"list of three", "1,234,5", "(list (num 1) (num 234) (num 5))"},
		{"comma before a unit", "12,5 km", "(quantity [km] (num 25/2))"},
		{"leading point", ".5", "(num 1/2)"},
		{"exponent", "1.5E-3", "(num 3/2000)"},
		{"small e is e", "2e-1", "(add (mul (num 2) (const e)) (neg (num 1)))"},
		{"small e of programs", "1e-05", "(num 1/100000)"},
		{"repeating", `0.1\overline{6}`, "(num 1/6)"},
		{"repeating with dots", `0.\dot{1}4\dot{2}`, "(num 142/999)"},
		{"base", "1101_2", "(based 13 2)"},
		{"base in brackets", "(1101)_2", "(based 13 2)"},
		{"hexadecimal", `FF_{16}`, "(based 255 16)"},
		{"name with a subscript", `A_{12}`, "(name A_12)"},
		{"fraction", `\frac12`, "(div (num 1) (num 2))"},
		{"fraction of digits", `\frac123`, "ERR"},
		{"mixed", `3\frac{1}{2}`, "(add (num 3) (div (num 1) (num 2)))"},
		{"mixed in a line", "3 1/2", "(num 7/2)"},
		{"improper is a product", `2\frac{5}{3}`, "(mul (num 2) (div (num 5) (num 3)))"},
		{"two numbers", "2 3", "ERR"},
		{"letter and digit", "x2", "ERR"},
		{"minus binds weaker than a power", "-2^2", "(neg (pow (num 2) (num 2)))"},
		{"tower", "2^3^2", "(pow (num 2) (pow (num 3) (num 2)))"},
		{"exponent of a run of letters", "x^ab", "(mul (pow (name x) (name a)) (name b))"},
		{"division from the left", "1/2x", "(mul (div (num 1) (num 2)) (name x))"},
		{"the letter x between numbers", "3 x 10^5", "(mul (num 3) (pow (num 10) (num 5)))"},
		{"factorial", "5!", "(fact (num 5))"},
		{"double factorial", "5!!", "ERR"},
		{"root", `\sqrt3`, "(call sqrt (num 3))"},
		{"root with an index", `\sqrt[3]{x}`, "(call root (name x) (num 3))"},
		{"root sign", "√12", "(call sqrt (num 12))"},
		{"power of a function", `\sin^2 x`, "(pow (call sin (name x)) (num 2))"},
		{"inverse function", `\sin^{-1} x`, "(call arcsin (name x))"},
		{"argument without brackets", `\sin 2x\cos x`, "(mul (call sin (mul (num 2) (name x))) (call cos (name x)))"},
		{"glued function", "lnx", "(call ln (name x))"},
		{"base of a logarithm", `\log_2 8`, "(call log (num 8) (num 2))"},
		{"choose", `{5 \choose 2}`, "(call binom (num 5) (num 2))"},
		{"absolute value", "|x-1|", "(call abs (add (name x) (neg (num 1))))"},
		{"norm", `\|v\|`, "(call norm (name v))"},
		{"floor", `\lfloor x \rfloor`, "(call floor (name x))"},
		{"function of a name", "f(x)", "(call f (name x))"},
		{"product with a bracket", "h(a+b)", "(mul (name h) (add (name a) (name b)))"},
		{"plus minus", `3\pm 2`, "(pm (num 3) (num 2))"},
		{"set", `\{1,2\}`, "(set (num 1) (num 2))"},
		{"set without backslashes", "{1,2}", "(set (num 1) (num 2))"},
		{"empty set", `\{\}`, "(domain empty)"},
		{"interval", "[1,2)", "(interval [) (num 1) (num 2))"},
		{"French interval", "]1,2[", "(interval () (num 1) (num 2))"},
		{"infinite end", `(-\infty,3)`, "(interval () (neg (const infinity)) (num 3))"},
		{"union", `(1,2)\cup[3,4]`, "(union (tuple () (num 1) (num 2)) (interval [] (num 3) (num 4)))"},
		{"vector", `\langle 1,2\rangle`, "(tuple () (num 1) (num 2))"},
		{"matrix", `\begin{pmatrix}1&2\\3&4\end{pmatrix}`, "(matrix 2 (num 1) (num 2) (num 3) (num 4))"},
		{"determinant", `\begin{vmatrix}1&2\\3&4\end{vmatrix}`, "(add (mul (num 1) (num 4)) (neg (mul (num 2) (num 3))))"},
		{"chain", "1<x\\le 5", "(relation < <= (num 1) (name x) (num 5))"},
		{"leading equals", "= 5", "(num 5)"},
		{"approximation is cut", `\frac{22}{7}\approx 3.14`, "(div (num 22) (num 7))"},
		{"approximation of a name", `x\approx 3`, "(relation = (name x) (num 3))"},
		{"not equal", `x\not= 3`, "(relation != (name x) (num 3))"},
		{"ratio", "3:8", "(ratio (num 3) (num 8))"},
		{"degrees", `45^\circ`, "(quantity [deg] (num 45))"},
		{"minutes of arc", `30^{\circ}15'`, "(quantity [deg] (add (num 30) (num 1/4)))"},
		{"degrees in a function", `\tan 45^\circ`, "(call tan (mul (num 45) (const pi) (num 1/180)))"},
		{"percent", `50\%`, "(mul (num 50) (num 1/100))"},
		{"money", `\$1,234.50`, "(quantity [$] (num 2469/2))"},
		{"debt", `-\$5`, "(quantity [$] (num -5))"},
		{"unit apart", "5 m", "(quantity [m] (num 5))"},
		{"letter that is no unit", "5m", "(mul (num 5) (name m))"},
		{"unit with a power", `12\text{ cm}^2`, "(quantity [cm^2] (num 12))"},
		{"compound", "6 ft 3 in", "(quantity [ft] (add (num 6) (mul (num 3) (num 1/12))))"},
		{"what was counted", "5 apples", "(quantity [apple] (num 5))"},
		{"words that change the value", "3 times 5", "ERR"},
		{"scale", "5 million", "(num 5000000)"},
		{"number words", "one hundred and five", "(num 105)"},
		{"a minus is no hyphen", "x-y", "(add (name x) (neg (name y)))"},
		{"nor between runs of letters", "ab-cd", "(add (mul (name a) (name b)) (neg (mul (name c) (name d))))"},
		{"hyphen", "forty-two", "(num 42)"},
		{"words", "no solution", "(words no solution)"},
		{"text", `\text{Paris}`, "(words paris)"},
		{"letter in text", `\text{(A)}`, "(name A)"},
		{"and", `1 \text{ and } 2`, "(list (num 1) (num 2))"},
		{"two formulas", "$1$ or $2$", "(list (num 1) (num 2))"},
		{"two sums of money", "$5 and $6", "(list (quantity [$] (num 5)) (quantity [$] (num 6)))"},
		{"vector name", `\vec{v}`, "(name vec v)"},
		{"angle", `\angle ABC`, "(name angle ABC)"},
		{"line over letters", `\overline{AB}`, "(name bar AB)"},
		{"box in a box", `\boxed{7}`, "(num 7)"},
		{"sum", `\sum_{i=1}^n i`, `(opaque \sum_{i=1}^n i)`},
		{"open brace", `\frac{1}{2`, "ERR"},
		{"open bracket", "(1,2", "ERR"},
		{"stray bracket", "1)", "ERR"},
		{"nothing within", "()", "ERR"},
		{"sentence", "the value of it is clear", "(words the value of it is clear)"},
		{"prose in math", "x = the 5", "ERR"},
		{"code", "__import__('os').system('ls')", "ERR"},
		{"bytes that are no text", "\xff", "ERR"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, err := Parse(tt.text)
			got := "ERR"
			if err == nil {
				got = n.String()
			} else if e := new(lex.Error); !errors.As(err, &e) || e.Error() == "" {
				t.Fatalf("error of another type: %v", err)
			}
			if got != tt.tree {
				t.Errorf("%q is read as %s (%v), want %s", tt.text, got, err, tt.tree)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	tests := []struct {
		name, text string
		want       lex.Fault
	}{
		{"nothing", "  ", lex.Nothing},
		{"dollars around nothing", "$ $", lex.Nothing},
		{"code", "lambda x: x", lex.CodeShaped},
		{"too deep", strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500), lex.TooLarge},
		{"too many parts", strings.Repeat("1+", 600) + "1", lex.TooLarge},
		{"too many names", func() string {
			var b strings.Builder
			for i := range 70 {
				b.WriteString("+x_{" + strings.Repeat("a", i+1) + "}")
			}
			return b.String()
		}(), lex.TooLarge},
		{"too many digits", "1." + strings.Repeat("1", 300), lex.TooLarge},
		{"huge exponent", "1e99999", lex.TooLarge},
		{"long text", strings.Repeat("x+", 4000), lex.TooLarge},
		{"integer of 10,001 digits", strings.Repeat("7", 10_001), lex.TooLarge},
		{"too many cells", `\begin{matrix}` + strings.Repeat("1&", 300) + `1\end{matrix}`, lex.TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.text)
			var e *lex.Error
			if !errors.As(err, &e) || e.Fault != tt.want {
				t.Errorf("%v, want fault %d", err, tt.want)
			}
		})
	}
	if n, err := Parse(strings.Repeat("7", lex.MaxInteger)); err != nil || n.Kind != Number {
		t.Errorf("an integer of 10,000 digits: %v", err)
	}
}

func TestNumberWords(t *testing.T) {
	tests := []struct{ words, want string }{
		{"zero", "0"}, {"forty two", "42"}, {"one hundred and five", "105"}, {"two thousand", "2000"}, {"one million two hundred thousand and one", "1200001"},
		{"a hundred", "100"}, {"minus seven", "-7"}, {"half", "1/2"}, {"two thirds", "2/3"}, {"three and a half", "7/2"}, {"nineteen", "19"},
		{"one twenty", ""}, {"seven seven", ""}, {"third", ""}, {"and five", ""}, {"five and", ""}, {"hundred", ""}, {"thousand million", ""}, {"twenty eleven", ""}, {"one of them", ""},
	}
	for _, tt := range tests {
		t.Run(tt.words, func(t *testing.T) {
			v, ok := numberWords(strings.Fields(tt.words))
			if ok != (tt.want != "") || ok && v.RatString() != tt.want {
				t.Errorf("%v %v, want %q", v, ok, tt.want)
			}
		})
	}
}

func TestWorked(t *testing.T) {
	for text, want := range map[string]bool{"72": true, "-7": true, "1/2": true, `3\frac12`: true, "50%": true, "5 km": true, "1101_2": true,
		"47+25": false, "8*9": false, "2^3": false, `\sqrt9`: false, "x": false, "(1,2)": false} {
		n, err := Parse(text)
		if err != nil || n.Worked() != want {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

// An S-expression names everything that decides equality, so two texts with one tree are one answer.
func TestBlanksChangeNothing(t *testing.T) {
	texts := []string{`\frac{1}{2}+x`, `\sqrt{2}\cdot 3`, `\{1,2\}`, `(1,2)`, `x=5`, `\sin(x)`, `|x|`}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom(texts).Draw(t, "text")
		plain, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		sign := rapid.SampledFrom([]string{"+", "=", "{", ")", ",", "|"}).Draw(t, "sign")
		n, err := Parse(strings.ReplaceAll(text, sign, " "+sign+" "))
		if strings.Contains(text, `\`+sign) {
			return // \{ with a blank within is another thing
		}
		if err != nil || n.String() != plain.String() {
			t.Fatalf("%s with blanks around %s: %v, %v", text, sign, n, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`\frac{1}{2}`, `x^2+3x`, "1,234.5", `\begin{pmatrix}1&2\end{pmatrix}`, "5 ft 3 in", "０．５", `\sqrt[3]{8}`, "one half", `a_{n+1}`, "(1,2]", `{5 \choose 2}`, "$5 and $6", `\dot{1}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Parse(s)
		if err != nil {
			var e *lex.Error
			if !errors.As(err, &e) {
				t.Fatalf("error of another type: %v", err)
			}
			return
		}
		if n.String() == "" || count(n) > lex.MaxNodes {
			t.Fatalf("%q gives %d nodes", s, count(n))
		}
		_ = n.Names()
		_ = n.HasDecimal()
		_ = n.Worked()
	})
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse(`\frac{-b\pm\sqrt{b^2-4ac}}{2a}`); err != nil {
			b.Fatal(err)
		}
	}
}
