package math

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/provenir/provenir/services/verifier/verdict"
)

// testCase is a line of testdata/cases.jsonl: our own table over every line of the grammar, both ways.
type testCase struct {
	Group     string         `json:"group"`
	Reference string         `json:"reference"`
	Answer    string         `json:"answer"`
	Equal     bool           `json:"equal"`
	Reason    string         `json:"reason"`  // of a scored verdict, where the case is about it
	Options   map[string]any `json:"options"` // besides profile=whole
}

func cases(t testing.TB) []testCase {
	t.Helper()
	f, err := os.Open("testdata/cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []testCase
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var c testCase
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatalf("%s: %v", s.Bytes(), err)
		}
		out = append(out, c)
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return out
}

func verifier(t testing.TB, options map[string]any) *Verifier {
	t.Helper()
	d := Descriptor()
	v, err := d.Resolve(Name, options)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(Name, v)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func withProfile(profile string, options map[string]any) map[string]any {
	out := map[string]any{"profile": profile}
	for k, v := range options {
		out[k] = v
	}
	return out
}

func candidate(t testing.TB, response, reference string) *verdict.Candidate {
	t.Helper()
	b, err := json.Marshal(reference)
	if err != nil {
		t.Fatal(err)
	}
	return &verdict.Candidate{Response: response, Row: verdict.Row{{Key: "reference", JSON: b}}}
}

func TestCases(t *testing.T) {
	all := cases(t)
	if len(all) < 300 {
		t.Fatalf("%d cases, want at least 300", len(all))
	}
	for _, c := range all {
		t.Run(c.Group+"/"+shorten(c.Reference)+" | "+shorten(c.Answer), func(t *testing.T) {
			v := verifier(t, withProfile("whole", c.Options)).Judge(candidate(t, c.Answer, c.Reference))
			s, scored := v.Scored()
			if u, ok := v.Unscored(); ok && (c.Equal || u.Reason != verdict.BadReference) {
				t.Fatalf("unscored %s: %s", u.Reason, u.Detail)
			}
			if s.Passed != c.Equal {
				t.Errorf("%q against %q: %s, want equal %v", c.Answer, c.Reference, s.Reason, c.Equal)
			}
			if scored && c.Reason != "" && s.Reason != c.Reason {
				t.Errorf("%q against %q: %s, want %s", c.Answer, c.Reference, s.Reason, c.Reason)
			}
		})
	}
}

// Where no relation is involved, which side is the reference makes no difference.
func TestCasesAreSymmetric(t *testing.T) {
	for _, c := range cases(t) {
		if c.Group == "intervals" || c.Group == "set relation" || c.Group == "unreadable" || c.Group == "worked numbers" || c.Group == "tolerance" || c.Group == "inequalities" {
			continue
		}
		m := verifier(t, withProfile("whole", c.Options))
		v := m.Judge(candidate(t, c.Reference, c.Answer))
		if _, bad := v.Unscored(); bad {
			continue // what is no answer is no reference either
		}
		if v.Passed() != c.Equal {
			s, _ := v.Scored()
			t.Errorf("%s: %q against %q: %s, and the other way round equal is %v", c.Group, c.Reference, c.Answer, s.Reason, c.Equal)
		}
	}
}

// Every answer is itself, in a box, with blanks around, and as delimited math.
func TestCasesAreReflexive(t *testing.T) {
	boxed, whole := verifier(t, nil), verifier(t, map[string]any{"profile": string("whole")})
	seen := map[string]bool{}
	for _, c := range cases(t) {
		for _, text := range []string{c.Reference, c.Answer} {
			if seen[text] || c.Group == "unreadable" || len(text) > 1000 {
				continue
			}
			seen[text] = true
			v := whole.Judge(candidate(t, text, text))
			if _, bad := v.Unscored(); bad {
				continue
			}
			if !v.Passed() {
				t.Errorf("%q is not itself: %+v", text, v)
			}
			if v := boxed.Judge(candidate(t, `so it is \boxed{`+text+`}.`, text)); !v.Passed() {
				t.Errorf("%q in a box is not itself: %+v", text, v)
			}
			if v := whole.Judge(candidate(t, "  "+text+" ", text)); !v.Passed() {
				t.Errorf("%q with blanks is not itself", text)
			}
		}
	}
}

func BenchmarkCases(b *testing.B) {
	type prepared struct {
		m *Verifier
		c *verdict.Candidate
	}
	var all []prepared
	known := map[string]*Verifier{}
	for _, c := range cases(b) {
		key, _ := json.Marshal(c.Options)
		if known[string(key)] == nil {
			known[string(key)] = verifier(b, withProfile("whole", c.Options))
		}
		all = append(all, prepared{known[string(key)], candidate(b, c.Answer, c.Reference)})
	}
	i := 0
	for b.Loop() {
		p := all[i%len(all)]
		p.m.Judge(p.c)
		i++
	}
}

func BenchmarkBoxedInteger(b *testing.B) {
	m := verifier(b, nil)
	c := candidate(b, `Working, working. Thus \boxed{42}.`, "42")
	for b.Loop() {
		m.Judge(c)
	}
}
