package math

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/provenir/provenir/services/verifier/math/equal"
	"github.com/provenir/provenir/services/verifier/math/syntax"
)

// expressions draws LaTeX of constants and of expressions in x and y.
func expressions(depth int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		if depth == 0 {
			return rapid.SampledFrom([]string{"1", "2", "7", "10", "x", "y", `\pi`, "3.5", "x^2", `\frac12`, `\sqrt{2}`}).Draw(t, "leaf")
		}
		a, b := expressions(depth-1).Draw(t, "a"), expressions(depth-1).Draw(t, "b")
		form := rapid.SampledFrom([]string{"%s+%s", "(%s)-(%s)", `(%s)\cdot(%s)`, `\frac{%s}{%s}`, `(%s)^2+%s`, `\sin(%s)+%s`, `\sqrt{(%s)^2}+%s`, `e^{%s}+%s`}).Draw(t, "form")
		return fmt.Sprintf(form, a, b)
	})
}

func outcome(t interface{ Fatalf(string, ...any) }, a, b string) equal.Outcome {
	x, err := syntax.Parse(a)
	if err != nil {
		t.Fatalf("%s: %v", a, err)
	}
	y, err := syntax.Parse(b)
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	return equal.Compare(x, y, equal.Defaults()).Outcome
}

func TestEqualityIsReflexiveAndSymmetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := expressions(2).Draw(t, "a"), expressions(2).Draw(t, "b")
		// 1/(x−x) has no value, and what has none equals nothing
		if got := outcome(t, a, a); got != equal.Equal && !strings.Contains(a, "frac") {
			t.Fatalf("%s against itself: %d", a, got)
		}
		if x, y := outcome(t, a, b), outcome(t, b, a); x != y {
			t.Fatalf("%s and %s: %d one way, %d the other", a, b, x, y)
		}
	})
}

func TestBlanksAndDelimitersDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := expressions(2).Draw(t, "a")
		same := outcome(t, a, a)
		for _, form := range []string{" %s ", "$%s$", `\(%s\)`, `\left(%s\right)`, "{%s}", `\displaystyle %s`, `\boxed{%s}`} {
			if got := outcome(t, a, fmt.Sprintf(form, a)); got != same {
				t.Fatalf("%s as %s: %d, want %d", a, form, got, same)
			}
		}
		spaced := strings.NewReplacer("+", " + ", `\cdot`, ` \cdot `, "}{", "} {").Replace(a)
		if got := outcome(t, a, spaced); got != same {
			t.Fatalf("%s as %s: %d, want %d", a, spaced, got, same)
		}
	})
}

// One more is never the same: the most important property of all.
func TestDifferentIsNeverEqual(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := expressions(2).Draw(t, "a")
		for _, form := range []string{"(%s)+1", "(%s)-10^{-40}", "(%s)+x^2+1", `(%s)+\frac{1}{10^{20}}`} {
			b := fmt.Sprintf(form, a)
			if strings.Contains(a, "3.5") {
				continue // a decimal is a rounded number, and tolerates
			}
			if outcome(t, a, b) == equal.Equal {
				t.Fatalf("%s equals %s", a, b)
			}
		}
	})
}

// Rewriting by the laws of algebra keeps the value.
func TestLawsOfAlgebra(t *testing.T) {
	laws := [][2]string{
		{"(%[1]s)+(%[2]s)", "(%[2]s)+(%[1]s)"},
		{"(%[1]s)(%[2]s)", "(%[2]s)(%[1]s)"},
		{"((%[1]s)+(%[2]s))^2", "(%[1]s)^2+2(%[1]s)(%[2]s)+(%[2]s)^2"},
		{"(%[1]s)-(%[2]s)", "-((%[2]s)-(%[1]s))"},
		{"3(%[1]s)", "(%[1]s)+(%[1]s)+(%[1]s)"},
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := expressions(1).Draw(t, "a"), expressions(1).Draw(t, "b")
		law := rapid.SampledFrom(laws).Draw(t, "law")
		l, r := fmt.Sprintf(law[0]+"%[3]s", a, b, ""), fmt.Sprintf(law[1]+"%[3]s", a, b, "")
		if strings.Contains(a+b, "frac{") {
			return // a denominator may be zero
		}
		if got := outcome(t, l, r); got != equal.Equal {
			t.Fatalf("%s and %s: %d", l, r, got)
		}
	})
}

func TestSetsHaveNoOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.SampledFrom([]string{"1", "2", "x", `\frac12`, "(1,2)", `\sqrt2`, "-3"}), 1, 6).Draw(t, "list")
		perm := rapid.Permutation(list).Draw(t, "permutation")
		a, b := `\{`+strings.Join(list, ", ")+`\}`, `\{`+strings.Join(perm, ", ")+`\}`
		if got := outcome(t, a, b); got != equal.Equal {
			t.Fatalf("%s and %s: %d", a, b, got)
		}
		more := `\{` + strings.Join(append(perm, "99"), ", ") + `\}`
		if outcome(t, a, more) == equal.Equal {
			t.Fatalf("%s equals %s", a, more)
		}
	})
}

func FuzzJudge(f *testing.F) {
	for _, c := range cases(f) {
		if len(c.Answer) < 200 {
			f.Add(c.Reference, c.Answer)
		}
	}
	m := map[string]*Verifier{}
	for _, p := range []string{"last_boxed", "group_boxed", "final_answer", "whole"} {
		m[p] = verifier(f, map[string]any{"profile": p})
	}
	f.Fuzz(func(t *testing.T, reference, response string) {
		if len(reference)+len(response) > 4096 {
			return
		}
		for _, p := range m {
			v := p.Judge(candidate(t, response, reference))
			if s, ok := v.Scored(); ok && s.Passed != (s.Reward == 1) {
				t.Fatalf("passed %v with reward %v", s.Passed, s.Reward)
			}
		}
	})
}
