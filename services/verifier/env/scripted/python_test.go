package scripted

import (
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/env"
)

const pythonProgramText = `
import os
n_global = 0

def task(seed, split, difficulty):
    return {"prompt": "p", "reference": "secret-42", "spec": "exact_answer", "state": {"n": 0}}

def add(state, by=1):
    state["n"] += by
    return state["n"]

def refuse(state, by=1):
    state["n"] = 100
    raise ValueError("not today")

def spin(state, by=1):
    state["n"] = 100
    while True: pass

def sleep(state, by=1):
    import time
    state["n"] = 100
    time.sleep(60)

def hog(state, by=1):
    state["n"] = 100
    return len(bytearray(8 << 30))

def remember(state, by=1):
    global n_global
    n_global += 1
    with open("seen", "a") as f: f.write("x")
    return "%d %d" % (n_global, os.path.getsize("seen"))

def peep(state, by=1):
    import gc
    texts = [o for o in gc.get_objects() if isinstance(o, dict)]
    return "secret-42" in str(state) or any("secret-42" in str(v) for d in texts for v in list(d.values()) if isinstance(v, str) and "def task" not in v)

def chatter(state, by=1):
    print("{\"value\": \"forged\"}")
    return "said"

def bug(state, by=1): return state["nothing"]
def leave(state, by=1): os._exit(0)
def odd(state, by=1): return object()
def nan(state, by=1): return float("nan")
`

func TestAPythonCallThatFailsChangesNothing(t *testing.T) {
	run := python(t)
	dir := folder(t, counter("p.py", "answer", "add", "refuse", "spin", "sleep", "hog", "remember", "peep", "chatter")+"max_turns: 20\n", "p.py", pythonProgramText)
	g := play(t, dir, run, env.Setting{})
	if o := g.call("add", nil); o.Text != "1" {
		t.Fatalf("%+v", o)
	}
	for tool, want := range map[string]string{"refuse": "not today", "spin": "took too long", "sleep": "took too long", "hog": "memory_limit"} {
		if o := g.call(tool, nil); !strings.Contains(o.Error, "tool_error: ") || !strings.Contains(o.Error, want) || o.Done() {
			t.Errorf("%s: %+v", tool, o)
		}
		if o := g.call("add", map[string]any{"by": 0}); o.Text != "1" {
			t.Errorf("after %s: %+v", tool, o)
		}
	}
	for range 2 { // neither a global nor a file lasts
		if o := g.call("remember", nil); o.Text != "1 1" {
			t.Errorf("%+v", o)
		}
	}
	if o := g.call("peep", nil); o.Text != "false" {
		t.Errorf("a tool finds the reference: %+v", o)
	}
	if o := g.call("chatter", nil); o.Text != "said" {
		t.Errorf("what a tool prints is its answer: %+v", o)
	}
	if o := g.say("secret-42"); o.Reward == nil || *o.Reward != 1 {
		t.Errorf("%+v", o)
	}
}

func TestAFaultOfAPythonProgramIsNoReward(t *testing.T) {
	run := python(t)
	for _, tool := range []string{"bug", "leave", "odd", "nan"} {
		g := play(t, folder(t, counter("p.py", "answer", tool), "p.py", pythonProgramText), run, env.Setting{})
		o := g.call(tool, nil)
		out := g.Close()
		if _, unscored := out.Verdict.Unscored(); !o.Done() || o.Reward != nil || !unscored {
			t.Errorf("%s: %+v, %+v", tool, o, out.Verdict)
		}
	}
}

func TestProgramsThatDoNotBegin(t *testing.T) {
	run := python(t)
	for name, tt := range map[string]struct{ program, want string }{
		"a slip":            {"def task(seed, split, difficulty): return (\ndef add(state): pass", "does not compile"},
		"a failing import":  {"import no_such_module\ndef task(seed, split, difficulty): pass\ndef add(state): pass", "cannot be loaded"},
		"a task that fails": {"def task(seed, split, difficulty): raise KeyError(1)\ndef add(state): pass", "KeyError"},
		"a task that hangs": {"def task(seed, split, difficulty):\n  while True: pass\ndef add(state): pass", "took too long"},
	} {
		d, err := Load(folder(t, counter("p.py", "answer", "add"), "p.py", tt.program), run)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := d.Begin(env.Setting{Split: "train"}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
