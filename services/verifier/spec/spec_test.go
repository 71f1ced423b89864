package spec

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/reward"
)

func TestParseText(t *testing.T) {
	tests := []struct {
		name    string
		text    string
		verb    string
		options map[string]any
		bad     string // field of the error
	}{
		{"name", "math", "math", nil, ""},
		{"options", "math:profile=last_boxed,float_rounding=6", "math", map[string]any{"profile": "last_boxed", "float_rounding": "6"}, ""},
		{"quoted comma", `contains:required="a,b",case=exact`, "contains", map[string]any{"required": "a,b", "case": "exact"}, ""},
		{"pattern keeps backslashes", `regex:pattern="\d{3,5}\.x"`, "regex", map[string]any{"pattern": `\d{3,5}\.x`}, ""},
		{"escaped quote", `regex:pattern="a\"b\\c"`, "regex", map[string]any{"pattern": `a"b\c`}, ""},
		{"JSON list", `contains:required=["a,b","c"],word=false`, "contains", map[string]any{"required": `["a,b","c"]`, "word": "false"}, ""},
		{"value with equals", "regex:pattern=a=b", "regex", map[string]any{"pattern": "a=b"}, ""},
		{"blanks", "  math : x=1", "", nil, "name"},
		{"empty", "", "", nil, "name"},
		{"colon alone", "math:", "", nil, "options"},
		{"no value", "math:strict", "", nil, "options"},
		{"comma at the end", "math:strict=true,", "", nil, "options"},
		{"twice", "math:strict=true,strict=false", "", nil, "option strict"},
		{"quote never closed", `regex:pattern="a`, "", nil, "option pattern"},
		{"text after the quote", `regex:pattern="a"b`, "", nil, "option pattern"},
		{"unquoted comma", `regex:pattern=\d{3,5}`, "", nil, "options"},
		{"too long", "math:" + strings.Repeat("x", 70000), "", nil, "length"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ParseText(tt.text)
			var bad *BadSpecError
			if errors.As(err, &bad) != (tt.bad != "") || tt.bad != "" && bad.Field != tt.bad {
				t.Fatalf("error %v, want one of field %q", err, tt.bad)
			}
			if s.Name != tt.verb && tt.bad == "" || !reflect.DeepEqual(s.Options, tt.options) && tt.bad == "" {
				t.Errorf("got %+v", s)
			}
		})
	}
}

const composite = `
name: composite
mode: weighted
threshold: 0.5
members: [{name: math, options: {profile: group_boxed}, weight: 3}, {name: regex, options: {pattern: '(?s).*####.*'}, required: true}, "exact_answer:case=exact"]
reward: {op: clamp, lo: 0, hi: 1, of: {op: gate, when: {member: 1}, threshold: 1, of: {member: 0}}}
`

func TestParseFile(t *testing.T) {
	s, err := ParseFile([]byte(composite))
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "composite" || s.Options["mode"] != "weighted" || len(s.Members) != 3 {
		t.Fatalf("%+v", s)
	}
	if *s.Members[0].Weight != 3 || !s.Members[1].Required || s.Members[1].Options["pattern"] != "(?s).*####.*" || s.Members[2].Options["case"] != "exact" {
		t.Errorf("members %+v", s.Members)
	}
	if s.Reward == nil || s.Reward.Op != reward.OpClamp || s.Reward.Parts[0].When.Op != reward.OpMember || s.Reward.Check(3) != nil {
		t.Errorf("reward %+v", s.Reward)
	}
	asJSON := `{"name":"math","options":{"float_rounding":4}}`
	if s, err = ParseFile([]byte(asJSON)); err != nil || s.Name != "math" || s.Options["float_rounding"] == nil {
		t.Errorf("JSON: %+v, %v", s, err)
	}
}

func TestParseFileRefuses(t *testing.T) {
	deep := strings.Repeat(`{name: composite, members: [`, 20) + "math" + strings.Repeat(`]}`, 20)
	tests := []struct{ name, file string }{
		{"empty", ""},
		{"a list", "- math"},
		{"no name", "options: {}"},
		{"name of another type", "name: 3"},
		{"key twice", "name: math\nname: regex"},
		{"option twice", "name: math\nstrict: true\noptions: {strict: false}"},
		{"options of another type", "name: math\noptions: 3"},
		{"members of another type", "name: composite\nmembers: math"},
		{"bad member", "name: composite\nmembers: [3]"},
		{"negative weight", "name: math\nweight: -1"},
		{"NaN weight", "name: math\nweight: .nan"},
		{"required of another type", "name: math\nrequired: 1"},
		{"reward of another type", "name: math\nreward: 3"},
		{"unknown key of a reward", "name: math\nreward: {op: const, value: 1, vlaue: 2}"},
		{"parts and of", "name: math\nreward: {op: min, of: {member: 0}, parts: [{member: 0}]}"},
		{"two documents", "name: math\n---\nname: regex"},
		{"not YAML", "name: [math"},
		{"too deep", deep},
		{"too large", strings.Repeat("#", 2<<20)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var bad *BadSpecError
			if s, err := ParseFile([]byte(tt.file)); !errors.As(err, &bad) {
				t.Errorf("took it as %+v, %v", s, err)
			}
		})
	}
}

func table() Descriptor {
	return Descriptor{Name: "x", Options: []Option{
		{Name: "profile", Type: Choice, Allowed: []string{"a", "b"}, Default: "a"},
		{Name: "strict", Type: Flag, Default: true},
		{Name: "rounding", Type: Integer, Min: 0, Max: 15, Default: int64(6)},
		{Name: "tolerance", Type: Number, Min: 0, Max: 1},
		{Name: "pattern", Type: Text, Required: true},
		{Name: "words", Type: Texts},
		{Name: "fields", Type: Record, Allowed: []string{"reference"}},
	}}
}

func TestResolve(t *testing.T) {
	d := table()
	v, err := d.Resolve("x", map[string]any{"pattern": "p", "rounding": json.Number("3"), "strict": "false", "words": []any{"u"}, "fields": map[string]any{"reference": "gold"}})
	if err != nil {
		t.Fatal(err)
	}
	if v.String("profile") != "a" || v.Flag("strict") || v.Int("rounding") != 3 || v.Texts("words")[0] != "u" || v.Record("fields")["reference"] != "gold" {
		t.Errorf("%+v", v)
	}
	if _, ok := v.Number("tolerance"); ok {
		t.Error("an absent option has a value")
	}
	for _, tt := range []struct {
		name  string
		value any
		field string
	}{
		{"profile", "c", "profile"}, {"profile", 1.0, "profile"}, {"strict", "yes", "strict"}, {"strict", 1.0, "strict"},
		{"rounding", 16.0, "rounding"}, {"rounding", -1.0, "rounding"}, {"rounding", 1.5, "rounding"}, {"rounding", "many", "rounding"},
		{"tolerance", math.NaN(), "tolerance"}, {"tolerance", -0.1, "tolerance"}, {"pattern", true, "pattern"},
		{"words", []any{1.0}, "words"}, {"words", "", "words"}, {"words", "[1]", "words"}, {"fields", map[string]any{"gold": "x"}, "fields"},
		{"profil", "a", "option profil"},
	} {
		var bad *BadSpecError
		options := map[string]any{"pattern": "p"}
		options[tt.name] = tt.value
		if _, err := d.Resolve("x", options); !errors.As(err, &bad) || bad.Field != tt.field {
			t.Errorf("%s=%v: %v, want an error of field %s", tt.name, tt.value, err, tt.field)
		}
	}
	if _, err := d.Resolve("x", nil); err == nil || !strings.Contains(err.Error(), "pattern is absent") {
		t.Errorf("required option absent: %v", err)
	}
	_, err = d.Resolve("x", map[string]any{"pattern": "p", "profil": "a"})
	if err == nil || !strings.Contains(err.Error(), "did you mean profile") {
		t.Errorf("a slip does not get the nearest name: %v", err)
	}
}

// Two spellings of one spec are one spec.
func TestCanonical(t *testing.T) {
	d := table()
	one, err := d.Resolve("x", map[string]any{"pattern": "p", "rounding": "6"})
	if err != nil {
		t.Fatal(err)
	}
	two, err := d.Resolve("x", map[string]any{"profile": "a", "pattern": "p", "strict": true})
	if err != nil {
		t.Fatal(err)
	}
	a, errA := (&Resolved{Name: "x", Options: one}).Canonical()
	b, errB := (&Resolved{Name: "x", Options: two}).Canonical()
	if errA != nil || errB != nil || string(a) != string(b) {
		t.Errorf("%s\n%s\n%v %v", a, b, errA, errB)
	}
	three, _ := d.Resolve("x", map[string]any{"pattern": "q"})
	if c, _ := (&Resolved{Name: "x", Options: three}).Canonical(); string(c) == string(a) {
		t.Error("another pattern gives the same document")
	}
}

func TestSchema(t *testing.T) {
	d := table()
	b, err := json.Marshal(d.Schema())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"enum":["a","b"]`, `"required":["pattern"]`, `"maximum":15`, `"default":6`, `"additionalProperties":false`} {
		if !strings.Contains(string(b), want) {
			t.Errorf("schema lacks %s: %s", want, b)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"math", "regex", "exact_answer", "contains"}
	for _, tt := range []struct{ word, want string }{{"mth", "math"}, {"exact", "exact_answer"}, {"regexp", "regex"}, {"zzzzzz", ""}} {
		if got := Nearest(tt.word, names); strings.Join(got, ",") != tt.want {
			t.Errorf("nearest of %s: %v, want %s", tt.word, got, tt.want)
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	for _, err := range []error{
		&UnknownVerifierError{Name: "mth", Nearest: []string{"math"}}, &NotAvailableError{Name: "code"},
		&PatternError{Path: "regex", Pattern: "(", Err: errors.New("missing )")},
	} {
		if len(err.Error()) < 30 {
			t.Errorf("%v says too little", err)
		}
	}
	inner := errors.New("x")
	if !errors.Is(&PatternError{Err: inner}, inner) {
		t.Error("the cause is lost")
	}
	w := math.Inf(1)
	if err := (&Spec{Weight: &w}).CheckWeight("m"); err == nil {
		t.Error("an infinite weight was taken")
	}
}

func FuzzParseText(f *testing.F) {
	f.Add(`regex:pattern="a\"b",mode=full`)
	f.Add(`contains:required=["a"],x=1`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseText(text)
		if err == nil && !isName(s.Name) {
			t.Fatalf("took the name %q", s.Name)
		}
	})
}

func FuzzParseFile(f *testing.F) {
	f.Add(composite)
	f.Add(`{"name":"math"}`)
	f.Fuzz(func(t *testing.T, file string) {
		var bad *BadSpecError
		if _, err := ParseFile([]byte(file)); err != nil && !errors.As(err, &bad) {
			t.Fatalf("an error of another type: %v", err)
		}
	})
}
