//go:build linux

package sandbox

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestJudge(t *testing.T) {
	tests := []struct {
		name, source, test string
		want               Outcome
		tamper             string
	}{
		{"pass", "def f(x): return x + 1", "for i in range(5): assert f(i) == i + 1", Passed, ""},
		{"fail", "def f(x): return x", "for i in range(5): assert f(i) == i + 1", Failed, ""},
		{"raises", "def f(x): raise ValueError(x)", "try:\n    f(1)\n    assert False\nexcept ValueError as e:\n    assert str(e) == '1'", Passed, ""},
		{"own exception", "class E(ValueError): pass\ndef f(x): raise E(x)", "try:\n    f(1)\n    assert False\nexcept E as e:\n    assert isinstance(e, ValueError)", Passed, ""},
		{"class", "class C:\n    def __init__(self, n): self.n = n\n    def inc(self): self.n += 1; return self", "c = C(3)\nc.inc().inc()\nassert c.n == 5 and isinstance(c, C)", Passed, ""},
		{"generator", "def f(n):\n    for i in range(n): yield i * i", "assert list(f(4)) == [0, 1, 4, 9]", Passed, ""},
		{"mutation", "def f(x): x.sort(); x[0].append(1)", "a = [[3], [2]]\nf(a)\nassert a == [[2, 1], [3]]", Passed, ""},
		{"callback", "def f(g, xs): return [g(x) for x in xs]", "assert f(lambda x: x * 2, [1, 2]) == [2, 4]", Passed, ""},
		{"deque", "import collections\ndef f(): return collections.deque([1])", "from collections import deque\nassert f() == deque([1])", Passed, ""},
		{"namedtuple", "import collections\nP = collections.namedtuple('P', 'x y')\ndef f(): return P(1, 2)", "p = f()\nassert p.x == 1 and p == (1, 2)", Passed, ""},
		{"decimal", "import decimal\ndef f(): return decimal.Decimal('1.50')", "from decimal import Decimal\nassert f() == Decimal('1.5')", Passed, ""},
		{"forged equality", "class E:\n    def __eq__(self, o): return True\ndef f(x): return E()", "for i in range(2): assert f(i) == 1", ForgedTest, "forged_object"},
		{"forged truth", "class E:\n    def __bool__(self): return True\ndef f(x): return E()", "for i in range(2): assert f(i)", ForgedTest, "forged_object"},
		{"forged in a list", "class E:\n    def __eq__(self, o): return True\ndef f(x): return [E()]", "for i in range(2): assert f(i) == [1]", ForgedTest, "forged_object"},
		{"swallowed", "class E:\n    def __eq__(self, o): return True\ndef f(x): return E()", "try:\n    assert f(1) == 1\nexcept BaseException:\n    pass", Passed, "forged_object"},
		{"StopIteration", "def f(x): raise StopIteration", "assert all(map(f, [1, 2]))", Errored, ""},
		{"exit", "def f(x): raise SystemExit(0)", "for i in range(2): assert f(i) == 1", CandidExit, "early_exit"},
		{"hard exit", "import os\ndef f(x): os._exit(0)", "for i in range(2): assert f(i) == 1", CandidGone, ""},
		{"own all", "def all(x): return True\ndef f(x): return 0", "assert all(f(i) == 1 for i in range(3))", Failed, ""},
		{"own isclose", "def isclose(*a): return True\ndef f(x): return 0", "for i in range(3): assert isclose(f(i), 1)", Failed, ""},
	}
	withGVisor(t, func(t *testing.T, p *Pool) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				j, err := p.Judge(t.Context(), Job{Source: tt.source, Limits: Limits{Wall: 20 * time.Second}}, &Suite{Mode: "func", Tests: []Test{{"t", tt.test}}})
				if err != nil || j.JudgeFailed != "" || j.Load != (Load{}) || j.Refused != "" || len(j.Rows) != 1 {
					t.Fatalf("%+v %v %s", j, err, j.Stdout)
				}
				if j.Rows[0].Outcome != tt.want || tt.tamper != "" && !slices.Contains(j.Tamper, tt.tamper) || tt.tamper == "" && len(j.Tamper) > 0 {
					t.Errorf("rows %+v tamper %v, want %s %s", j.Rows, j.Tamper, tt.want, tt.tamper)
				}
			})
		}
	})
}

func TestJudgeRefuses(t *testing.T) {
	p := pool(t, Config{})
	for test, want := range map[string]string{
		"assert f(": "bad_tests", "x = 1": "no_tests", "assert 1 + 1 == 2": "no_tests", "from math import gcd\nassert gcd(4, 6) == 2": "no_tests", "import math\nfor i in range(3): assert math.sqrt(i * i) == i": "no_tests", "# nothing": "no_tests", "import subprocess\nassert f(1)": "tests_unsupported",
		"class N:\n    pass\nassert f(N()) == 1": "tests_unsupported",
	} {
		j, err := p.Judge(t.Context(), Job{Source: "def f(x): return 1"}, &Suite{Mode: "func", Tests: []Test{{"t", test}}})
		if err != nil || j.Refused != want {
			t.Errorf("%q: %+v %v, want %s", test, j, err, want)
		}
	}
}

func TestJudgeStops(t *testing.T) {
	p := pool(t, Config{})
	begun := time.Now()
	for name, source := range map[string]string{
		"silent":  "def f(x):\n    while True: pass",
		"endless": "def f(x):\n    while True: yield 1",
	} {
		j, err := p.Judge(t.Context(), Job{Source: source, Limits: Limits{Wall: 300 * time.Millisecond}}, &Suite{Mode: "func", Tests: []Test{{"t", "for i in range(2): assert sum(f(i)) == 1"}}})
		if err != nil || j.Limit != Timeout {
			t.Errorf("%s: %+v %v, want a timeout", name, j, err)
		}
	}
	t.Log(strings.TrimSpace(time.Since(begun).String()))
}

// TestLargeSuite: reading many tests is not on the candidate's time.
func TestLargeSuite(t *testing.T) {
	p := pool(t, Config{PoolSize: 1})
	suite := &Suite{Mode: "func", Tests: []Test{{"t", strings.Repeat("assert f(1) == 1\n", 20_000) + "for i in range(2): assert f(i) == i"}}}
	j, err := p.Judge(t.Context(), Job{Source: "def f(x): return x"}, suite)
	if err != nil || len(j.Rows) != 1 || j.Rows[0].Outcome != Passed {
		t.Errorf("%+v %v", j, err)
	}
	suite.Tests[0].Source += "("
	if j, err = p.Judge(t.Context(), Job{Source: "def f(x): return x"}, suite); err != nil || j.Refused != "bad_tests" {
		t.Errorf("%+v %v", j, err)
	}
	if r, err := p.Run(t.Context(), Job{Source: "print(1)"}); err != nil || string(r.Stdout) != "1\n" {
		t.Errorf("the next job: %+v %v", r, err)
	}
}

// TestLeftover: what is alive beside the main process when it has done its work is seen, in every kind of job.
func TestLeftover(t *testing.T) {
	const stay = "import os, time\nif os.fork() == 0: time.sleep(60)\n"
	tiers(t, func(t *testing.T, p *Pool) {
		for want, prefix := range map[bool]string{true: stay, false: ""} {
			if r, err := p.Run(t.Context(), Job{Source: prefix + "print(1)"}); err != nil || r.Leftover != want {
				t.Errorf("program: %+v %v, want %v", r, err, want)
			}
			s, _, err := p.Open(t.Context(), Job{Source: prefix + "def f(): return 1"})
			if err != nil {
				t.Fatal(err)
			}
			if r, err := s.Close(nil, false); err != nil || r.Leftover != want {
				t.Errorf("session: %+v %v, want %v", r, err, want)
			}
			j, err := p.Judge(t.Context(), Job{Source: prefix + "def f(x): return x"}, &Suite{Mode: "func", Tests: []Test{{"t", "for i in range(2): assert f(i) == i"}}})
			if err != nil || j.Leftover != want || j.Rows[0].Outcome != Passed {
				t.Errorf("judged: %+v %v, want %v", j, err, want)
			}
		}
	})
}
