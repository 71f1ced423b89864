package code

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/provenir/provenir/services/verifier/code/asserts"
	"github.com/provenir/provenir/services/verifier/code/pyvalue"
	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

var literals = []string{
	"None", "True", "False", "0", "1", "-1", "2", "1.0", "0.1 + 0.2", "0.3", "-0.0", "1e300", "float('inf')", "float('-inf')", "float('nan')", "10**30", "2**53 + 1", "9007199254740992.0", "9007199254740993",
	"1j", "1 + 0j", "''", "'a'", "'ab'", "'B'", "'é'", "'\\ud800'", "b''", "b'a'", "[]", "[1]", "[1, 2]", "[1.0, True]", "[[1], 'a']", "()", "(1,)", "(1, 2)", "((1,), [2])", "set()", "{1}", "{1, 2}", "{1.0, 'a'}", "{(1, 2)}", "frozenset()",
	"{}", "{'a': 1}", "{'a': 1.0}", "{1: 'x', 2: 'y'}", "{2: 'y', 1: 'x'}", "{True: 'x', 2.0: 'y'}", "{'a': [1, {'b': None}]}",
}

var operators = []string{"==", "!=", "<", "<=", ">", ">=", "in", "not in"}

// TestGoComparesLikePython: every pair of literals under every operator, against Python itself.
func TestGoComparesLikePython(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	script := "import json\nlits=" + quoteList(literals) + "\nops=" + quoteList(operators) + `
out={}
for a in lits:
    out['bool '+a]=repr(bool(eval(a)))
    for b in lits:
        for o in ops:
            try: r=repr(bool(eval('(%s) %s (%s)'%(a,o,b))))
            except (TypeError,ValueError): r='TypeError'
            out[a+' '+o+' '+b]=r
        if type(eval(a)) in (int,float,bool,complex) and type(eval(b)) in (int,float,bool,complex):
            for t in ('1e-9','1','0.5'):
                try: r=repr(abs(eval(a)-eval(b))<eval(t))
                except OverflowError: r='TypeError'
                out['abs '+a+' - '+b+' < '+t]=r
print(json.dumps(out))`
	b, err := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", script).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v: %s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	values := make([]plain.Value, len(literals))
	for i, l := range literals {
		if values[i], err = asserts.Literal(l); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
	}
	check := func(key string, got bool, err error) {
		s := map[bool]string{true: "True", false: "False"}[got]
		if errors.Is(err, pyvalue.ErrType) {
			s = "TypeError"
		} else if err != nil {
			s = err.Error()
		}
		if s != want[key] {
			t.Errorf("%s: Go says %s, Python %s", key, s, want[key])
		}
	}
	for i, a := range literals {
		truth, err := pyvalue.Truth(values[i])
		check("bool "+a, truth, err)
		for j, b := range literals {
			for _, o := range operators {
				got, err := holds(o, values[i], values[j])
				check(a+" "+o+" "+b, got, err)
			}
			for t, limit := range map[string]plain.Value{"1e-9": 1e-9, "1": int64(1), "0.5": 0.5} {
				key := "abs " + a + " - " + b + " < " + t
				if _, ok := want[key]; !ok {
					continue
				}
				d, err := pyvalue.AbsDifference(values[i], values[j])
				less := false
				if err == nil {
					less, err = pyvalue.Less(d, limit)
				}
				check(key, less, err)
			}
		}
	}
}

func quoteList(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		b, _ := json.Marshal(s)
		out[i] = string(b)
	}
	return "[" + strings.Join(out, ",") + "]"
}

// TestGoAndTheJudgeAgree: suites that both can judge get the same verdict from both.
func TestGoAndTheJudgeAgree(t *testing.T) {
	problems := humaneval(t)
	v := verifier(t, On(pool(t, sandbox.T2)), nil)
	var wg sync.WaitGroup
	work := make(chan *problem)
	for range 2 {
		wg.Go(func() {
			for p := range work {
				byJudge := *p
				byJudge.Test += "\nfor _ in range(0): pass\n"
				for _, source := range []string{p.Prompt + p.Solution, p.broken("return None"), p.broken("return 1"), p.broken("return []")} {
					one, two := v.JudgeContext(t.Context(), p.candidate(source)), v.JudgeContext(t.Context(), byJudge.candidate(source))
					a, ok1 := one.Verdict.Scored()
					b, ok2 := two.Verdict.Scored()
					if !ok1 || !ok2 || a.Passed != b.Passed || a.Reward != b.Reward {
						t.Errorf("%s: Go: %s\njudge: %s", p.TaskID, show(&one), show(&two))
					}
				}
			}
		})
	}
	n := 0
	for i := range problems {
		if _, err := asserts.Parse(problems[i].Test); err == nil && i%6 == 0 {
			n++
			work <- &problems[i]
		}
	}
	close(work)
	wg.Wait()
	t.Log(fmt.Sprintf("%d suites", n))
}
