package math

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lines reads a file of the shared data, which lies beside the repository and is never part of it.
func lines(t testing.TB, name string) [][]byte {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "shared", "data", "gsm8k", name)
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("no GSM8K at ../shared/data/gsm8k beside the repository: %v", err)
	}
	defer f.Close()
	var out [][]byte
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		out = append(out, append([]byte(nil), s.Bytes()...))
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return out
}

// golds are the answers of both splits.
func golds(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, name := range []string{"train.jsonl", "test.jsonl"} {
		for _, l := range lines(t, name) {
			var row struct {
				Answer string `json:"answer"`
			}
			if err := json.Unmarshal(l, &row); err != nil {
				t.Fatal(err)
			}
			_, gold, _ := strings.Cut(row.Answer, "#### ")
			out = append(out, strings.TrimSpace(gold))
		}
	}
	return out
}

// grouped writes thousands commas.
func grouped(n string) string {
	sign := ""
	if strings.HasPrefix(n, "-") {
		sign, n = "-", n[1:]
	}
	whole, frac, point := strings.Cut(n, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + frac
	}
	return sign + whole
}

// Every gold equals itself in every spelling and profile, and differs from the next one unless the numbers are the same.
func TestGSM8KGolds(t *testing.T) {
	all := golds(t)
	if len(all) < 8000 {
		t.Fatalf("%d golds", len(all))
	}
	last, group, final, whole := verifier(t, nil), verifier(t, map[string]any{"profile": "group_boxed"}),
		verifier(t, map[string]any{"profile": "final_answer"}), verifier(t, map[string]any{"profile": "whole"})
	plain := func(s string) string { return strings.ReplaceAll(s, ",", "") }
	for i, gold := range all {
		g := grouped(plain(gold))
		for _, try := range []struct {
			m        *Verifier
			response string
		}{
			{last, `so \boxed{` + gold + `}`}, {group, `so \boxed{` + gold + `}`}, {final, `so \boxed{` + gold + `}`},
			{last, gold}, {whole, gold}, {whole, plain(gold)}, {whole, g}, {whole, strings.ReplaceAll(g, ",", "{,}")}, {whole, "$" + g}, {whole, g + " dollars"}, {whole, g + " km"},
			{whole, g + " apples"}, {last, "The answer is " + g + "."}, {final, "working 1 + 2\n#### " + gold}, {last, "Therefore $x = " + plain(gold) + "$."},
			{last, "Answer: **" + gold + "**"}, {group, "The final answer is $" + plain(gold) + "$. I hope it is correct."}, {whole, gold + ".0"},
		} {
			if strings.HasSuffix(try.response, ".0") && strings.Contains(gold, ".") {
				continue
			}
			if v := try.m.Judge(candidate(t, try.response, gold)); !v.Passed() {
				t.Fatalf("%q by %s: %q fails: %+v", gold, try.m.profile, try.response, v)
			}
		}
		next := all[(i+1)%len(all)]
		same := strings.TrimPrefix(plain(gold), "+") == strings.TrimPrefix(plain(next), "+")
		for _, m := range []*Verifier{last, group, final, whole} {
			response := `\boxed{` + next + `}`
			if m == whole {
				response = next
			}
			if v := m.Judge(candidate(t, response, gold)); v.Passed() != same {
				t.Fatalf("%q answered by %q: passed %v", gold, next, v.Passed())
			}
		}
	}
}

// The published labels of 5,276 model solutions.
func TestGSM8KModelSolutions(t *testing.T) {
	m := verifier(t, map[string]any{"profile": "final_answer"})
	n, wrong := 0, 0
	for _, l := range lines(t, "example_model_solutions.jsonl") {
		var row map[string]json.RawMessage
		if err := json.Unmarshal(l, &row); err != nil {
			t.Fatal(err)
		}
		var truth string
		if err := json.Unmarshal(row["ground_truth"], &truth); err != nil {
			t.Fatal(err)
		}
		gold := strings.TrimSpace(truth[strings.LastIndex(truth, "A:")+2:])
		for key, raw := range row {
			var s struct {
				Correct  *bool  `json:"is_correct"`
				Solution string `json:"solution"`
			}
			if key == "question" || key == "ground_truth" || json.Unmarshal(raw, &s) != nil || s.Correct == nil {
				continue
			}
			n++
			if v := m.Judge(candidate(t, s.Solution, gold)); v.Passed() != *s.Correct {
				if wrong++; wrong < 10 {
					t.Errorf("%s against %q: passed %v, labelled %v; %q; %+v", key, gold, v.Passed(), *s.Correct, s.Solution[max(0, len(s.Solution)-80):], v)
				}
			}
		}
	}
	if n != 5276 || wrong > 0 {
		t.Errorf("%d solutions, %d verdicts differ from their labels", n, wrong)
	}
}
