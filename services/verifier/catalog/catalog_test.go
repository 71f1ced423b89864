package catalog

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/provenir/provenir/internal/task"
	"github.com/provenir/provenir/services/verifier/code"
	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

func mustCompile(t testing.TB, text string) *Compiled {
	t.Helper()
	s, err := spec.ParseText(text)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Compile(s, Env{Code: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryVerifierDescribesItself(t *testing.T) {
	names := Names()
	if !slices.IsSorted(names) || len(names) != 15 {
		t.Errorf("names %v", names)
	}
	for _, n := range names {
		d, err := Describe(n)
		if err != nil || d.Name != n || d.Summary == "" {
			t.Errorf("%s: %+v, %v", n, d, err)
		}
		for _, o := range d.Options {
			if o.Doc == "" || o.Type == 0 {
				t.Errorf("%s: option %s lacks its type or its words", n, o.Name)
			}
		}
	}
}

func TestNamesThatAreNotThere(t *testing.T) {
	tests := []struct {
		name, verifier string
		planned        bool
		near           string
	}{
		{"a slip", "mth", false, "math"},
		{"nothing like it", "zzzzzzzz", false, "exact_answer"},
		{"not here", "plugin", true, ""},
		{"case counts", "Math", false, "math"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := spec.Spec{Name: tt.verifier}
			if tt.planned { // it is known, and here is nobody to run it
				s.Options = map[string]any{"name": "a", "verifier": "b"}
			}
			_, err := Compile(s, Env{})
			var unknown *spec.UnknownVerifierError
			var later *spec.NotAvailableError
			if errors.As(err, &later) != tt.planned || errors.As(err, &unknown) == tt.planned {
				t.Fatalf("%v", err)
			}
			if unknown != nil && !strings.Contains(err.Error(), tt.near) {
				t.Errorf("%v does not name %s", err, tt.near)
			}
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	member := spec.Spec{Name: "math"}
	nested := member
	for range 10 {
		nested = spec.Spec{Name: "composite", Members: []spec.Spec{nested}}
	}
	tests := []struct {
		name string
		spec spec.Spec
		want string // in the error
	}{
		{"members of math", spec.Spec{Name: "math", Members: []spec.Spec{member}}, "only composite"},
		{"composite without members", spec.Spec{Name: "composite"}, "members"},
		{"bad member", spec.Spec{Name: "composite", Members: []spec.Spec{member, {Name: "regex"}}}, "composite.members[1].regex: pattern is absent"},
		{"bad pattern of a member", spec.Spec{Name: "composite", Members: []spec.Spec{{Name: "regex", Options: map[string]any{"pattern": "("}}}}, "RE2"},
		{"too deep", nested, "too deep"},
		{"bad reader", spec.Spec{Name: "math", Options: map[string]any{"extract": "latex,expr"}}, "joined by +"},
		{"bad choices", spec.Spec{Name: "math", Options: map[string]any{"extract": "string", "choices": "AA"}}, "different letters"},
		{"negative tolerance", spec.Spec{Name: "math", Options: map[string]any{"tolerance": -1.0}}, "from 0 to 1"},
		{"threshold 2", spec.Spec{Name: "composite", Options: map[string]any{"threshold": 2.0}, Members: []spec.Spec{member}}, "from 0 to 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Compile(tt.spec, Env{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v does not say %q", err, tt.want)
			}
		})
	}
}

func TestDigest(t *testing.T) {
	plain, spelled := mustCompile(t, "math"), mustCompile(t, "math:strict=true,float_rounding=6")
	if plain.Digest != spelled.Digest {
		t.Error("defaults written out make another verifier")
	}
	if other := mustCompile(t, "math:float_rounding=5"); other.Digest == plain.Digest {
		t.Error("another option keeps the digest")
	}
	s, _ := spec.ParseText("math")
	if other, _ := Compile(s, Env{Code: "another build"}); other.Digest == plain.Digest {
		t.Error("another build keeps the digest")
	}
}

// noRunner compiles code where nothing is judged.
type noRunner struct{ code.Runner }

func TestDigestKnowsTheInterpreter(t *testing.T) {
	parse := func(text string) spec.Spec {
		s, err := spec.ParseText(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	plain, both := parse("code"), spec.Spec{Name: "composite", Members: []spec.Spec{parse("math"), parse("code")}}
	digest := func(s spec.Spec, id sandbox.Identity, err error) (*Compiled, [32]byte) {
		c, e := Compile(s, Env{Code: "test", Sandbox: noRunner{}, Interpreter: func(bool) (sandbox.Identity, error) { return id, err }})
		if e != nil {
			t.Fatal(e)
		}
		return c, c.Digest
	}
	old, patched := sandbox.Identity{Version: "3.12.3", Binary: "a"}, sandbox.Identity{Version: "3.12.3", Binary: "b"}
	for _, s := range []spec.Spec{plain, both} {
		_, a := digest(s, old, nil)
		_, b := digest(s, patched, nil)
		if _, again := digest(s, old, nil); a == b || a != again {
			t.Errorf("%s: %x with one interpreter, %x with another", s.Name, a, b)
		}
		if c, _ := digest(s, sandbox.Identity{}, errors.New("no Python")); !c.Transient {
			t.Errorf("%s: a digest without its interpreter is kept", s.Name)
		}
	}
	_, a := digest(parse("math"), old, nil)
	if _, b := digest(parse("math"), patched, nil); a != b {
		t.Error("math does not run code, and its digest depends on Python")
	}
}

func TestStricter(t *testing.T) {
	s, ok := Stricter(spec.Spec{Name: "math", Options: map[string]any{"float_rounding": 4.0}})
	if !ok || s.Options["profile"] != "final_answer" || s.Options["float_rounding"] != 4.0 {
		t.Errorf("%+v", s)
	}
	if _, err := Compile(s, Env{}); err != nil {
		t.Error(err)
	}
	if _, ok := Stricter(spec.Spec{Name: "regex"}); ok {
		t.Error("regex has a stricter partner")
	}
}

// What a task pack says judges its answers must pass every demonstration and fail every answer without an attempt.
func TestTaskPacks(t *testing.T) {
	for _, p := range task.Packs() {
		settings := []task.Setting{{Difficulty: 1}, {Difficulty: 5}, {Difficulty: 10}}
		for _, preset := range p.Presets() {
			settings = append(settings, task.Setting{Preset: preset})
		}
		t.Run(p.Name(), func(t *testing.T) {
			for _, s := range settings {
				for index := range uint64(150) {
					i, err := p.Instance(17, index, s)
					if err != nil {
						t.Fatal(err)
					}
					if strings.HasPrefix(i.Spec, "code") {
						t.Skip("code runs in the sandbox; its own tests judge this pack")
					}
					tryInstance(t, p, i)
				}
			}
		})
	}
}

func tryInstance(t *testing.T, p task.Pack, i task.Instance) {
	t.Helper()
	judge := mustCompile(t, i.Spec).Judge
	reference, err := json.Marshal(i.Reference)
	if err != nil {
		t.Fatal(err)
	}
	row := verdict.Row{{Key: "reference", JSON: reference}}
	var more map[string]json.RawMessage
	if i.Row != "" && json.Unmarshal([]byte(i.Row), &more) != nil {
		t.Fatalf("row %s", i.Row)
	}
	for k, v := range more {
		row = append(row, verdict.Field{Key: k, JSON: v})
	}
	// The hedging demonstrations are there to be refused: a verifier that takes one is what a policy would exploit.
	_, answer, _ := strings.Cut(i.Completion, "#### ")
	hedged := p.Name() == "arithmetic" && len(strings.Fields(answer)) > 1
	if v := judge.Judge(&verdict.Candidate{Response: i.Completion, Row: row}); v.Passed() == hedged {
		t.Fatalf("%q is judged wrongly for %q: %+v", i.Completion, i.Reference, v)
	}
	for _, d := range p.Degenerate(i) {
		if v := judge.Judge(&verdict.Candidate{Response: d, Row: row}); v.Passed() {
			t.Fatalf("%q passes for %q: %+v", d, i.Reference, v)
		}
	}
}
