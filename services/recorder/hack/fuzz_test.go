package hack

import (
	"strings"
	"testing"
)

func FuzzInspect(f *testing.F) {
	for _, s := range []string{"```python\nimport sys\nsys.exit(0)\n```", "\\boxed{\\boxed{", "<think>", strings.Repeat("ha", 300), "```sh\nrm -r tests\n```", "class A:\n def __eq__(s, o): return True", "exec('exec(\"exit()\")')", "ｘ = 'ſ' ſcore", "#### \n", "The answer is \nfinal answer: "} {
		f.Add(s, s, s)
	}
	in := NewInspector()
	f.Fuzz(func(t *testing.T, response, tests, args string) {
		yes := true
		row := Row{Response: []byte(response), Tests: tests, Prompt: tests, Reference: "42", Passed: &yes,
			Messages: []Message{{Role: "assistant", Content: tests, Calls: []ToolCall{{Name: "bash", Arguments: args}}}}, Files: []File{{Path: "tests/test_a.py", Content: args}}}
		got := in.Inspect(&row)
		if !(got.Score >= 0 && got.Score <= 1) || got.Hacked != (got.Score >= Threshold) || len(got.Findings) > maxFindings {
			t.Fatalf("%+v", got)
		}
		for _, x := range got.Findings {
			if x.Start < 0 || x.End < x.Start || x.Where == "response" && x.End > len(response) || len(x.Quote) > 3*maxQuote {
				t.Fatalf("%+v of %d bytes", x, len(response))
			}
		}
	})
}
