package text

import (
	"errors"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

func row(reference string) verdict.Row {
	return verdict.Row{{Key: "reference", JSON: []byte(reference)}}
}

func values(t testing.TB, d spec.Descriptor, options map[string]any) spec.Values {
	t.Helper()
	v, err := d.Resolve(d.Name, options)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// outcome is the reason, with its status where that is not plain.
func outcome(v verdict.Verdict) string {
	if s, ok := v.Scored(); ok {
		return s.Reason
	}
	u, _ := v.Unscored()
	return "unscored " + u.Reason.String()
}

func TestExact(t *testing.T) {
	tests := []struct {
		name      string
		options   map[string]any
		response  string
		reference string // JSON
		want      string
	}{
		{"equal", nil, "The answer is 42.", `"42"`, "equal"},
		{"different", nil, "The answer is 41.", `"42"`, "different"},
		{"hashes", nil, "so\n#### 1,234", `"1234"`, "equal"},
		{"hashes in the gold", nil, "1234", `"long working\n#### 1,234"`, "equal"},
		{"box in the gold", nil, `\boxed{7}`, `"thus \\boxed{7}"`, "equal"},
		{"trailing zero", nil, "42.0", `"42"`, "equal"},
		{"number as JSON", nil, "42", `42`, "equal"},
		{"leading zeros", nil, "007", `"7"`, "equal"},
		{"minus sign U+2212", nil, "\u22125", `"-5"`, "equal"},
		{"minus zero", nil, "-0.0", `"0"`, "equal"},
		{"full width", nil, "４２", `"42"`, "equal"},
		{"NFC", nil, "cafe\u0301", `"café"`, "equal"},
		{"bold", nil, "**Paris**", `"Paris"`, "equal"},
		{"text macro", nil, `\boxed{\text{Paris}}`, `"Paris"`, "equal"},
		{"two text macros", nil, `\boxed{\text{a} or \text{b}}`, `"a} or \\text{b"`, "different"},
		{"dollars", nil, "it is $7$", `"7"`, "equal"},
		{"fold", nil, "PARIS", `"paris"`, "equal"},
		{"fold beyond ASCII", nil, "ÉCOLE", `"école"`, "equal"},
		{"exact case", map[string]any{"case": "exact"}, "PARIS", `"paris"`, "different"},
		{"none keeps zeros", map[string]any{"normalize": "none"}, "42.0", `"42"`, "different"},
		{"none keeps the point", map[string]any{"normalize": "none", "profile": "whole"}, "42.", `"42"`, "different"},
		{"number refuses text", map[string]any{"normalize": "number"}, "Paris", `"Paris"`, "different"},
		{"number", map[string]any{"normalize": "number"}, "1,000.50", `"1000.5"`, "equal"},
		{"wrong groups", nil, "1,00", `"100"`, "different"},
		{"no exponent notation", nil, "1e2", `"100"`, "different"},
		{"fraction is text", nil, "1/2", `"0.5"`, "different"},
		{"several golds", nil, "b", `["a","b"]`, "equal"},
		{"empty answer", nil, "", `"42"`, "no_answer"},
		{"punctuation only", nil, "...", `"42"`, "no_answer"},
		{"empty box", nil, `\boxed{42} \boxed{}`, `"42"`, "no_answer"},
		{"final_answer needs an anchor", map[string]any{"profile": "final_answer"}, "42", `"42"`, "no_answer"},
		{"empty reference", nil, "", `""`, "unscored bad_reference"},
		{"punctuation as reference", nil, "", `"."`, "unscored bad_reference"},
		{"null reference", nil, "x", `null`, "unscored bad_reference"},
		{"missing response column", map[string]any{"fields": map[string]any{"response": "out"}}, "x", `"x"`, "unscored bad_row"},
		{"invalid UTF-8", nil, "\xff", `"y"`, "different"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := NewExact(values(t, ExactDescriptor(), tt.options))
			v := j.Judge(&verdict.Candidate{Response: tt.response, Row: row(tt.reference)})
			if got := outcome(v); got != tt.want {
				t.Errorf("%q against %s: %s, want %s", tt.response, tt.reference, got, tt.want)
			}
			if s, ok := v.Scored(); ok && s.Passed != (s.Reward == 1) {
				t.Errorf("passed %v with reward %v", s.Passed, s.Reward)
			}
		})
	}
}

func TestExactFindings(t *testing.T) {
	j := NewExact(values(t, ExactDescriptor(), nil))
	v := j.Judge(&verdict.Candidate{Response: `\boxed{1} \boxed{2}`, Row: row(`"2"`)})
	if !v.Has("multiple_answers") || !v.Passed() {
		t.Errorf("two boxes: %+v", v)
	}
	v = j.Judge(&verdict.Candidate{Response: "b", Row: row(`["a","b"]`)})
	if !v.Has("matched_reference") {
		t.Errorf("several golds: %+v", v)
	}
}

func TestContains(t *testing.T) {
	tests := []struct {
		name     string
		options  map[string]any
		response string
		want     string
		reward   float64
	}{
		{"present", map[string]any{"required": "cat,dog"}, "A cat and a dog.", "present", 1},
		{"half", map[string]any{"required": "cat,dog"}, "A cat.", "missing", .5},
		{"not within a word", map[string]any{"required": "the"}, "weather", "missing", 0},
		{"within a word on request", map[string]any{"required": "the", "word": false}, "weather", "present", 1},
		{"unicode border", map[string]any{"required": "ete"}, "étete", "missing", 0},
		{"folded", map[string]any{"required": "Paris"}, "PARIS", "present", 1},
		{"exact case", map[string]any{"required": "Paris", "case": "exact"}, "PARIS", "missing", 0},
		{"punctuation has no border", map[string]any{"required": "C++"}, "C++11 rules", "present", 1},
		{"forbidden", map[string]any{"required": "cat", "forbidden": "dog"}, "cat dog", "forbidden_present", 0},
		{"forbidden absent", map[string]any{"forbidden": []any{"dog"}}, "cat", "present", 1},
		{"second place has the border", map[string]any{"required": "the"}, "weather in the north", "present", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, err := NewContains("contains", values(t, ContainsDescriptor(), tt.options))
			if err != nil {
				t.Fatal(err)
			}
			v := j.Judge(&verdict.Candidate{Response: tt.response})
			s, ok := v.Scored()
			if !ok || s.Reason != tt.want || s.Reward != tt.reward || s.Passed != (s.Reward == 1) {
				t.Errorf("%+v, want %s with %v", s, tt.want, tt.reward)
			}
		})
	}
}

func TestContainsTheReference(t *testing.T) {
	tests := []struct {
		name, row, response, want string
	}{
		{"alone", `"72"`, " #### 72", "present"},
		{"among others", `"72"`, " #### 71 72 82", "present"},
		{"a number", `72`, " #### 72", "present"},
		{"within another number", `"72"`, " #### 172", "missing"},
		{"absent", `"72"`, " #### 71", "missing"},
		{"empty", `" "`, " #### 71", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, err := NewContains("contains", values(t, ContainsDescriptor(), map[string]any{"reference": true}))
			if err != nil {
				t.Fatal(err)
			}
			v := j.Judge(&verdict.Candidate{Response: tt.response, Row: verdict.Row{{Key: "reference", JSON: []byte(tt.row)}}})
			if s, ok := v.Scored(); ok != (tt.want != "") || s.Reason != tt.want {
				t.Errorf("%+v, want %s", v, tt.want)
			}
		})
	}
}

func TestContainsFindingsAndSpec(t *testing.T) {
	j, err := NewContains("contains", values(t, ContainsDescriptor(), map[string]any{"required": "safe"}))
	if err != nil {
		t.Fatal(err)
	}
	if v := j.Judge(&verdict.Candidate{Response: "This is not at all safe."}); !v.Has("negated") {
		t.Errorf("negation went unseen: %+v", v)
	}
	if v := j.Judge(&verdict.Candidate{Response: "safe safe safe safe"}); !v.Has("stuffing") {
		t.Errorf("stuffing went unseen: %+v", v)
	}
	var bad *spec.BadSpecError
	if _, err := NewContains("contains", values(t, ContainsDescriptor(), nil)); !errors.As(err, &bad) {
		t.Errorf("nothing to look for: %v", err)
	}
	d := ContainsDescriptor()
	if _, err := d.Resolve("contains", map[string]any{"required": []any{"a", ""}}); !errors.As(err, &bad) {
		t.Errorf("an empty needle was taken: %v", err)
	}
}

func TestRegex(t *testing.T) {
	tests := []struct {
		name     string
		options  map[string]any
		response string
		want     string
	}{
		{"search", map[string]any{"pattern": `\d{3}`, "mode": "search"}, "a 123 b", "match"},
		{"no match", map[string]any{"pattern": `\d{3}`, "mode": "search"}, "a 12 b", "no_match"},
		{"full is the default", map[string]any{"pattern": `\d{3}`}, "123", "match"},
		{"full is full", map[string]any{"pattern": `\d{3}`, "mode": "full"}, "1234", "no_match"},
		{"full with alternatives", map[string]any{"pattern": `a|b`, "mode": "full"}, "ab", "no_match"},
		{"dot matches newline", map[string]any{"pattern": `a.b`}, "a\nb", "match"},
		{"full has no trailing newline", map[string]any{"pattern": `a`, "mode": "full"}, "a\n", "no_match"},
		{"the pattern that takes others seconds", map[string]any{"pattern": `(a+)+b`}, strings.Repeat("a", 5000), "no_match"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, err := NewRegex("regex", values(t, RegexDescriptor(), tt.options))
			if err != nil {
				t.Fatal(err)
			}
			v := j.Judge(&verdict.Candidate{Response: tt.response})
			if got := outcome(v); got != tt.want || !v.Has("engine") {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
	var pattern *spec.PatternError
	for _, p := range []string{"(", "a)(b", "[z-a]", `(?<=a)b`} {
		if _, err := NewRegex("regex", spec.Values{"pattern": p}); !errors.As(err, &pattern) {
			t.Errorf("%q: %v", p, err)
		}
	}
	if _, err := NewRegex("regex", spec.Values{"pattern": ""}); err == nil {
		t.Error("the empty pattern was taken")
	}
}

func FuzzClean(f *testing.F) {
	f.Add(`\text{**$4$**}`, "４２.")
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := clean(a, true), clean(b, true)
		if same(x, y, NormalizeText) != same(y, x, NormalizeText) {
			t.Fatalf("equality of %q and %q depends on their order", a, b)
		}
		if x != "" && !same(x, x, NormalizeText) {
			t.Fatalf("%q differs from itself", x)
		}
	})
}

func BenchmarkExact(b *testing.B) {
	j := NewExact(values(b, ExactDescriptor(), nil))
	c := &verdict.Candidate{Response: `so it is \boxed{42}`, Row: row(`"42"`)}
	for b.Loop() {
		j.Judge(c)
	}
}

func BenchmarkContains(b *testing.B) {
	j, _ := NewContains("contains", values(b, ContainsDescriptor(), map[string]any{"required": "cat,dog"}))
	c := &verdict.Candidate{Response: "a cat sat on the mat with a dog"}
	for b.Loop() {
		j.Judge(c)
	}
}
