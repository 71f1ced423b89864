package harden

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/text"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// probes are n right and n wrong answers to numbers.
func probes(t testing.TB, n int) []Probe {
	t.Helper()
	var out []Probe
	for i := range n {
		for _, right := range []bool{true, false} {
			answer := i*7 + 100
			if !right {
				answer++
			}
			p, err := ReadProbe(fmt.Appendf(nil, `{"id":"p%d","response":"#### %d","reference":"%d","prompt":"What is %d + 100?","should_pass":%v}`, i, answer, i*7+100, i*7, right))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, p)
		}
	}
	return out
}

func anchoredNumber(t testing.TB) Judge {
	t.Helper()
	d := text.ExactDescriptor()
	v, err := d.Resolve("exact_answer", map[string]any{"profile": "final_answer", "normalize": "number"})
	if err != nil {
		t.Fatal(err)
	}
	j := text.NewExact(v)
	return func(_ context.Context, c *verdict.Candidate) verdict.Verdict { return j.Judge(c) }
}

func check(t testing.TB, cfg Config, probes []Probe, j Judge) *Report {
	t.Helper()
	cfg.Mutations = 200
	r, err := Check(t.Context(), cfg, probes, j)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func failuresOf(r *Report) string {
	var out []string
	for _, m := range r.Modes {
		for _, f := range m.Failures {
			out = append(out, fmt.Sprintf("%s: %+v", m.Name, f))
		}
	}
	return strings.Join(out[:min(len(out), 8)], "\n")
}

func TestAGoodVerifierPasses(t *testing.T) {
	r := check(t, Config{Verifier: "exact_answer", Stage: "Production"}, probes(t, 40), anchoredNumber(t))
	if r.Verdict != Passed || len(r.Reasons) > 0 {
		t.Errorf("%s %v\n%s", r.Verdict, r.Reasons, failuresOf(r))
	}
	for _, m := range r.Modes {
		if m.Held.Trials == 0 {
			t.Errorf("%s was not tried", m.Name)
		}
	}
	if r.FalsePositives.Trials < 299 || r.FalsePositives.Above() > 0.01 {
		t.Errorf("false positives %+v", r.FalsePositives)
	}
}

// Each bad verifier is caught by the mode that is made for it.
func TestBadVerifiersAreCaught(t *testing.T) {
	good := anchoredNumber(t)
	flips := 0
	tests := []struct {
		name   string
		judge  Judge
		stage  string
		mode   string
		blocks bool
	}{
		{"accepts everything", func(context.Context, *verdict.Candidate) verdict.Verdict { return verdict.Pass("x", "yes") }, "", "accuracy", true},
		{"rejects everything", func(context.Context, *verdict.Candidate) verdict.Verdict { return verdict.Fail("x", "no") }, "", "accuracy", true},
		{"keys on a string", func(_ context.Context, c *verdict.Candidate) verdict.Verdict {
			if strings.Contains(c.Response, "####") {
				return verdict.Pass("x", "yes")
			}
			return verdict.Fail("x", "no")
		}, "release", "sensitivity", true},
		{"finds the reference anywhere", func(_ context.Context, c *verdict.Candidate) verdict.Verdict {
			if strings.Contains(c.Response, column(c.Row, "reference")) {
				return verdict.Pass("x", "yes")
			}
			return verdict.Fail("x", "no")
		}, "prod", "matrix", true},
		{"takes what is nearly right", func(_ context.Context, c *verdict.Candidate) verdict.Verdict {
			var got, want float64
			_, err := fmt.Sscanf(strings.TrimSpace(c.Response), "#### %g", &got)
			if _, err2 := fmt.Sscan(column(c.Row, "reference"), &want); err == nil && err2 == nil && math.Abs(got-want) < 15 {
				return verdict.Pass("x", "near")
			}
			return verdict.Fail("x", "no")
		}, "production", "accuracy", true},
		{"pays the empty answer", func(ctx context.Context, c *verdict.Candidate) verdict.Verdict {
			if strings.TrimSpace(c.Response) == "" {
				return verdict.Pass("x", "yes")
			}
			return good(ctx, c)
		}, "production", "gameability", true},
		{"is put off by a blank", func(ctx context.Context, c *verdict.Candidate) verdict.Verdict {
			if strings.HasPrefix(c.Response, "\n") {
				return verdict.Fail("x", "no")
			}
			return good(ctx, c)
		}, "production", "invariance", false},
		{"changes its mind", func(ctx context.Context, c *verdict.Candidate) verdict.Verdict {
			if flips++; flips%7 == 0 {
				return verdict.Fail("x", "no")
			}
			return good(ctx, c)
		}, "dev", "consistency", false},
		{"breaks at the edges", func(ctx context.Context, c *verdict.Candidate) verdict.Verdict {
			if len(c.Response) > 10_000 {
				return verdict.Unscore("x", verdict.JudgeError, "it broke")
			}
			return good(ctx, c)
		}, "production", "boundary", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := check(t, Config{Verifier: "exact_answer", Stage: tt.stage}, probes(t, 40), tt.judge)
			m := r.mode(tt.mode)
			if len(m.Failures) == 0 || m.Held.Hits == m.Held.Trials {
				t.Errorf("%s held: %+v", tt.mode, m.Held)
			}
			if (r.Verdict == Blocked) != tt.blocks || r.Verdict == Passed {
				t.Errorf("%s: %v", r.Verdict, r.Reasons)
			}
		})
	}
}

func TestTooFewProbes(t *testing.T) {
	if _, err := Check(t.Context(), Config{}, nil, anchoredNumber(t)); !errors.Is(err, ErrNoProbes) {
		t.Errorf("no probes: %v", err)
	}
	r := check(t, Config{Verifier: "exact_answer"}, probes(t, Least-1), anchoredNumber(t))
	if r.Verdict != Insufficient || len(r.Reasons) == 0 {
		t.Errorf("%s %v", r.Verdict, r.Reasons)
	}
	only := probes(t, 60)[:0]
	for _, p := range probes(t, 60) {
		if p.ShouldPass {
			only = append(only, p)
		}
	}
	if r := check(t, Config{Verifier: "exact_answer"}, only, anchoredNumber(t)); r.Verdict != Insufficient {
		t.Errorf("without a negative: %s", r.Verdict)
	}
}

func TestReadProbe(t *testing.T) {
	tests := []struct {
		name, raw string
		pass, bad bool
	}{
		{"labelled", `{"response":"1","reference":"1","should_pass":true}`, true, false},
		{"wrong one", `{"response":"2","reference":"1","should_pass":false}`, false, false},
		{"a solution", `{"solution":"1","reference":"1"}`, true, false},
		{"a solution beside a response", `{"response":"x","solution":"1","should_pass":false}`, false, false},
		{"an empty response", `{"response":"","should_pass":false}`, false, false},
		{"no label", `{"response":"1","reference":"1"}`, false, true},
		{"no response", `{"reference":"1","should_pass":true}`, false, true},
		{"a label that is no bool", `{"response":"1","should_pass":"yes"}`, false, true},
		{"a key twice", `{"response":"1","response":"2","should_pass":true}`, false, true},
		{"no object", `[]`, false, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ReadProbe([]byte(tt.raw))
			if (err != nil) != tt.bad || err == nil && p.ShouldPass != tt.pass {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
}

// Values of Clopper and Pearson, from the quantiles of the beta distribution.
func TestRates(t *testing.T) {
	tests := []struct {
		hits, trials uint64
		low, high    float64
	}{
		{0, 10, 0, 0.3084971078}, {10, 10, 0.6915028922, 1}, {5, 10, 0.1870860, 0.8129140}, {1, 100, 0.0002531460, 0.0544594}, {0, 0, 0, 1},
	}
	for _, tt := range tests {
		r := RateOf(tt.hits, tt.trials)
		if math.Abs(r.Low-tt.low) > 1e-6 || math.Abs(r.High-tt.high) > 1e-6 {
			t.Errorf("%d of %d: %+v", tt.hits, tt.trials, r)
		}
	}
	if above := RateOf(0, 299).Above(); math.Abs(above-(1-math.Pow(0.05, 1.0/299))) > 1e-9 || above > 0.01 {
		t.Errorf("299 without a hit prove %v", above)
	}
	if above := RateOf(0, 298).Above(); above <= 0.01 {
		t.Errorf("298 without a hit prove %v", above)
	}
}

func TestChangedChanges(t *testing.T) {
	for seed := range uint64(300) {
		rng := newRand(seed)
		out, ok := changed(rng, "#### 105")
		if !ok || numerically(out[5:], "105") || out == "#### 105" {
			t.Fatalf("%q", out)
		}
	}
	if _, ok := changed(newRand(1), "no number"); ok {
		t.Error("a text without a number was changed")
	}
}
