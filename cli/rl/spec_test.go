package rl

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// What people write at --verifier and --spec is what the verifier gets: a pattern keeps its backslashes and loses its quotes.
func TestParseVerifier(t *testing.T) {
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name, text, verifier string
		options              map[string]any
	}{
		{"a name", "math", "math", nil},
		{"options", "math:form=number,tolerance=0.001,strict=false", "math", map[string]any{"form": "number", "tolerance": 0.001, "strict": false}},
		{"a pattern with a comma", `regex:pattern="\d{2,3}",mode=search`, "regex", map[string]any{"pattern": `\d{2,3}`, "mode": "search"}},
		{"a pattern without quotes", `regex:pattern=\d+`, "regex", map[string]any{"pattern": `\d+`}},
		{"a number that is a text", `contains:required="42"`, "contains", map[string]any{"required": "42"}},
		{"a number that a float does not hold", "contains:required=9007199254740993", "contains", map[string]any{"required": "9007199254740993"}},
		{"a word that is no number", "contains:required=inf", "contains", map[string]any{"required": "inf"}},
		{"an option from a file", "json_schema:schema=@" + file("s.json", `{"type": "object"}`), "json_schema", map[string]any{"schema": `{"type": "object"}`}},
		{"a text that begins with @", `contains:required="@all"`, "contains", map[string]any{"required": "@all"}},
		{"a line that ends as a file does", "plugin:name=mine,verifier=x.json", "plugin", map[string]any{"name": "mine", "verifier": "x.json"}},
		{"a file", file("v.yaml", "name: composite\nmode: all\nmembers: [{name: math}]\n"), "composite", map[string]any{"mode": "all"}},
		{"a file of JSON", file("v.json", `{"name": "math", "options": {"strict": true}}`), "math", map[string]any{"strict": true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseVerifier(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if options := got.GetOptions().AsMap(); got.GetName() != tt.verifier || len(options)+len(tt.options) > 0 && !reflect.DeepEqual(options, tt.options) {
				t.Errorf("%s with %v", got.GetName(), options)
			}
		})
	}
	for text, want := range map[string]string{
		`regex:pattern=\d{2,3}`: "quote a value that has a comma", "math:": "no colon", "math:strict": "option=value", `regex:pattern="a`: "closing quote",
		"none.yaml": "no such file", "contains:required=@none": "in quotes", "starlark:program=@" + file("long", strings.Repeat("x", maxOptionFile+1)): "more than",
		"no:such/file.yaml": "no such file", file("bad.yaml", "name: math\nstep: {"): "bad.yaml", "math:a=1,a=2": "once",
	} {
		if _, err := ParseVerifier(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
