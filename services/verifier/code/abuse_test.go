package code

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// program is one of testdata: "== name", its source, and tests of its own behind "--- tests".
type program struct {
	category, name, source, tests string
}

// attempt wraps the body of an attack whose success shows: the right answer is given only if it returned something true.
const attempt = "def attack():\n%s\ntry: OK = attack()\nexcept BaseException: OK = False\n"

func programs(t testing.TB, pattern string) []program {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no programs at %s: %v", pattern, err)
	}
	var out []program
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		category := strings.TrimSuffix(filepath.Base(f), ".txt")
		for part := range strings.SplitSeq("\n"+string(b), "\n== ") {
			if strings.TrimSpace(part) == "" {
				continue
			}
			name, body, _ := strings.Cut(part, "\n")
			p := program{category: category, name: name}
			p.source, p.tests, _ = strings.Cut(body, "--- tests\n")
			if short, ok := strings.CutSuffix(name, " [ok]"); ok {
				p.name = short
				p.source = strings.Replace(attempt, "%s", "    "+strings.ReplaceAll(strings.TrimSpace(p.source), "\n", "\n    "), 1)
				if category == "stdio" {
					p.source += "print(7 if OK else 8)\n"
				} else {
					p.source += "def add(a, b): return a + b if OK else None\n"
				}
			}
			out = append(out, p)
		}
	}
	return out
}

// kit is a way to be judged.
type kit struct {
	name    string
	options map[string]any
	row     verdict.Row
}

func column(s string) []byte { b, _ := json.Marshal(s); return b }

const (
	literalTests = "assert add(1, 2) == 3\nassert add(-5, 5) == 0\nassert abs(add(0.5, 0.25) - 0.75) < 1e-9\nassert add(100000000000000000000, 1) == 100000000000000000001\nassert add(7, 4) != 12\n"
	loopTests    = "import math\nfor a in range(-3, 4):\n    for b in (1, 10**20):\n        assert add(a, b) == a + b\nassert all(add(x, x) == 2 * x for x in range(5))\nassert math.isclose(add(0.5, 0.25), 0.75) and abs(add(1, 1) - 2) < 1e-9\n"
)

const pytestTests = `import unittest
import pytest
from solution import add

@pytest.mark.parametrize("a,b", [(1, 2), (-5, 5), (10**20, 1)])
def test_add(a, b):
    assert add(a, b) == a + b

def test_close():
    assert add(0.5, 0.25) == pytest.approx(0.75)

class TestAdd(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(add(3, 4), 7)
        self.assertTrue(add(1, 0) == 1)
`

var (
	pytestKit = kit{"pytest", map[string]any{"task": "pytest", "partial": "off", "timeout": 0.4, "memory_mb": 128.0}, verdict.Row{{Key: "tests", JSON: column(pytestTests)}}}
	goKit     = kit{"go", map[string]any{"entry_point": "add", "timeout": 0.4, "memory_mb": 128.0}, verdict.Row{{Key: "tests", JSON: column(literalTests)}}}
	judgeKit  = kit{"judge", goKit.options, verdict.Row{{Key: "tests", JSON: column(loopTests)}}}
	stdioKit  = kit{"stdio", map[string]any{"task": "stdio", "timeout": 0.4, "memory_mb": 128.0}, verdict.Row{{Key: "stdin", JSON: column("3 4\n")}, {Key: "expected_stdout", JSON: column("7\n")}}}
)

func kitsOf(p *program) []kit {
	if p.category == "stdio" {
		return []kit{stdioKit}
	}
	if p.tests != "" {
		return []kit{{"own", map[string]any{"timeout": 0.4}, verdict.Row{{Key: "tests", JSON: column(p.tests)}}}}
	}
	if p.category == "escape" { // tried while the module is loaded, before anybody judges
		return []kit{goKit}
	}
	if p.category == "eq_objects" || p.category == "shadowing" {
		return []kit{goKit, judgeKit, pytestKit}
	}
	return []kit{goKit, judgeKit}
}

// judge gives a hostile program little time, and an honest one enough for a loaded machine.
func (k *kit) judge(t testing.TB, run Runner, source string, honest bool) Judgement {
	options := maps.Clone(k.options)
	if honest {
		options["timeout"] = 10.0
	}
	return verifier(t, run, options).JudgeContext(t.Context(), &verdict.Candidate{Response: "```python\n" + source + "\n```", Row: k.row})
}

// TestAbuse: no hostile program is paid, and after each one a plain one passes at once.
func TestAbuse(t *testing.T) {
	all := programs(t, "testdata/abuse/*.txt")
	if len(all) < 200 {
		t.Fatalf("%d programs, want at least 200", len(all))
	}
	for _, tier := range []sandbox.Tier{sandbox.T4, sandbox.T3, sandbox.T2, sandbox.T1} {
		t.Run(tier.String(), func(t *testing.T) {
			work := make(chan *program)
			reasons := make(chan string, 3*len(all))
			var wg sync.WaitGroup
			for range 4 { // most of the time is spent waiting for limits
				run := On(poolOf(t, tier, 1))
				wg.Go(func() {
					for p := range work {
						attackWith(t, run, p, tier, reasons)
					}
				})
			}
			for i := range all {
				work <- &all[i]
			}
			close(work)
			wg.Wait()
			close(reasons)
			counts := map[string]int{}
			for r := range reasons {
				counts[r]++
			}
			t.Logf("%d programs at %v: %v", len(all), tier, counts)
		})
	}
}

// attackWith runs a hostile program and an honest one after it, in the same slot.
func attackWith(t *testing.T, run Runner, p *program, tier sandbox.Tier, reasons chan<- string) {
	kits := kitsOf(p)
	if tier < sandbox.T3 { // who judges does not depend on the tier
		kits = kits[:1]
	}
	if tier != sandbox.T2 && tier != sandbox.T3 && p.name == "sees the project's folders" { // gVisor makes a /tmp of its own
		t.Logf("%s: without a root of its own a job learns which paths exist; the report says so, and what is in them stays closed", p.name)
		return
	}
	for _, k := range kits {
		t.Run(p.category+"/"+p.name+"/"+k.name, func(t *testing.T) {
			j := k.judge(t, run, p.source, false)
			s, scored := j.Verdict.Scored()
			if s.Passed || s.Reward != 0 {
				t.Errorf("paid: %s", show(&j))
			}
			if !scored {
				t.Errorf("not judged: %s", show(&j))
			}
			reasons <- s.Reason
			next := k
			if k.name == "own" {
				next = judgeKit
			}
			if j := next.judge(t, run, plainFor(next), true); !j.Verdict.Passed() {
				t.Errorf("the next job suffers: %s", show(&j))
			}
		})
	}
}

func plainFor(k kit) string {
	if k.name == "stdio" {
		return "print(sum(map(int, input().split())))"
	}
	return "def add(a, b): return a + b"
}

// TestBenign: programs that look alike and are honest get full reward.
func TestBenign(t *testing.T) {
	all := programs(t, "testdata/benign/*.txt")
	if len(all) < 30 {
		t.Fatalf("%d programs, want at least 30", len(all))
	}
	for _, tier := range []sandbox.Tier{sandbox.T4, sandbox.T3, sandbox.T2, sandbox.T1} {
		t.Run(tier.String(), func(t *testing.T) {
			run := On(pool(t, tier))
			for _, p := range all {
				for _, k := range kitsOf(&p) {
					t.Run(p.category+"/"+p.name+"/"+k.name, func(t *testing.T) {
						j := k.judge(t, run, p.source, true)
						if s, ok := j.Verdict.Scored(); !ok || !s.Passed || s.Reward != 1 {
							t.Errorf("punished: %s", show(&j))
						}
					})
				}
			}
			t.Logf("%d programs at %v", len(all), tier)
		})
	}
}
