package env

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/provenir/provenir/services/verifier/verdict"
)

const put1 = `{"tool":"put","args":{"coins":1}}`

func TestStateDecidesAndNotTheClaim(t *testing.T) {
	for _, c := range []struct {
		name    string
		actions []string
		passed  bool
	}{
		{"done", []string{put1, put1, put1, "I am done."}, true},
		{"done in one action of several calls", []string{`[put(coins=1), put(coins=2)]`, `{"tool":"submit","args":{"answer":true}}`}, true},
		{"claimed only", []string{"I have put 3 coins into the till."}, false},
		{"too much", []string{put1, `{"tool":"put","args":{"coins":3}}`, "Done."}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := play(t, tillDefinition(&till{}), LastTurn)
			var o Observation
			for _, a := range c.actions {
				o = g.step(a)
			}
			out := g.Close()
			if !o.Done() || o.Truncated() || out.Verdict == nil || out.Verdict.Passed() != c.passed || o.Reward == nil || (*o.Reward == 1) != c.passed {
				t.Errorf("%+v, %+v", o, out.Verdict)
			}
		})
	}
}

// No action with something wrong in it ends an episode or is paid, and none changes the world.
func TestWrongActionsAreErrors(t *testing.T) {
	for _, c := range []struct{ name, action, want string }{
		{"unknown tool", `{"tool":"putt","args":{"coins":3}}`, "unknown_tool"},
		{"malformed", `<tool_call>{"name":"put","arguments":{"coins":3</tool_call>`, "malformed_call"},
		{"two formats", `<tool_call>{"name":"put","arguments":{"coins":3}}</tool_call> <|python_tag|>`, "malformed_call"},
		{"missing argument", `{"tool":"put","args":{}}`, "bad_arguments"},
		{"wrong type", `{"tool":"put","args":{"coins":"3"}}`, "bad_arguments"},
		{"reserved key", `{"tool":"put","args":{"coins":3,"__state__":{"coins":3}}}`, "reserved_key"},
		{"reserved key inside", `{"tool":"put","args":{"coins":3,"note":[{"a":{"__class__":1}}]}}`, "reserved_key"},
		{"reserved tool", `{"tool":"reset","args":{}}`, "unknown_tool"},
		{"answer beside a call", `[put(coins=3), answer(answer="done")]`, "bad_arguments"},
		{"answer without an answer", `{"tool":"answer","args":{}}`, "bad_arguments"},
		{"one bad call among good ones", `[put(coins=3), putt(coins=1)]`, "unknown_tool"},
		{"the tool refuses", `{"tool":"put","args":{"coins":11}}`, "tool_error"},
		{"brackets without end", `{"tool":"put","args":` + strings.Repeat("[", 100_000), "malformed_call"},
		{"a deep document", `{"tool":"put","args":{"note":` + strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000) + `}}`, "malformed_call"},
		{"too many calls", "[" + strings.TrimSuffix(strings.Repeat("put(coins=1), ", 17), ", ") + "]", "too_many_calls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &till{}
			g := play(t, tillDefinition(w), LastTurn)
			o := g.step(c.action)
			if !strings.HasPrefix(o.Error, c.want) || o.Done() || o.Reward != nil || w.coins != 0 || g.State().Errors != 1 || len(o.Text) > 500 {
				t.Errorf("%+v, %d coins", o, w.coins)
			}
			if o = g.step(put1); o.Error != "" || o.Text != "1 coins" {
				t.Errorf("the episode does not go on: %+v", o)
			}
		})
	}
}

func TestErrorAllowance(t *testing.T) {
	g := play(t, tillDefinition(&till{}), LastTurn)
	for range 3 {
		if o := g.step(`{"tool":"nobody","args":{}}`); o.Done() {
			t.Fatalf("ended within the allowance: %+v", o)
		}
	}
	o := g.step(`{"tool":"nobody","args":{}}`)
	if g.State().Phase != Failed || !o.Done() || o.Truncated() || o.Reward == nil || *o.Reward != 0 {
		t.Errorf("%+v in %+v", o, g.State())
	}
	if score, ok := g.Close().Verdict.Scored(); !ok || score.Reason != reasonErrors || score.Passed {
		t.Errorf("%+v", score)
	}
}

func TestTruncation(t *testing.T) {
	g := play(t, tillDefinition(&till{}), LastTurn)
	for range 9 {
		if o := g.step(`{"tool":"put","args":{"coins":0}}`); o.Done() {
			t.Fatalf("%+v", o)
		}
	}
	if o := g.step(`{"tool":"put","args":{"coins":3}}`); !o.Done() || !o.Truncated() || o.Reward == nil || *o.Reward != 0 {
		t.Errorf("after ten turns: %+v", o)
	}
	late := play(t, tillDefinition(&till{}), LastTurn)
	late.clock.Advance(time.Hour + time.Second)
	if o := late.step(put1); !o.Done() || !o.Truncated() || o.Reward != nil {
		t.Errorf("after an hour: %+v", o)
	}
	if u, ok := late.Close().Verdict.Unscored(); !ok || u.Reason != verdict.Deadline {
		t.Errorf("a clock decided, and the verdict is %+v", u)
	}
}

func TestStepAfterTheEndAndTwoResets(t *testing.T) {
	w := &till{}
	g := play(t, tillDefinition(w), LastTurn)
	before := g.path.head
	g.step("I give up.")
	for _, a := range []string{put1, "another answer"} {
		if _, err := g.Step(t.Context(), []byte(a)); !errors.Is(err, ErrOver) || w.coins != 0 {
			t.Errorf("%s after the end: %v, %d coins", a, err, w.coins)
		}
	}
	for range 2 {
		if _, err := g.Reset(Episode{ID: "again", Env: g.env, Setting: Setting{Seed: 1, Split: "train"}}); err != nil {
			t.Fatal(err)
		}
	}
	if s := g.State(); s.Phase != Running || s.Turn != 0 || s.ID != "again" || g.path.head != before || g.final != nil {
		t.Errorf("after two resets: %+v", s)
	}
	if out := g.Close(); out.Verdict != nil || out.Credit != nil {
		t.Errorf("closed in the middle: %+v", out)
	}
	if _, err := g.Step(t.Context(), nil); !errors.Is(err, ErrOver) {
		t.Errorf("after close: %v", err)
	}
	if _, err := NewSession(g.clock, byEquality).Step(t.Context(), nil); !errors.Is(err, ErrNoEpisode) {
		t.Errorf("before the first reset: %v", err)
	}
}

func TestObservationsAreCut(t *testing.T) {
	g := play(t, tillDefinition(&till{}), LastTurn)
	o := g.step(`{"tool":"shout","args":{}}`)
	if len(o.Text) > maxObservation || len(o.Text) < maxObservation-20 || !strings.HasSuffix(o.Text, "bytes more]") || !strings.HasPrefix(o.Text, "éé") {
		t.Errorf("%d bytes, ends in %q", len(o.Text), o.Text[len(o.Text)-40:])
	}
	o = g.step("{\"tool\":\"\xff\xfe" + strings.Repeat("x", 5000) + "\",\"args\":{}}")
	if len(o.Error) > maxProblem || strings.Contains(o.Error, "\xff") {
		t.Errorf("%q", o.Error)
	}
}

func TestToolsHaveALimit(t *testing.T) {
	w := &till{hung: make(chan struct{})}
	g := play(t, tillDefinition(w), LastTurn)
	stepped := make(chan Observation)
	go func() { stepped <- g.step(`{"tool":"wait","args":{}}`) }()
	await(t, g, 1)
	g.clock.Advance(10 * time.Second)
	if o := <-stepped; !strings.HasPrefix(o.Error, "tool_error: the tool took too long") || o.Done() {
		t.Errorf("a tool that ends with its context: %+v", o)
	}
	go func() { stepped <- g.step(`{"tool":"hang","args":{}}`) }()
	await(t, g, 1)
	g.clock.Advance(10 * time.Second)
	await(t, g, 1)
	g.clock.Advance(grace)
	o := <-stepped
	close(w.hung)
	if u, ok := g.Close().Verdict.Unscored(); !o.Done() || o.Reward != nil || !ok || u.Reason != verdict.JudgeError {
		t.Errorf("a tool that goes on: %+v, %+v", o, u)
	}
	broken := play(t, tillDefinition(&till{}), LastTurn)
	if o := broken.step(`{"tool":"burst","args":{}}`); !o.Done() || o.Reward != nil || broken.State().Phase != Failed {
		t.Errorf("a tool that panics: %+v", o)
	}
}

// await waits until so many timers are set.
func await(t *testing.T, g *game, n int) {
	t.Helper()
	for g.clock.Waiters() < n {
		select {
		case <-t.Context().Done():
			t.Fatal("no timer was set")
		default:
		}
	}
}

func TestStepPenalty(t *testing.T) {
	d := tillDefinition(&till{})
	d.StepPenalty = -0.05
	g := play(t, d, Uniform)
	g.step(put1)
	g.step(`{"tool":"put","args":{"coins":2}}`)
	if o := g.step("done"); o.Reward == nil || *o.Reward != 0.9 {
		t.Errorf("%+v", o)
	}
	d.StepPenalty = -0.1
	if _, err := New(d); err == nil {
		t.Error("a penalty that eats the whole reward was taken")
	}
}

// The same actions have the same digest; a changed, added or missing turn has another.
func TestTrajectoryDigest(t *testing.T) {
	digest := func(actions ...string) string {
		g := play(t, tillDefinition(&till{}), LastTurn)
		for _, a := range actions {
			g.step(a)
		}
		return string(g.Close().Digest)
	}
	seen := map[string]string{}
	for _, actions := range [][]string{{}, {put1}, {put1, put1}, {put1 + " "}, {`{"tool":"nobody","args":{}}`}, {"done"}} {
		d, name := digest(actions...), strings.Join(actions, "|")
		if d != digest(actions...) || len(d) != 32 {
			t.Errorf("%s: no digest that repeats", name)
		}
		if other, known := seen[d]; known {
			t.Errorf("%q and %q have one digest", name, other)
		}
		seen[d] = name
	}
}
