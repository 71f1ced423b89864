package code

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/provenir/provenir/services/verifier/code/asserts"
	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/verdict"
)

type problem struct {
	TaskID   string `json:"task_id"`
	Prompt   string `json:"prompt"`
	Solution string `json:"canonical_solution"`
	Test     string `json:"test"`
	Entry    string `json:"entry_point"`
}

func humaneval(t testing.TB) []problem {
	t.Helper()
	f, err := os.Open("../../../../shared/data/humaneval/HumanEval.jsonl.gz")
	if err != nil {
		t.Skipf("HumanEval is not here: %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []problem
	s := bufio.NewScanner(z)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var p problem
		if err := json.Unmarshal(s.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	if len(out) != 164 {
		t.Fatalf("%d problems, want 164", len(out))
	}
	return out
}

func (p *problem) candidate(source string) *verdict.Candidate {
	quote := func(s string) []byte { b, _ := json.Marshal(s); return b }
	return &verdict.Candidate{ID: p.TaskID, Response: "```python\n" + source + "\n```", Row: verdict.Row{
		{Key: "tests", JSON: quote(p.Test)}, {Key: "entry_point", JSON: quote(p.Entry)},
	}}
}

// broken replaces the body of the function by one line, and keeps helpers of the prompt.
func (p *problem) broken(body string) string {
	head := regexp.MustCompile(`(?m)^def ` + regexp.QuoteMeta(p.Entry) + `\(.*\n`).FindStringIndex(p.Prompt)
	return p.Prompt[:head[1]] + "    " + body + "\n"
}

func TestHumanEval(t *testing.T) {
	problems := humaneval(t)
	for _, tier := range []sandbox.Tier{sandbox.T3, sandbox.T2} {
		t.Run(tier.String(), func(t *testing.T) {
			v := verifier(t, On(pool(t, tier)), nil)
			var wg sync.WaitGroup
			var passed, failed atomic.Int64
			work := make(chan *problem)
			for range 2 {
				wg.Go(func() {
					for p := range work {
						j := v.JudgeContext(t.Context(), p.candidate(p.Prompt+p.Solution))
						if s, ok := j.Verdict.Scored(); ok && s.Passed && s.Reward == 1 {
							passed.Add(1)
						} else {
							t.Errorf("%s: the canonical solution: %s", p.TaskID, show(&j))
						}
						for _, body := range []string{"return None", "raise SystemExit"} {
							j := v.JudgeContext(t.Context(), p.candidate(p.broken(body)))
							if s, ok := j.Verdict.Scored(); !ok || s.Passed || s.Reward != 0 {
								t.Errorf("%s: %s: %s", p.TaskID, body, show(&j))
							} else if body == "return None" {
								failed.Add(1)
							}
						}
					}
				})
			}
			for i := range problems {
				if tier == sandbox.T3 || i%4 == 0 {
					work <- &problems[i]
				}
			}
			close(work)
			wg.Wait()
			t.Logf("%d canonical solutions pass, %d broken ones fail", passed.Load(), failed.Load())
		})
	}
}

func TestGoJudgesMostOfHumanEval(t *testing.T) {
	n := 0
	var beyond []string
	for _, p := range humaneval(t) {
		if _, err := asserts.Parse(p.Test); err == nil {
			n++
		} else {
			beyond = append(beyond, fmt.Sprintf("%s: %v", p.TaskID, err))
		}
	}
	t.Logf("Go judges %d of 164 suites; beyond:\n%s", n, strings.Join(beyond, "\n"))
	if n < 140 {
		t.Errorf("Go judges %d suites, want at least 140", n)
	}
}

func show(j *Judgement) string {
	s, _ := j.Verdict.Scored()
	u, _ := j.Verdict.Unscored()
	return fmt.Sprintf("%+v %+v %+v %+v %+v\n%s%s", s, u, j.Verdict.Findings, j.Execution, j.Tests, j.Stdout, j.Stderr)
}
