package control

import (
	"math"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/verdict"
)

func judgeOf(t testing.TB, kind string, seed int64) verdict.Judge {
	t.Helper()
	d := Descriptor()
	v, err := d.Resolve(Name, map[string]any{"kind": kind, "seed": seed})
	if err != nil {
		t.Fatal(err)
	}
	j, err := New(Name, v)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func reward(t testing.TB, j verdict.Judge, id, response string) float64 {
	t.Helper()
	v := j.Judge(&verdict.Candidate{ID: id, Response: response})
	s, ok := v.Scored()
	if !ok || s.Passed != (s.Reward >= 0.5) {
		t.Fatalf("%+v", v)
	}
	return s.Reward
}

func TestWhatEachPays(t *testing.T) {
	tests := []struct {
		kind, response string
		want           float64
	}{
		{Constant, "", 1}, {Constant, "anything", 1},
		{Format, "", 0}, {Format, "42", 0}, {Format, "#### 42", 1}, {Format, `so \boxed{}`, 1}, {Format, "The ANSWER IS no", 1},
		{Format, `{"a":1}`, 1}, {Format, `{"a":`, 0}, {Format, "```python", 1}, {Format, "<tool_call>", 1}, {Format, "{", 0}, {Format, "[]", 1},
		{Long, "", 0}, {Long, strings.Repeat("x", 1024), .25}, {Long, strings.Repeat("x", 4096), 1}, {Long, strings.Repeat("x", 9999), 1},
	}
	for _, tt := range tests {
		if got := reward(t, judgeOf(t, tt.kind, 1), "r", tt.response); got != tt.want {
			t.Errorf("%s pays %v for %.20q, want %v", tt.kind, got, tt.response, tt.want)
		}
	}
}

// A replay pays what was paid; another seed, rollout or response draws anew, and evenly.
func TestRandomIsDrawnFromTheRollout(t *testing.T) {
	one, other := judgeOf(t, Random, 1), judgeOf(t, Random, 2)
	first := reward(t, one, "a", "x")
	if reward(t, judgeOf(t, Random, 1), "a", "x") != first {
		t.Error("the same rollout was paid otherwise on a repeat")
	}
	for name, got := range map[string]float64{"seed": reward(t, other, "a", "x"), "rollout": reward(t, one, "b", "x"), "response": reward(t, one, "a", "y"),
		"border of id and response": reward(t, one, "ax", "")} {
		if got == first {
			t.Errorf("another %s draws the same", name)
		}
	}
	const n = 4000
	sum, low := 0.0, 0
	for i := range n {
		r := reward(t, one, strings.Repeat("i", i%60)+string(rune('a'+i/60)), "x")
		if r < 0 || r >= 1 {
			t.Fatal(r)
		}
		sum += r
		if r < 0.25 {
			low++
		}
	}
	if math.Abs(sum/n-0.5) > 0.03 || math.Abs(float64(low)/n-0.25) > 0.04 {
		t.Errorf("mean %v, %d of %d in the first quarter", sum/n, low, n)
	}
}

// No control may look at the row: it would know of the task.
func TestARowChangesNothing(t *testing.T) {
	for _, kind := range []string{Random, Constant, Format, Long} {
		j := judgeOf(t, kind, 3)
		bare := j.Judge(&verdict.Candidate{ID: "a", Response: "#### 4"})
		rich := j.Judge(&verdict.Candidate{ID: "a", Response: "#### 4", Row: verdict.Row{{Key: "reference", JSON: []byte(`"4"`)}}})
		if a, _ := bare.Scored(); a.Reward != func() float64 { b, _ := rich.Scored(); return b.Reward }() {
			t.Errorf("%s reads the row", kind)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	d := Descriptor()
	for name, o := range map[string]map[string]any{"no kind": {}, "unknown kind": {"kind": "shuffled"}, "negative seed": {"kind": Random, "seed": -1.0}, "half a seed": {"kind": Random, "seed": .5}} {
		if v, err := d.Resolve(Name, o); err == nil {
			t.Errorf("%s: %v", name, v)
		}
	}
}
