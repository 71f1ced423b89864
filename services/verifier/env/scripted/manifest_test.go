package scripted

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const goodManifest = `name: counter
version: "1"
program: p.star
judge: state
tools:
  - {name: add, description: d, parameters: {type: object, properties: {by: {type: integer}}, additionalProperties: false}}
`

const goodProgram = `
def task(seed, split, difficulty): return {"prompt": "p", "state": {"n": 0}}
def add(state, by=1):
    state["n"] += by
    return state["n"]
def verdict(state, answer): return state["n"] == 3
`

func TestManifestsThatAreRefused(t *testing.T) {
	edit := func(old, with string) string { return strings.Replace(goodManifest, old, with, 1) }
	tests := []struct{ name, manifest, program, want string }{
		{"nothing", "", goodProgram, "EOF"},
		{"no mapping", "[1]", goodProgram, "cannot unmarshal"},
		{"not YAML", "{", goodProgram, File},
		{"a key twice", goodManifest + "name: other\n", goodProgram, "name"},
		{"two documents", goodManifest + "---\nname: x\n", goodProgram, "more than one"},
		{"an unknown key", goodManifest + "max_turn: 3\n", goodProgram, "max_turn"},
		{"no version", edit(`version: "1"`, "summary: x"), goodProgram, "version"},
		{"a program elsewhere", edit("p.star", "../p.star"), goodProgram, "same folder"},
		{"an absolute program", edit("p.star", "/etc/passwd.py"), goodProgram, "same folder"},
		{"a program of another language", edit("p.star", "p.lua"), goodProgram, ".star or .py"},
		{"a program that is not there", edit("p.star", "q.star"), goodProgram, "q.star"},
		{"another judge", edit("state", "everybody"), goodProgram, "answer or state"},
		{"no tools", goodManifest[:strings.Index(goodManifest, "tools:")], goodProgram, "tools"},
		{"a tool named verdict", edit("name: add", "name: verdict"), goodProgram, "no name for a tool"},
		{"a tool named task", edit("name: add", "name: task"), goodProgram, "no name for a tool"},
		{"arguments that nobody named", edit("additionalProperties: false", "additionalProperties: true"), goodProgram, "additionalProperties"},
		{"arguments not closed", edit(", additionalProperties: false", ""), goodProgram, "additionalProperties"},
		{"an argument named state", edit("by:", "state:"), goodProgram, "named state"},
		{"parameters that are no schema", edit("parameters: {type: object, properties: {by: {type: integer}}, additionalProperties: false}", "parameters: 3"), goodProgram, "additionalProperties"},
		{"a limit of 20 s", goodManifest + "tool_limit: 20s\n", goodProgram, "100ms to 10s"},
		{"a limit without a unit", goodManifest + "tool_limit: \"5\"\n", goodProgram, "100ms to 10s"},
		{"no def of a tool", goodManifest, strings.Replace(goodProgram, "def add", "def sub", 1), "no def add"},
		{"no def task", goodManifest, strings.Replace(goodProgram, "def task", "def tusk", 1), "no def task"},
		{"no def verdict", goodManifest, strings.Replace(goodProgram, "def verdict", "def verdikt", 1), "no def verdict"},
		{"a program with a slip", goodManifest, goodProgram + "\nx = = 1", "primary expression"},
		{"a program that does not end", goodManifest + "tool_limit: 100ms\n", goodProgram + "\n[x for x in range(1000000000)]", "cancelled"},
		{"a program that is too long", goodManifest, goodProgram + strings.Repeat("#\n", maxFile/2), "more than"},
		{"Python without a sandbox", edit("p.star", "p.py"), goodProgram, "nothing here runs it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folder(t, tt.manifest, "p.star", tt.program)
			if err := os.WriteFile(filepath.Join(dir, "p.py"), []byte("pass"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(dir, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v does not say %q", err, tt.want)
			}
		})
	}
	if _, err := Load(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), File) {
		t.Errorf("an empty folder: %v", err)
	}
}

// A version that its author forgot to raise is another one all the same: the digest of a verdict names what judged.
func TestTheVersionKnowsTheProgram(t *testing.T) {
	version := func(manifest, program string) string {
		d, err := Load(folder(t, manifest, "p.star", program), nil)
		if err != nil {
			t.Fatal(err)
		}
		return d.Version
	}
	a := version(goodManifest, goodProgram)
	if again := version(goodManifest, goodProgram); again != a || !strings.HasPrefix(a, "1.") {
		t.Errorf("%s, then %s", a, again)
	}
	if version(goodManifest, goodProgram+"\n") == a || version(goodManifest+"max_turns: 3\n", goodProgram) == a {
		t.Error("an edit keeps the version")
	}
	if version("# a comment\n"+goodManifest, goodProgram) != a {
		t.Error("a comment of the manifest is another environment")
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(goodManifest))
	f.Add([]byte("name: &a x\nversion: *a\n"))
	f.Add([]byte("tools: [{}]"))
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.star"), []byte(goodProgram), 0o600); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, File), b, 0o600); err != nil {
			t.Fatal(err)
		}
		if m, err := read(dir); err == nil && (m.Program != "p.star" || len(m.Tools) == 0 || m.limit <= 0) {
			t.Errorf("%+v", m)
		}
	})
}
