package env

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/task"
)

func begin(t *testing.T, name string, s Setting) (*game, World) {
	t.Helper()
	all, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		if e.Name == name {
			g := &game{t: t, Session: NewSession(clock.System{}, byEquality)}
			if _, err := g.Reset(Episode{ID: "e", Env: e, Credit: TurnVerifier, Setting: s}); err != nil {
				t.Fatal(err)
			}
			return g, g.world
		}
	}
	t.Fatalf("no environment %s", name)
	return nil, nil
}

func call(t *testing.T, tool string, args map[string]any) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"tool": tool, "args": args})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLookupIsSolvedByItsChain(t *testing.T) {
	for _, difficulty := range []int{1, 4, 7, 10} {
		g, w := begin(t, "lookup", Setting{Seed: 5, Split: task.Test, Difficulty: difficulty})
		r, ok := w.(*register)
		if !ok {
			t.Fatal("another world")
		}
		if difficulty == 1 && len(r.Facts) != 3 {
			t.Errorf("%d facts at difficulty 1", len(r.Facts))
		}
		if o := g.step(call(t, "lookup", map[string]any{"entity": "Nobody", "relation": "keeper"})); o.Error != "" || !strings.Contains(o.Text, "no keeper") {
			t.Errorf("%+v", o)
		}
		for _, hop := range r.Chain {
			if o := g.step(call(t, "lookup", map[string]any{"entity": hop[0], "relation": hop[1]})); o.Text != hop[2] {
				t.Fatalf("%v: %+v", hop, o)
			}
		}
		o := g.step(call(t, "answer", map[string]any{"answer": r.task.Reference}))
		out := g.Close()
		if o.Reward == nil || *o.Reward != 1 || len(out.Credit) != len(r.Chain)+2 || out.Credit[0] != 0 || out.Credit[1] != 1/float64(len(r.Chain)) {
			t.Errorf("difficulty %d: %+v, credit %v", difficulty, o, out.Credit)
		}
	}
}

func TestAnAnswerWithoutAToolFails(t *testing.T) {
	for _, name := range []string{"lookup", "calculator"} {
		for _, action := range []func(reference string) string{
			func(r string) string { return " #### " + r },
			func(r string) string { return call(t, "answer", map[string]any{"answer": r}) },
		} {
			g, w := begin(t, name, Setting{Seed: 2, Split: task.Train})
			if o := g.step(action(w.Task().Reference)); !o.Done() || o.Reward == nil || *o.Reward != 0 {
				t.Errorf("%s: %+v", name, o)
			}
			if score, _ := g.Close().Verdict.Scored(); score.Reason != reasonNoTool {
				t.Errorf("%s: %+v", name, score)
			}
		}
		// A call that failed is no use of a tool.
		g, w := begin(t, name, Setting{Seed: 2, Split: task.Train})
		g.step(`{"tool":"nobody","args":{}}`)
		if o := g.step(" #### " + w.Task().Reference); o.Reward == nil || *o.Reward != 0 {
			t.Errorf("%s: %+v", name, o)
		}
	}
}

func TestCalculator(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"12 * 34", "408"}, {"-3 - -4", "1"}, {"1.5+0.25", "1.75"}, {"7/8", "0.875"}, {"+2*+3", "6"},
		{"123456789012345678901234567890 + 1", "123456789012345678901234567891"}, {"1/3", "about 0.33333333333333333333"},
	} {
		if got, err := calculate(c.text); err != nil || got != c.want {
			t.Errorf("%s = %q, %v; want %q", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"", "1", "1 +", "inf + 1", "nan * 0", "1e999 + 1", "Infinity-1", "0x10 + 1", "1 + 2 + 3", "(1+2)*3", "1 / 0", "0 / 0.0",
		"__import__('os')", strings.Repeat("9", 41) + "+1", "1 ** 9", "١+٢"} {
		if got, err := calculate(text); err == nil {
			t.Errorf("%q = %q, want an error", text, got)
		}
	}
	g, w := begin(t, "calculator", Setting{Seed: 3, Split: task.Dev})
	_, rest, _ := strings.Cut(w.Task().Prompt, "Compute ")
	text, _, _ := strings.Cut(rest, " with")
	if o := g.step(call(t, "calculate", map[string]any{"expression": text})); o.Text != w.Task().Reference {
		t.Errorf("%s: %+v, want %s", text, o, w.Task().Reference)
	}
	if o := g.step(" #### " + w.Task().Reference); o.Reward == nil || *o.Reward != 1 {
		t.Errorf("%+v", o)
	}
}

func TestNamesOfTools(t *testing.T) {
	for _, name := range append(Reserved(), "answer", "submit", "", "Put", "a b", "put;") {
		d := tillDefinition(&till{})
		d.Tools = []Tool{{Name: name, Parameters: object("")}}
		if _, err := New(d); err == nil {
			t.Errorf("a tool %q was taken", name)
		}
	}
	d := tillDefinition(&till{})
	d.Tools[0].Parameters = json.RawMessage(`{"type":"nothing"}`)
	if _, err := New(d); err == nil {
		t.Error("a bad schema was taken")
	}
}
