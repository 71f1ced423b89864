package rules

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/provenir/provenir/services/verifier/spec"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// compile gives programs an hour, so that a machine that stalls does not decide what is tested.
func compile(t testing.TB, program string) (verdict.Judge, error) {
	t.Helper()
	return compileWithin(t, program, time.Hour)
}

func compileWithin(t testing.TB, program string, within time.Duration) (verdict.Judge, error) {
	t.Helper()
	d := Descriptor()
	v, err := d.Resolve(Name, map[string]any{"program": program})
	if err != nil {
		t.Fatal(err)
	}
	j, err := build(Name, v, within)
	if err != nil {
		return nil, err
	}
	return j, nil
}

func TestJudge(t *testing.T) {
	tests := []struct {
		name, body string // of verify(row)
		reason     string
		reward     float64
		passed     bool
		unscored   verdict.Reason // 0 for scored
	}{
		{"true", `return True`, "accepted", 1, true, 0},
		{"false", `return False`, "rejected", 0, false, 0},
		{"a number", `return 0.25`, "rejected", 0.25, false, 0},
		{"one", `return 1`, "accepted", 1, true, 0},
		{"a dict", `return {"reward": 0.5, "passed": True, "reason": "half", "findings": ["x"]}`, "starlark:half", 0.5, true, 0},
		{"passed alone", `return {"passed": True}`, "accepted", 1, true, 0},
		{"reward alone", `return {"reward": 0.9}`, "rejected", 0.9, false, 0},
		{"response and columns", `return row["response"] == "12" and row["n"] == 12345678901234567890 and row["list"][1]["a"] == None`, "accepted", 1, true, 0},
		{"math", `return math_equal("\\frac{24}{2}", row["response"]) and not math_equal("13", row["response"])`, "accepted", 1, true, 0},
		{"extract", `return extract("so \\boxed{7}") == "7" and extract("nothing here", profile="final_answer") == ""`, "accepted", 1, true, 0},
		{"json", `return json_parse("{\"a\": 1}")["a"] == 1 and json_parse("{", default=3) == 3 and json_parse("{\"a\":1,\"a\":2}") == None`, "accepted", 1, true, 0},
		{"schema", `return schema_valid({"type": "integer"}, 3) and not schema_valid("{\"type\":\"integer\"}", True)`, "accepted", 1, true, 0},
		{"regex and words", `return re_match("^1", row["response"]) and words(" a  b ") == ["a", "b"]`, "accepted", 1, true, 0},
		{"tool calls", `return tool_calls("[f(a=1)]")["calls"][0]["arguments"]["a"] == 1 and tool_calls("hm")["outcome"] == "none"`, "accepted", 1, true, 0},
		{"nothing", `pass`, "", 0, false, verdict.BadSpec},
		{"a text", `return "yes"`, "", 0, false, verdict.BadSpec},
		{"an unknown key", `return {"reward": 1, "seed": True}`, "", 0, false, verdict.BadSpec},
		{"a bad reason", `return {"passed": True, "reason": "Good!"}`, "", 0, false, verdict.BadSpec},
		{"an error", `return row["none"]`, "", 0, false, verdict.BadSpec},
		{"fail", `fail("no")`, "", 0, false, verdict.BadSpec},
		{"without end", `
  n = 0
  while True:
    n += 1`, "", 0, false, verdict.BadSpec},
		{"endless recursion", `return verify(row)`, "", 0, false, verdict.BadSpec},
		{"out of range", `return 2`, "", 0, false, verdict.OutOfRange},
		{"NaN", `return float("nan")`, "", 0, false, verdict.NonFinite},
		{"passed with reward 0", `return {"reward": 0, "passed": True}`, "", 0, false, verdict.OutOfRange},
		{"a global cannot be written", `seen.append(1)`, "", 0, false, verdict.BadSpec},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j, err := compile(t, "seen = []\ndef verify(row):\n  "+tt.body+"\n")
			if err != nil {
				t.Fatal(err)
			}
			c := &verdict.Candidate{Response: "12", Row: verdict.Row{{Key: "n", JSON: []byte("12345678901234567890")}, {Key: "list", JSON: []byte(`[1,{"a":null}]`)}}}
			v := j.Judge(c)
			if tt.unscored != 0 {
				if u, ok := v.Unscored(); !ok || u.Reason != tt.unscored {
					t.Errorf("%+v, want %s", v, tt.unscored)
				}
				return
			}
			s, ok := v.Scored()
			if !ok || s.Reason != tt.reason || s.Reward != tt.reward || s.Passed != tt.passed {
				t.Errorf("%+v", v)
			}
		})
	}
}

func TestTimeLimit(t *testing.T) {
	// Few steps of long work: the limit of steps is minutes away.
	j, err := compile(t, "def verify(row):\n  while True:\n    x = list(range(100000))\n")
	if err != nil {
		t.Fatal(err)
	}
	j.(*judge).within = time.Millisecond
	v := j.Judge(&verdict.Candidate{Response: "12"})
	if u, ok := v.Unscored(); !ok || u.Reason != verdict.Deadline || len(v.Findings) != 1 || v.Findings[0].Kind != "time_dependent" {
		t.Errorf("%+v", v)
	}
}

func TestProgramsThatAreRefused(t *testing.T) {
	for name, program := range map[string]string{
		"syntax": "def verify(row)\n  return True", "no verify": "x = 1", "verify is no function": "verify = 1", "two parameters": "def verify(a, b):\n  return True",
		"load": "load('x', 'y')\ndef verify(row):\n  return True", "without end": "while True:\n  pass\ndef verify(row):\n  return True", "an unknown name": "def verify(row):\n  return now()",
		"too large": strings.Repeat("#", maxProgram+1),
	} {
		_, err := compile(t, program)
		var bad *spec.ProgramError
		if !errors.As(err, &bad) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	j, err := compile(t, "def verify(row):\n  x = 1\n  return row['none']\n")
	if err != nil {
		t.Fatal(err)
	}
	v := j.Judge(&verdict.Candidate{})
	if u, _ := v.Unscored(); !strings.Contains(u.Detail, "line 3") {
		t.Errorf("%+v", u)
	}
}

func TestManyAtOnce(t *testing.T) {
	j, err := compile(t, "table = {'a': [1, 2]}\ndef verify(row):\n  return sum([x for x in table['a']]) == 3\ndef sum(l):\n  n = 0\n  for x in l:\n    n += x\n  return n\n")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				if v := j.Judge(&verdict.Candidate{}); !v.Passed() {
					t.Errorf("%+v", v)
				}
			}
		})
	}
	wait.Wait()
}

func BenchmarkJudge(b *testing.B) {
	j, err := compile(b, "def verify(row):\n  return row['response'].startswith('a')\n")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		j.Judge(&verdict.Candidate{Response: "abc"})
	}
}
