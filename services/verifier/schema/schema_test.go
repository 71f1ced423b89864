package schema

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

func judgeOf(t testing.TB, options map[string]any) verdict.Judge {
	t.Helper()
	d := Descriptor()
	v, err := d.Resolve(Name, options)
	if err != nil {
		t.Fatal(err)
	}
	j, err := New(Name, v)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

const person = `{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0}},"required":["name","age"],"additionalProperties":false}`

func TestJudge(t *testing.T) {
	tests := []struct {
		name     string
		options  map[string]any
		response string
		reason   string
		passed   bool
	}{
		{"valid", nil, `{"name":"Ada","age":36}`, "valid", true},
		{"blanks around", nil, "\n {\"name\":\"Ada\",\"age\":36} \n", "valid", true},
		{"1.0 is an integer", nil, `{"name":"Ada","age":1.0}`, "valid", true},
		{"a large integer stays exact", map[string]any{"schema": `{"const":123456789012345678901234567890}`}, `123456789012345678901234567890`, "valid", true},
		{"and its neighbour differs", map[string]any{"schema": `{"const":123456789012345678901234567890}`}, `123456789012345678901234567891`, "invalid", false},
		{"true is no integer", nil, `{"name":"Ada","age":true}`, "invalid", false},
		{"a key missing", nil, `{"name":"Ada"}`, "invalid", false},
		{"a key too many", nil, `{"name":"Ada","age":1,"x":1}`, "invalid", false},
		{"behind reasoning", nil, `<think>{"name":1}</think>{"name":"Ada","age":36}`, "valid", true},
		{"only in reasoning", nil, `<think>{"name":"Ada","age":36}`, "not_json", false},
		{"empty", nil, "", "not_json", false},
		{"prose beside it", nil, `Here: {"name":"Ada","age":36}`, "not_json", false},
		{"two documents", nil, `{"name":"Ada","age":36} {"name":"Ada","age":36}`, "not_json", false},
		{"comma at the end", nil, `{"name":"Ada","age":36,}`, "not_json", false},
		{"NaN", nil, `{"name":"Ada","age":NaN}`, "not_json", false},
		{"not UTF-8", nil, "{\"name\":\"\xff\",\"age\":1}", "not_json", false},
		{"NUL", nil, "{\"name\":\"\x00\",\"age\":1}", "not_json", false},
		{"a key twice", nil, `{"name":"Ada","age":-1,"age":36}`, "duplicate_key", false},
		{"too deep", nil, strings.Repeat("[", 100000), "limit_exceeded", false},
		{"a number of 5,000 digits", nil, strings.Repeat("9", 5000), "limit_exceeded", false},
		{"fenced", nil, "```json\n{\"name\":\"Ada\",\"age\":36}\n```", "valid", true},
		{"fenced with tildes", nil, "~~~\n{\"name\":\"Ada\",\"age\":36}\n~~~\n", "valid", true},
		{"fenced, prose before", nil, "Sure!\n```json\n{\"name\":\"Ada\",\"age\":36}\n```", "not_json", false},
		{"fenced, prose behind", nil, "```json\n{\"name\":\"Ada\",\"age\":36}\n```\nDone", "not_json", false},
		{"two blocks", nil, "```json\n{\"name\":\"Ada\",\"age\":36}\n```\n```json\n{}\n```", "not_json", false},
		{"an open block", nil, "```json\n{\"name\":\"Ada\",\"age\":36}", "not_json", false},
		{"an empty block", nil, "```\n```", "not_json", false},
		{"fence forbidden", map[string]any{"fences": "forbid"}, "```json\n{\"name\":\"Ada\",\"age\":36}\n```", "fence_forbidden", false},
		{"fence required", map[string]any{"fences": "require"}, `{"name":"Ada","age":36}`, "fence_required", false},
		{"fence required and there", map[string]any{"fences": "require"}, "```json\n{\"name\":\"Ada\",\"age\":36}\n```", "valid", true},
		{"backticks in a string", nil, "{\"name\":\"```\",\"age\":36}", "valid", true},
		{"format is an annotation", map[string]any{"schema": `{"format":"ipv4"}`}, `"nowhere"`, "valid", true},
		{"required_keys", map[string]any{"schema": nil, "required_keys": []any{"a"}}, `{"b":1}`, "invalid", false},
		{"types", map[string]any{"schema": nil, "types": map[string]any{"a": "integer"}}, `{"a":true}`, "invalid", false},
		{"types hold", map[string]any{"schema": nil, "types": map[string]any{"a": "integer"}}, `{"a":2}`, "valid", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			options := map[string]any{"schema": person}
			for k, v := range tt.options {
				if options[k] = v; v == nil {
					delete(options, k)
				}
			}
			v := judgeOf(t, options).Judge(&verdict.Candidate{Response: tt.response})
			s, scored := v.Scored()
			if !scored || s.Reason != tt.reason || s.Passed != tt.passed || (s.Reward == 1) != tt.passed {
				t.Errorf("%+v, want %s", v, tt.reason)
			}
		})
	}
}

func TestFormats(t *testing.T) {
	tests := []struct {
		format, good, bad string
	}{
		{"date-time", "2026-11-25T10:00:00.5Z", "2026-13-25T10:00:00Z"},
		{"email", "a.b@example.org", "Ada <a@example.org>"},
		{"ipv4", "192.0.2.1", "192.0.2.256"},
		{"ipv6", "2001:db8::1", "fe80::1%eth0"},
		{"uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567e89b12d3a456426614174000"},
		{"uri", "https://example.org/a?b#c", "/relative"},
	}
	for _, tt := range tests {
		t.Run(tt.format, func(t *testing.T) {
			j := judgeOf(t, map[string]any{"schema": `{"format":"` + tt.format + `"}`, "formats": "assert"})
			for text, want := range map[string]bool{`"` + tt.good + `"`: true, `"` + tt.bad + `"`: false, `17`: true} {
				if v := j.Judge(&verdict.Candidate{Response: text}); v.Passed() != want {
					t.Errorf("%s: %+v", text, v)
				}
			}
		})
	}
}

func TestPartial(t *testing.T) {
	j := judgeOf(t, map[string]any{"schema": person, "partial": true})
	tests := []struct {
		name, response string
		reward         float64
	}{
		{"all", `{"name":"Ada","age":36}`, 1},
		{"one wrong of two keys", `{"name":"Ada","age":"x"}`, 3.0 / 4},
		{"one missing", `{"name":"Ada"}`, 2.0 / 4},
		{"every unit holds, another rule does not", `{"name":"Ada","age":36,"x":1}`, 4.0 / 5},
		{"not an object", `[]`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := j.Judge(&verdict.Candidate{Response: tt.response})
			s, _ := v.Scored()
			if math.Abs(s.Reward-tt.reward) > 1e-12 || s.Passed != (tt.reward == 1) || !v.Has("gameable_partial") {
				t.Errorf("%+v, want %v", v, tt.reward)
			}
		})
	}
}

func TestSchemaOfTheRow(t *testing.T) {
	j := judgeOf(t, nil)
	row := func(schema string) *verdict.Candidate {
		return &verdict.Candidate{Response: "1", Row: verdict.Row{{Key: "schema", JSON: []byte(schema)}}}
	}
	for range 2 { // the second time from the cache
		if v := j.Judge(row(`{"type":"integer"}`)); !v.Passed() {
			t.Errorf("%+v", v)
		}
		for _, bad := range []string{`{"type":"integr"}`, `{"$ref":"file:///etc/passwd"}`, `{`} {
			v := j.Judge(row(bad))
			if u, ok := v.Unscored(); !ok || u.Reason != verdict.BadRow {
				t.Errorf("%s: %+v", bad, v)
			}
		}
	}
	v := j.Judge(&verdict.Candidate{Response: "1"})
	if u, ok := v.Unscored(); !ok || u.Reason != verdict.BadRow {
		t.Errorf("without a schema: %+v", v)
	}
}

// The library's own loader opens files and tells their content in its error.
func TestNothingIsLoaded(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(secret, []byte(`"hunter2"`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{"file://" + secret, secret, "secret.json", "http://127.0.0.1:9/x", "https://example.org/x"} {
		_, err := New(Name, spec.Values{"schema": `{"$ref":"` + ref + `"}`})
		var bad *spec.SchemaError
		if !errors.As(err, &bad) || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "$defs") {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

func TestSpecsThatAreRefused(t *testing.T) {
	d := Descriptor()
	var schema *spec.SchemaError
	var bad *spec.BadSpecError
	for name, options := range map[string]map[string]any{
		"unknown type":     {"schema": `{"type":"integr"}`},
		"not JSON":         {"schema": `{"type":`},
		"a key twice":      {"schema": `{"type":"string","type":"object"}`},
		"bad pattern":      {"schema": `{"pattern":"("}`},
		"both forms":       {"schema": person, "required_keys": []any{"a"}},
		"types of numbers": {"types": map[string]any{"a": 1.0}},
		"unknown short":    {"types": map[string]any{"a": "int"}},
		"text, no schema":  {"schema": "person"},
		"fences":           {"schema": person, "fences": "maybe"},
	} {
		v, err := d.Resolve(Name, options)
		if err == nil {
			_, err = New(Name, v)
		}
		if !errors.As(err, &schema) && !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A violation must be told in the same words on every repeat, although objects are walked in any order.
func TestViolationRepeats(t *testing.T) {
	j := judgeOf(t, map[string]any{"schema": `{"additionalProperties":{"type":"string"}}`})
	c := &verdict.Candidate{Response: `{"a":1,"b":2,"c":3,"d":4,"e":5}`}
	first := j.Judge(c).Findings[0].Detail
	for range 50 {
		if v := j.Judge(c); v.Findings[0].Detail != first {
			t.Fatalf("%q and %q", first, v.Findings[0].Detail)
		}
	}
	if !strings.Contains(first, "/a") {
		t.Errorf("%q does not name the place", first)
	}
}

func FuzzJudge(f *testing.F) {
	f.Add(`{"name":"Ada","age":36}`)
	f.Add("```json\n{}\n```")
	f.Add("```\n```")
	f.Add("<think>x</think>[1,2")
	j := judgeOf(f, map[string]any{"schema": person, "partial": true})
	f.Fuzz(func(t *testing.T, response string) {
		v := j.Judge(&verdict.Candidate{Response: response})
		if _, scored := v.Scored(); !scored {
			t.Fatalf("%q: %+v", response, v)
		}
	})
}

func BenchmarkJudge(b *testing.B) {
	j := judgeOf(b, map[string]any{"schema": person})
	c := &verdict.Candidate{Response: `{"name":"Ada Lovelace","age":36}`}
	b.ReportAllocs()
	for b.Loop() {
		if v := j.Judge(c); !v.Passed() {
			b.Fatal(v)
		}
	}
}
