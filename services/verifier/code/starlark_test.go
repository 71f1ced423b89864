package code

import (
	"errors"
	"testing"

	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// TestCompareByProgram: the program of a spec decides; where it cannot, nobody is paid and nobody is blamed.
func TestCompareByProgram(t *testing.T) {
	const anyOrder = "def compare(stdout, expected, stdin):\n    return sorted(words(stdout)) == sorted(words(expected))\n"
	for _, tt := range []struct {
		name, program, stdout string
		exit                  int
		passed                bool
		unscored              verdict.Reason
	}{
		{"any order", anyOrder, "b a\n", 0, true, 0},
		{"another word", anyOrder, "b c\n", 0, false, 0},
		{"right and failed", anyOrder, "a b\n", 1, false, 0},
		{"sees the input", "def compare(stdout, expected, stdin):\n    return stdout == stdin\n", "in", 0, true, 0},
		{"no bytes of UTF-8", anyOrder, "\xff\x00", 0, false, 0},
		{"fails", "def compare(stdout, expected, stdin):\n    return int(stdout) == 1\n", "x", 0, false, verdict.BadSpec},
		{"no bool", "def compare(stdout, expected, stdin):\n    return 1\n", "x", 0, false, verdict.BadSpec},
		{"never ends", "def compare(stdout, expected, stdin):\n    while True: pass\n", "x", 0, false, verdict.BadSpec},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{result: sandbox.Result{Stdout: []byte(tt.stdout), ExitCode: tt.exit}}
			v := verifier(t, f, map[string]any{"task": "stdio", "compare": "starlark", "program": tt.program})
			j := v.JudgeContext(t.Context(), &verdict.Candidate{Response: "x", Row: verdict.Row{{Key: "stdin", JSON: column("in")}, {Key: "expected_stdout", JSON: column("a b")}}})
			u, unscored := j.Verdict.Unscored()
			want := tt.unscored
			if tt.name == "never ends" && u.Reason == verdict.Deadline {
				want = u.Reason // on a busy machine 50 ms are over before a million steps
			}
			if j.Verdict.Passed() != tt.passed || unscored != (want != 0) || unscored && u.Reason != want {
				t.Errorf("%s", show(&j))
			}
		})
	}
	for name, options := range map[string]map[string]any{
		"no program":            {"compare": "starlark"},
		"no compare":            {"compare": "starlark", "program": "def verify(row): return True"},
		"other parameters":      {"compare": "starlark", "program": "def compare(a, b): return True"},
		"no program at all":     {"compare": "starlark", "program": "def compare(:"},
		"a program for nothing": {"compare": "lines", "program": anyOrder},
	} {
		options["task"] = "stdio"
		d := Descriptor()
		values, err := d.Resolve(Name, options)
		if err == nil {
			_, err = New(Name, values, &fake{})
		}
		var program *spec.ProgramError
		var bad *spec.BadSpecError
		if !errors.As(err, &program) && !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
