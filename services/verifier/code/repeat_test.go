package code

import (
	"testing"

	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// TestEvidenceRepeats: what a candidate writes while it runs (here a clock) is in no verdict.
func TestEvidenceRepeats(t *testing.T) {
	run := On(pool(t, sandbox.T2))
	clock := "import time\ndef f(x): raise ValueError(time.time_ns(), object())\n"
	tests := []struct {
		name, source string
		options      map[string]any
		row          verdict.Row
	}{
		{"go", clock, nil, verdict.Row{{Key: "tests", JSON: column("assert f(1) == 1")}}},
		{"judge", clock, nil, verdict.Row{{Key: "tests", JSON: column("for i in range(2): assert f(i) == 1, f(i)")}}},
		{"a value in the message", "import time\ndef f(x): return time.time_ns()\n", nil, verdict.Row{{Key: "tests", JSON: column("for i in range(2):\n    r = f(i)\n    assert r == 1, r")}}},
		{"pytest", clock, map[string]any{"task": "pytest"}, verdict.Row{{Key: "tests", JSON: column("from solution import f\ndef test_a():\n    assert f(1) == 1")}}},
		{"loading", "import time\nraise ValueError(time.time_ns())\n", nil, verdict.Row{{Key: "tests", JSON: column("assert f(1) == 1")}}},
		{"stdio", "import time\nprint(time.time_ns())\nraise ValueError(time.time_ns())", map[string]any{"task": "stdio"}, verdict.Row{{Key: "expected_stdout", JSON: column("1")}}},
		{"link", "int f(void);int main(){return f();}", map[string]any{"task": "stdio", "language": "c"}, verdict.Row{{Key: "expected_stdout", JSON: column("1")}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := verifier(t, run, tt.options)
			var first string
			for range 2 {
				c := &verdict.Candidate{Response: tt.source, Row: tt.row}
				j := v.JudgeContext(t.Context(), c)
				evidence := verdict.Evidence(&j.Verdict, c, nil, nil)
				if first == "" {
					first = string(evidence)
				} else if first != string(evidence) {
					t.Errorf("evidence differs:\n%s\n%s", first, evidence)
				}
			}
		})
	}
}
