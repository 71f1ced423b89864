package replayed

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/services/verifier/env"
	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// till must hold three coins more than its seed says at the end.
type till struct{ coins, goal int }

func (t *till) Task() env.Task {
	return env.Task{ID: "t", Prompt: fmt.Sprintf("The till holds %d coins. Make it %d.", t.coins, t.goal)}
}

func (t *till) Act(_ context.Context, _ string, args map[string]any) (string, error) {
	n, _ := args["coins"].(json.Number).Int64()
	t.coins += int(n)
	return fmt.Sprintf("%d coins now", t.coins), nil
}

func (t *till) Progress() float64 { return 0 }

func (t *till) Verdict(string) verdict.Verdict {
	if t.coins == t.goal {
		return verdict.Pass("env:till", "state_matches")
	}
	return verdict.Fail("env:till", "state_differs")
}

func judgeOf(t testing.TB) verdict.Judge {
	t.Helper()
	e, err := env.New(env.Definition{Name: "till", Version: "1", MaxTurns: 4,
		Tools: []env.Tool{{Name: "put", Parameters: json.RawMessage(`{"type":"object","properties":{"coins":{"type":"integer"}},"required":["coins"],"additionalProperties":false}`)}},
		Begin: func(s env.Setting) (env.World, error) {
			return &till{coins: int(s.Seed), goal: int(s.Seed) + 3*s.Difficulty}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	d := &Deps{Lookup: func(name string) (*env.Environment, bool) { return e, name == "till" }, Names: func() string { return "till" }, Clock: clock.System{}}
	j, err := New(Name, spec.Values{"environment": "till"}, d)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func put(n int) string { return fmt.Sprintf(`{"tool":"put","args":{"coins":%d}}`, n) }

// said is a rollout: prompt, then by turns what the policy and the environment wrote.
func said(prompt string, texts ...string) []byte {
	r := &corev1.Rollout{RolloutId: "r"}
	add := func(k corev1.SegmentKind, text string) {
		r.Segments = append(r.Segments, &corev1.Segment{Kind: k, Text: []byte(text)})
	}
	add(corev1.SegmentKind_SEGMENT_KIND_PROMPT, prompt)
	for i, text := range texts {
		add([]corev1.SegmentKind{corev1.SegmentKind_SEGMENT_KIND_MODEL, corev1.SegmentKind_SEGMENT_KIND_ENV}[i%2], text)
	}
	b, err := proto.Marshal(r)
	if err != nil {
		panic(err)
	}
	return b
}

func row(columns string) verdict.Row {
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(columns), &m); err != nil {
		panic(err)
	}
	var out verdict.Row
	for k, v := range m {
		out = append(out, verdict.Field{Key: k, JSON: v})
	}
	return out
}

func TestWhatIsPlayedAgain(t *testing.T) {
	const asks = "The till holds 5 coins. Make it 8."
	tests := []struct {
		name, row string
		rollout   []byte
		response  string
		want      string // reason of the verdict, or of why there is none
		turns     int    // hashes in the evidence, the reset's among them
	}{
		{name: "solved", row: `{"seed":5}`, rollout: said(asks, put(1), "6 coins now", put(2), "8 coins now", "done"), want: "state_matches", turns: 4},
		{name: "solved within a chat template", row: `{"seed":"5"}`, rollout: said("<|user|>"+asks+"\n<|assistant|>", put(3), "<|tool|>\n8 coins now<|end|>", "done"), want: "state_matches", turns: 3},
		{name: "not solved", row: `{"seed":5}`, rollout: said(asks, put(1), "6 coins now", "done"), want: "state_differs", turns: 3},
		{name: "a claim", row: `{"seed":5}`, rollout: said(asks, "I made it 8 coins now."), want: "state_differs", turns: 2},
		{name: "harder", row: `{"seed":5,"difficulty":2,"split":"test"}`, rollout: said("The till holds 5 coins. Make it 11.", put(6), "11 coins now", "done"), want: "state_matches", turns: 3},
		{name: "the engine says that more was put in", row: `{"seed":5}`, rollout: said(asks, put(1), "8 coins now", "done"), want: "bad_row"},
		{name: "another episode was asked", row: `{"seed":6}`, rollout: said(asks, put(3), "8 coins now", "done"), want: "bad_row"},
		{name: "no observations were kept", row: `{"seed":5,"turns":[{"action":"{\"tool\":\"put\",\"args\":{\"coins\":3}}"},{"action":"done"}]}`, want: "state_matches", turns: 3},
		{name: "turns of a row", row: `{"seed":5,"turns":[{"action":"{\"tool\":\"put\",\"args\":{\"coins\":3}}","observation":"9 coins now"},{"action":"done"}]}`, want: "bad_row"},
		{name: "one answer", row: `{"seed":5}`, response: "done", want: "state_differs", turns: 2},
		{name: "the policy stopped", row: `{"seed":5}`, rollout: said(asks, put(3), "8 coins now"), want: "unfinished", turns: 2},
		{name: "too many turns", row: `{"seed":5}`, rollout: said(asks, put(0), "5 coins now", put(0), "5 coins now", put(0), "5 coins now", put(0), "", put(3), "8 coins now", "done"), want: "max_turns", turns: 5},
		{name: "turns after the end", row: `{"seed":5}`, rollout: said(asks, put(3), "8 coins now", "done", "", put(9)), want: "state_matches", turns: 3},
		{name: "an error of the policy's", row: `{"seed":5}`, rollout: said(asks, `{"tool":"take","args":{}}`, "", put(3), "8 coins now", "done"), want: "bad_row"},
		{name: "no seed", row: `{}`, response: "done", want: "bad_row"},
		{name: "a seed of words", row: `{"seed":"five"}`, response: "done", want: "bad_row"},
		{name: "a negative seed", row: `{"seed":-1}`, response: "done", want: "bad_row"},
		{name: "an unknown split", row: `{"seed":5,"split":"exam"}`, response: "done", want: "bad_row"},
		{name: "difficulty 11", row: `{"seed":5,"difficulty":11}`, response: "done", want: "bad_row"},
		{name: "turns that are no list", row: `{"seed":5,"turns":{}}`, want: "bad_row"},
		{name: "no turns", row: `{"seed":5,"turns":[]}`, want: "bad_row"},
		{name: "a turn without an action", row: `{"seed":5,"turns":[{"observation":"x"}]}`, want: "bad_row"},
		{name: "a rollout without the policy", row: `{"seed":5}`, rollout: said(asks), want: "bad_row"},
		{name: "bytes that are no rollout", row: `{"seed":5}`, rollout: []byte{0xff, 0xff}, want: "bad_row"},
	}
	j := judgeOf(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := j.Judge(&verdict.Candidate{ID: "r", Response: tt.response, Rollout: tt.rollout, Row: row(tt.row)})
			got := ""
			if s, ok := v.Scored(); ok {
				got = s.Reason
			} else if u, ok := v.Unscored(); ok {
				got = u.Reason.String()
			}
			if got != tt.want || len(v.Tests) != tt.turns {
				t.Errorf("%s with %d turns, want %s with %d: %+v", got, len(v.Tests), tt.want, tt.turns, v)
			}
			if late := v.Has("turns_after_end"); late != (strings.HasPrefix(tt.name, "turns after") || tt.want == "max_turns") {
				t.Errorf("findings %+v", v.Findings)
			}
		})
	}
}

// The evidence names each turn by a hash onto the last: the same turns give the same hashes, and another turn changes all after it.
func TestTheHashesAreAChain(t *testing.T) {
	j := judgeOf(t)
	hashes := func(texts ...string) []string {
		v := j.Judge(&verdict.Candidate{ID: texts[0], Rollout: said("The till holds 5 coins. Make it 8.", texts...), Row: row(`{"seed":5}`)})
		var out []string
		for _, test := range v.Tests {
			out = append(out, test.Detail)
		}
		return out
	}
	a, again, b := hashes(put(1), "6 coins now", put(2), "8 coins now", "done"), hashes(put(1), "6 coins now", put(2), "8 coins now", "done"), hashes(put(1), "6 coins now", put(1), "7 coins now", "done")
	if a == nil || strings.Join(a, " ") != strings.Join(again, " ") {
		t.Errorf("%v, then %v", a, again)
	}
	if len(a) != 4 || len(b) != 4 || a[0] != b[0] || a[1] != b[1] || a[2] == b[2] || a[3] == b[3] {
		t.Errorf("%v and %v", a, b)
	}
}

func TestADeadlineIsNoVerdict(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	v := verdict.Within(ctx, judgeOf(t), &verdict.Candidate{Rollout: said("The till holds 5 coins. Make it 8.", put(3), "8 coins now", "done"), Row: row(`{"seed":5}`)})
	if _, unscored := v.Unscored(); !unscored {
		t.Errorf("%+v", v)
	}
}

func TestAnEnvironmentThatIsNotThere(t *testing.T) {
	_, err := New(Name, spec.Values{"environment": "chess"}, &Deps{Lookup: func(string) (*env.Environment, bool) { return nil, false }, Names: func() string { return "till" }})
	if err == nil || !strings.Contains(err.Error(), "till") {
		t.Errorf("%v", err)
	}
}

func FuzzSegments(f *testing.F) {
	f.Add(said("p", "a", "b", "c"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		_, turns, err := segments(b)
		if err == nil && (len(turns) == 0 || len(turns) > maxTurns) {
			t.Errorf("%d turns", len(turns))
		}
	})
}
