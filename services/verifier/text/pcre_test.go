package text

import (
	"errors"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

func pcreJudge(t testing.TB, pattern, mode string) (verdict.Judge, error) {
	t.Helper()
	d := RegexDescriptor()
	v, err := d.Resolve(regexName, map[string]any{"pattern": pattern, "mode": mode, "engine": "pcre"})
	if err != nil {
		t.Fatal(err)
	}
	return NewRegex(regexName, v)
}

func TestPCRE(t *testing.T) {
	tests := []struct {
		name, pattern, mode, text string
		want                      bool
	}{
		{"look-ahead", `(?=.*\d)\w+`, "full", "abc1", true},
		{"look-ahead fails", `(?=.*\d)\w+`, "full", "abcd", false},
		{"back reference", `(\w)\1`, "search", "hello", true},
		{"named as in Python", `(?P<a>\w)-(?P=a)`, "full", "x-x", true},
		{"named, other text", `(?P<a>\w)-(?P=a)`, "full", "x-y", false},
		{"the end", `a\Z`, "search", "a\n", false},
		{"dot and newline", `a.b`, "full", "a\nb", true},
		{"full means all", `a`, "full", "ab", false},
		{"alternatives keep their borders", `a|b`, "full", "ab", false},
		{"bracket first in a class", `[]a]+`, "full", "]a]", true},
		{"bracket first, negated", `[^]a]+`, "full", "xyz", true},
		{"plus in a class", `[a*+]+`, "full", "*+a", true},
		{"escaped plus", `a\++`, "full", "a++", true},
		{"a brace that is no quantifier", `{x}+`, "full", "{x}}", true},
		{"atomic", `(?>a+)b`, "full", "aab", true},
		{"not UTF-8", `a.`, "full", "a\xff", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, err := pcreJudge(t, tt.pattern, tt.mode)
			if err != nil {
				t.Fatal(err)
			}
			v := j.Judge(&verdict.Candidate{Response: tt.text})
			if _, scored := v.Scored(); !scored || v.Passed() != tt.want || !v.Has("engine") {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestPCRERefuses(t *testing.T) {
	for _, pattern := range []string{`a++`, `a*+`, `a?+`, `a{2,3}+`, `\Kx`, `(?R)`, `(a)(?1)`, `(?&x)`, `(?P>x)`, `(?-1)`, `(*SKIP)a`, `(?|a|b)`, `\Qa`, `(`, `a)(b`, `\`, `(?P=x`} {
		_, err := pcreJudge(t, pattern, "full")
		var bad *spec.PatternError
		if !errors.As(err, &bad) || bad.Engine != "PCRE" {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

// A pattern that backtracks without end gives up: it is unscored, because the pattern is the task's, and no reward.
func TestPCREGivesUp(t *testing.T) {
	j, err := pcreJudge(t, `(a+)+b`, "full")
	if err != nil {
		t.Fatal(err)
	}
	v := j.Judge(&verdict.Candidate{Response: strings.Repeat("a", 40)})
	if u, ok := v.Unscored(); !ok || u.Reason != verdict.Deadline || !v.Has("time_dependent") {
		t.Errorf("%+v", v)
	}
	v = j.Judge(&verdict.Candidate{Response: strings.Repeat("a", maxPCREInput+1)})
	if s, ok := v.Scored(); !ok || s.Reason != "no_match" || !v.Has("limit_exceeded") {
		t.Errorf("%+v", v)
	}
}

func FuzzTranslate(f *testing.F) {
	for _, s := range []string{`(?P<a>x)(?P=a)`, `[]a]`, `a{1,2}+`, `\\Z`, `(?1)`, "(?P=", `[^]`, `[]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		out, err := translate(pattern)
		if err == nil && len(out) > 2*len(pattern)+8 {
			t.Fatalf("%q became %q", pattern, out)
		}
	})
}
