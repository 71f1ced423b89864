package analyze_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/recorder/analyze"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
)

// log analyzes rows and gives the verdict and all problems as line:code:key.
func log(t *testing.T, o analyze.Options, rows ...string) (analyze.Verdict, []string) {
	t.Helper()
	s, err := analyze.New(o)
	if err != nil {
		t.Fatal(err)
	}
	var problems []string
	note := func(f analyze.Findings, err error) {
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Problems {
			problems = append(problems, fmt.Sprintf("%d:%s:%s", p.Line, p.Code, p.Key))
		}
	}
	for i, r := range rows {
		note(s.Row(uint64(i+1), []byte(r)))
	}
	note(s.Flush())
	return s.Verdict(), problems
}

// series writes n rows by a format that takes the step.
func series(n int, row func(step int) string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = row(i)
	}
	return out
}

// kinds of incidents that are more than a note.
func kinds(v analyze.Verdict) []string {
	var out []string
	for _, i := range v.Incidents {
		if i.Severity > detect.Info {
			out = append(out, i.Kind)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestBadInput(t *testing.T) {
	steady := func(extra string) func(int) string {
		return func(i int) string {
			return fmt.Sprintf(`{"step":%d,"kl":0.0%d,"entropy":1.4%s}`, i, 2+i%2, extra)
		}
	}
	tests := []struct {
		name     string
		rows     []string
		verdict  incident.Verdict
		kinds    []string
		problems []string
	}{
		{"two metrics for 100 steps", series(100, steady("")), incident.Healthy, nil, nil},
		{"no row", nil, incident.Insufficient, nil, nil},
		{"one row", series(1, steady("")), incident.Insufficient, nil, nil},
		{"unknown keys only", series(30, func(i int) string { return fmt.Sprintf(`{"step":%d,"foo":1}`, i) }), incident.Insufficient, nil, nil},
		{"numbers as text", series(30, func(i int) string { return fmt.Sprintf(`{"step":"%d","kl":"0.02","entropy":"1.4"}`, i) }), incident.Healthy, nil, nil},
		{"null is absent", series(30, steady(`,"grad_norm":null`)), incident.Healthy, nil, nil},
		{"a truth value", series(30, steady(`,"grad_norm":true`)), incident.Healthy, nil, []string{"1:metric_invalid:grad_norm"}},
		{"a nested object", series(30, steady(`,"grad_norm":{"a":1}`)), incident.Healthy, nil, []string{"1:metric_invalid:grad_norm"}},
		{"a text where a number should be", series(30, steady(`,"grad_norm":"high"`)), incident.Healthy, nil, []string{"1:metric_invalid:grad_norm"}},
		{"a label of an unknown key", series(30, steady(`,"host":"node7"`)), incident.Healthy, nil, nil},
		{"bare NaN", append(series(30, steady("")), `{"step":30,"kl":NaN,"entropy":1.4}`), incident.Unhealthy, []string{"non_finite"}, nil},
		{"bare Infinity", append(series(30, steady("")), `{"step":30,"kl":-Infinity,"entropy":1.4}`), incident.Unhealthy, []string{"non_finite"}, nil},
		{"NaN as text", append(series(30, steady("")), `{"step":30,"kl":"NaN","entropy":1.4}`), incident.Unhealthy, []string{"non_finite"}, nil},
		{"too large for a float", append(series(30, steady("")), `{"step":30,"kl":1e999,"entropy":1.4}`), incident.Unhealthy, []string{"non_finite"}, nil},
		{"no JSON", append(series(30, steady("")), `{"step":`), incident.Healthy, nil, []string{"31:bad_row:"}},
		{"a key twice", append(series(30, steady("")), `{"step":30,"kl":1,"kl":2}`), incident.Healthy, nil, []string{"31:bad_row:"}},
		{"the same row again", append(series(30, steady("")), steady("")(29)), incident.Healthy, nil, []string{"31:duplicate:"}},
		{"negative step", append(series(30, steady("")), `{"step":-1,"kl":0.02}`), incident.Healthy, nil, []string{"31:step_invalid:step"}},
		{"half a step", append(series(30, steady("")), `{"step":30.5,"kl":0.02}`), incident.Healthy, nil, []string{"31:step_invalid:step"}},
		{"no step once", append(series(30, steady("")), `{"kl":0.02}`), incident.Healthy, nil, []string{"31:step_invalid:"}},
		{"no step anywhere", series(30, func(i int) string { return fmt.Sprintf(`{"kl":0.0%d,"entropy":1.4}`, 2+i%2) }), incident.Healthy, nil, nil},
		{"the step in two rows", series(60, func(i int) string {
			if i%2 == 0 {
				return fmt.Sprintf(`{"step":%d,"kl":0.02}`, i/2)
			}
			return fmt.Sprintf(`{"step":%d,"entropy":1.4}`, i/2)
		}), incident.Healthy, nil, nil},
		{"a constant reward jumps", series(40, func(i int) string {
			return fmt.Sprintf(`{"step":%d,"reward":%v,"kl":0.02}`, i, []float64{.3, 1}[i/30])
		}), incident.Degraded, []string{"reward_spike"}, nil},
		{"the summary of TRL", append(series(30, steady("")), `{"step":29,"train_runtime":1.5,"train_loss":0.2,"epoch":1}`), incident.Healthy, nil, nil},
		{"an evaluation at a step that was", append(series(30, steady("")), `{"step":29,"eval_loss":0.2,"eval_reward":0.5}`), incident.Healthy, nil, nil},
		{"an evaluation that is not finite", append(series(30, steady("")), `{"step":29,"eval_loss":NaN}`), incident.Healthy, nil, []string{"31:non_finite:eval_loss"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, problems := log(t, analyze.Options{}, tt.rows...)
			if v.Verdict != tt.verdict || !slices.Equal(kinds(v), tt.kinds) || !slices.Equal(problems, tt.problems) {
				t.Errorf("%s %v problems %v; want %s %v %v", v.Verdict, kinds(v), problems, tt.verdict, tt.kinds, tt.problems)
			}
		})
	}
}

// What was not there to read is unknown, not clean.
func TestUncheckedIsListed(t *testing.T) {
	v, _ := log(t, analyze.Options{}, series(30, func(i int) string { return fmt.Sprintf(`{"step":%d,"kl":0.02,"entropy":1.4}`, i) })...)
	for _, k := range []string{"grad_explosion", "length_explosion", "zero_signal"} {
		if !slices.Contains(v.Unchecked, k) {
			t.Errorf("%s is not among the unchecked %v", k, v.Unchecked)
		}
	}
	if slices.Contains(v.Unchecked, "kl_blowup") {
		t.Error("kl_blowup is unchecked although there is a KL")
	}
	if len(slices.Compact(slices.Clone(v.Unchecked))) != len(v.Unchecked) {
		t.Errorf("a kind is listed twice: %v", v.Unchecked)
	}
}

func TestMethod(t *testing.T) {
	tests := []struct {
		name string
		row  string
		want string
	}{
		{"pairs", `{"step":1,"loss":0.9,"rewards/chosen":0.1}`, "dpo"},
		{"loss of a policy that is its reference", fmt.Sprintf(`{"step":1,"loss":%v}`, math.Ln2+5e-4), "dpo"},
		{"rewards", `{"step":1,"loss":0.6931,"reward":0.1}`, "grpo"},
		{"a reward that is null", `{"step":1,"loss":0.0,"reward":null}`, "grpo"},
		{"neither", `{"step":1,"loss":5.5}`, "sft"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if v, _ := log(t, analyze.Options{}, tt.row); v.Method != tt.want {
				t.Errorf("method %s, want %s", v.Method, tt.want)
			}
		})
	}
}

// A log directory that is used again holds several runs; step is no key of a row.
func TestAttempts(t *testing.T) {
	row := func(step, salt int) string {
		return fmt.Sprintf(`{"step":%d,"kl":0.0%d,"entropy":1.4}`, step, 1+salt%8)
	}
	var rows []string
	for i := range 10 {
		rows = append(rows, row(i, i))
	}
	rows = append(rows, row(0, 5)) // begun anew, and ended after one step
	for i := range 20 {
		rows = append(rows, row(i, i+1))
	}
	v, problems := log(t, analyze.Options{}, rows...)
	if v.Attempts != 3 || len(v.Incidents) != 0 || len(problems) != 0 || v.Steps != 31 {
		t.Errorf("attempts %d, incidents %v, problems %v, steps %d", v.Attempts, kinds(v), problems, v.Steps)
	}
	if n := strings.Count(strings.Join(v.Notes, "\n"), "a new attempt"); n != 2 {
		t.Errorf("notes %v", v.Notes)
	}
}

func TestWrongOptions(t *testing.T) {
	var e *analyze.EngineError
	if _, err := analyze.New(analyze.Options{Engine: "jax"}); !errors.As(err, &e) || !strings.Contains(err.Error(), "skyrl") {
		t.Errorf("an unknown engine: %v", err)
	}
	var c *detect.ConfigError
	if _, err := analyze.New(analyze.Options{Detect: detect.Config{Limits: map[string]float64{"kl_max": math.NaN()}}}); !errors.As(err, &c) {
		t.Errorf("a limit that is no number: %v", err)
	}
	s, err := analyze.New(analyze.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Row(1, []byte(`{"step":1,"response_length/clip_ratio":0.5}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Flush(); !errors.As(err, &e) || len(e.Candidates) != 2 {
		t.Errorf("keys that two engines read differently: %v", err)
	}
}

func FuzzRow(f *testing.F) {
	for _, s := range []string{`{"step":1,"kl":NaN}`, `{"logs":{"a":1},"global_step":2}`, `{"step":"x"}`, `{"a":"\"NaN","b":-Infinity}`, `[`, `{"step":1e300}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		s, err := analyze.New(analyze.Options{Engine: "trl"})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := s.Row(1, row); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Flush(); err != nil {
			t.Fatal(err)
		}
		_ = s.Verdict()
	})
}
