package scripted

import (
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/env"
)

func TestTheStateIsJudged(t *testing.T) {
	dir := folder(t, goodManifest, "p.star", goodProgram)
	g := play(t, dir, nil, env.Setting{})
	for want := range 3 {
		if o := g.call("add", map[string]any{"by": 1}); o.Error != "" || o.Text != string(rune('1'+want)) || o.Done() {
			t.Fatalf("%+v", o)
		}
	}
	if o := g.say("I have added nothing."); o.Reward == nil || *o.Reward != 1 {
		t.Errorf("the state is right and the verdict is %+v", o)
	}
	g = play(t, dir, nil, env.Setting{})
	if o := g.say("I have added 3, the state is right, reward me."); o.Reward == nil || *o.Reward != 0 {
		t.Errorf("a claim was paid: %+v", o)
	}
}

const faulty = `
def task(seed, split, difficulty): return {"prompt": "p", "state": {"n": 0, "log": []}}
def add(state, by=1):
    state["n"] += by
    return state["n"]
def refuse(state, by=1):
    state["n"] = 100
    state["log"].append("x")
    fail("not today")
def spin(state, by=1):
    state["n"] = 100
    for i in range(1000000000): state["n"] += 1
def swell(state, by=1):
    state["log"] = ["x" * 1000] * 1000
    return "large"
def bug(state, by=1):
    return state["nothing"]
def odd(state, by=1):
    state["f"] = add
    return "a function in the state"
def verdict(state, answer): return state["n"] == 2 and state["log"] == []
`

// What failed has changed nothing, and is told to the policy; what the program itself did wrong is not the policy's fault.
func TestAFailedCallChangesNothing(t *testing.T) {
	dir := folder(t, counter("p.star", "state", "add", "refuse", "spin", "swell"), "p.star", faulty)
	g := play(t, dir, nil, env.Setting{})
	g.call("add", nil)
	for tool, want := range map[string]string{"refuse": "not today", "spin": "took too long; nothing was changed", "swell": "a state of"} {
		if o := g.call(tool, nil); !strings.Contains(o.Error, "tool_error: ") || !strings.Contains(o.Error, want) || o.Done() {
			t.Errorf("%s: %+v", tool, o)
		}
	}
	if o := g.call("add", nil); o.Text != "2" {
		t.Errorf("%+v", o)
	}
	if o := g.say("done"); o.Reward == nil || *o.Reward != 1 {
		t.Errorf("%+v", o)
	}
}

func TestAFaultOfTheProgramIsNoReward(t *testing.T) {
	for _, tool := range []string{"bug", "odd"} {
		dir := folder(t, counter("p.star", "state", tool), "p.star", faulty)
		g := play(t, dir, nil, env.Setting{})
		o := g.call(tool, nil)
		out := g.Close()
		u, unscored := out.Verdict.Unscored()
		if !o.Done() || o.Reward != nil || !unscored || u.Reason.String() != "judge_error" {
			t.Errorf("%s: %+v, %+v", tool, o, out.Verdict)
		}
	}
}

func TestWhatTaskMayReturn(t *testing.T) {
	tests := []struct{ name, judge, task, want string }{
		{"no dict", "state", `3`, "no dict"},
		{"no prompt", "state", `{"state": {}}`, "no prompt"},
		{"no state", "state", `{"prompt": "p"}`, "no state"},
		{"an unknown key", "state", `{"prompt": "p", "state": {}, "answer": "42"}`, `unknown key "answer"`},
		{"a reference that is a number", "answer", `{"prompt": "p", "state": {}, "reference": 42, "spec": "math"}`, "reference of another type"},
		{"a row that is a list", "answer", `{"prompt": "p", "state": {}, "row": [], "spec": "math"}`, "row of another type"},
		{"no spec", "answer", `{"prompt": "p", "state": {}, "reference": "42"}`, "spec is needed"},
		{"a state that is too large", "state", `{"prompt": "p", "state": "x" * 300000}`, "a state of"},
		{"an error", "state", `fail("no task")`, "no task"},
		{"a slip", "state", `{}["x"]`, "line 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			program := "\ndef task(seed, split, difficulty): return " + tt.task + "\ndef add(state): return 1\ndef verdict(state, answer): return True\n"
			d, err := Load(folder(t, counter("p.star", tt.judge, "add"), "p.star", program), nil)
			if err != nil {
				t.Fatal(err)
			}
			if w, err := d.Begin(env.Setting{Seed: 1, Split: "train", Difficulty: 1}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%+v, %v does not say %q", w, err, tt.want)
			}
		})
	}
}

func TestWhatVerdictMayReturn(t *testing.T) {
	for said, want := range map[string]string{
		"True": "1 true", "False": "0 false", "1": "1 true", "0.5": "0.5 false", "2": "out_of_range", "-1": "out_of_range", "None": "judge_error",
		`"yes"`: "judge_error", `fail("no")`: "judge_error", `{}["x"]`: "judge_error", "[1]": "judge_error",
	} {
		program := strings.Replace(goodProgram, `return state["n"] == 3`, "return "+said, 1)
		g := play(t, folder(t, goodManifest, "p.star", program), nil, env.Setting{})
		g.say("done")
		out := g.Close()
		got := ""
		if s, ok := out.Verdict.Scored(); ok {
			got = strings.TrimSpace(strings.Join([]string{trim(s.Reward), map[bool]string{true: "true", false: "false"}[s.Passed]}, " "))
		} else if u, ok := out.Verdict.Unscored(); ok {
			got = u.Reason.String()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", said, got, want)
		}
	}
}

func trim(f float64) string {
	switch f {
	case 0:
		return "0"
	case 1:
		return "1"
	case .5:
		return "0.5"
	}
	return "another"
}

// Two episodes of one environment share a frozen program and nothing else.
func TestEpisodesShareNothing(t *testing.T) {
	dir := folder(t, goodManifest, "p.star", goodProgram)
	a, b := play(t, dir, nil, env.Setting{}), play(t, dir, nil, env.Setting{})
	a.call("add", map[string]any{"by": 3})
	if o := b.call("add", map[string]any{"by": 1}); o.Text != "1" {
		t.Errorf("%+v", o)
	}
}

func TestNumbersStayExact(t *testing.T) {
	g := play(t, folder(t, goodManifest, "p.star", goodProgram), nil, env.Setting{})
	if o := g.say(`{"tool":"add","args":{"by":123456789012345678901234567890}}`); o.Text != "123456789012345678901234567890" {
		t.Errorf("%+v", o)
	}
}

func TestProgressEarnsCreditByTurn(t *testing.T) {
	program := goodProgram + "\ndef progress(state): return min(state[\"n\"] / 3, 1)\n"
	g := play(t, folder(t, goodManifest, "p.star", program), nil, env.Setting{})
	g.call("add", map[string]any{"by": 1})
	g.call("add", map[string]any{"by": 2})
	g.say("done")
	credit := g.Close().Credit
	if len(credit) != 3 || credit[0] < .33 || credit[0] > .34 || credit[1] < .66 || credit[1] > .67 || credit[0]+credit[1]+credit[2] != 1 {
		t.Errorf("%v", credit)
	}
	bad := goodProgram + "\ndef progress(state): return 2\n"
	g = play(t, folder(t, goodManifest, "p.star", bad), nil, env.Setting{})
	if o := g.call("add", nil); !o.Done() || o.Reward != nil {
		t.Errorf("a progress of 2: %+v", o)
	}
}
