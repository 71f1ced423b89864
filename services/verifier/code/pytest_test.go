package code

import (
	"testing"

	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/verdict"
)

const good = "class Bad(ValueError): pass\ndef f(x):\n    if x < 0: raise Bad('negative')\n    return x * 2\ndef g(): return 0.1 + 0.2\n"

// pytestCase is a candidate, tests, and what they come to.
type pytestCase struct {
	name, code, tests string
	reward            float64
	reason            string
}

func pytestCases() []pytestCase {
	return []pytestCase{
		{"functions", good, "from solution import f\ndef test_a():\n    assert f(1) == 2\ndef test_b():\n    assert f(2) == 4", 1, "ok"},
		{"import as", good, "import solution as s\ndef test_a():\n    assert s.f(1) == 2", 1, "ok"},
		{"half", "def f(x): return 2", "from solution import *\ndef test_a():\n    assert f(1) == 2\ndef test_b():\n    assert f(2) == 4", 0.5, "wrong_answer"},
		{"parametrize", "def f(x): return 2", "import pytest\nfrom solution import f\n@pytest.mark.parametrize('x', [1, 2, 3, 4])\ndef test_a(x):\n    assert f(x) == 2 * x", 0.25, "wrong_answer"},
		{"raises", good, "import pytest\nfrom solution import f, Bad\ndef test_a():\n    with pytest.raises(Bad, match='neg'):\n        f(-1)\ndef test_b():\n    with pytest.raises(ValueError):\n        f(-1)", 1, "ok"},
		{"does not raise", "def f(x): return x", "import pytest\nfrom solution import f\ndef test_a():\n    with pytest.raises(ValueError):\n        f(-1)", 0, "wrong_answer"},
		{"approx", good, "import pytest\nfrom solution import g\ndef test_a():\n    assert g() == pytest.approx(0.3)", 1, "ok"},
		{"unittest", good, "import unittest\nfrom solution import f\nclass T(unittest.TestCase):\n    def setUp(self): self.x = 3\n    def test_a(self): self.assertEqual(f(self.x), 6)\n    def test_b(self):\n        with self.assertRaises(ValueError): f(-1)", 1, "ok"},
		{"class", good, "from solution import f\nclass TestF:\n    def test_a(self):\n        assert f(1) == 2", 1, "ok"},
		{"helpers", good, "from solution import f\ndef helper(x): return f(x) + 1\ndef test_a():\n    assert helper(1) == 3", 1, "ok"},
		{"missing name", "def h(): pass", "from solution import f\ndef test_a():\n    assert f(1) == 2", 0, "runtime_error"},
		{"does not load", "1/0", "from solution import f\ndef test_a():\n    assert f(1) == 2", 0, "runtime_error"},
		{"exit", "def f(x): raise SystemExit", "from solution import f\ndef test_a():\n    assert f(1) == 2\ndef test_b():\n    assert f(2) == 4", 0, "tampered"},
		{"forged", "class E:\n    def __eq__(s, o): return True\ndef f(x): return E()", "import pytest\nfrom solution import f\ndef test_a():\n    assert f(1) == pytest.approx(2)", 0, "tampered"},
	}
}

func TestPytest(t *testing.T) {
	run := On(pool(t, sandbox.T2))
	v := verifier(t, run, map[string]any{"task": "pytest"})
	judge := func(t *testing.T, code, tests string) Judgement {
		return v.JudgeContext(t.Context(), &verdict.Candidate{Response: "```python\n" + code + "\n```", Row: verdict.Row{{Key: "tests", JSON: column(tests)}}})
	}
	for _, tt := range pytestCases() {
		t.Run(tt.name, func(t *testing.T) {
			j := judge(t, tt.code, tt.tests)
			if s, ok := j.Verdict.Scored(); !ok || s.Reward != tt.reward || s.Reason != tt.reason || s.Passed != (tt.reward == 1) {
				t.Errorf("want %v %s: %s", tt.reward, tt.reason, show(&j))
			}
		})
	}
	for name, tt := range map[string]struct {
		tests string
		want  verdict.Reason
	}{
		"nothing collected":          {"from solution import f\nx = 1", verdict.NoTests},
		"nothing of the candidate's": {"def test_a():\n    assert 1 + 1 == 2", verdict.NoTests},
		"syntax":                     {"def test_a(:", verdict.BadTests},
		"generator":                  {"from solution import f\ndef test_a():\n    assert f(1) == 3\n    yield", verdict.TestsUnsupported},
		"other mark":                 {"import pytest\nfrom solution import f\n@pytest.mark.timeout(3)\ndef test_a():\n    assert f(1) == 2", verdict.TestsUnsupported},
		"swallowed":                  {"import pytest\nfrom solution import f\ntry: pytest.importskip('x')\nexcept Exception: pass\ndef test_a():\n    assert f(1) == 2", verdict.TestsUnsupported},
		"condition in text":          {"import pytest\nfrom solution import f\n@pytest.mark.skipif('1 == 2')\ndef test_a():\n    assert f(1) == 2", verdict.TestsUnsupported},
		"indirect":                   {"import pytest\nfrom solution import f\n@pytest.mark.parametrize('x', [1], indirect=True)\ndef test_a(x):\n    assert f(x) == 2", verdict.TestsUnsupported},
		"two names, three values":    {"import pytest\nfrom solution import f\n@pytest.mark.parametrize('x,y', [(1, 2, 3)])\ndef test_a(x, y):\n    assert f(x) == y", verdict.TestsUnsupported},
		"fixture of pytest's":        {"from solution import f\ndef test_a(tmp_path):\n    assert f(1) == 2", verdict.TestsUnsupported},
		"fixture of a method":        {"from solution import f\nclass TestF:\n    def test_a(self, request):\n        assert f(1) == 2", verdict.TestsUnsupported},
		"class with __init__":        {"from solution import f\nclass TestF:\n    def __init__(self): pass\n    def test_a(self):\n        assert f(1) == 2", verdict.TestsUnsupported},
		"mock":                       {"from unittest.mock import patch as p\nfrom solution import f\ndef test_a():\n    assert f(1) == 2", verdict.TestsUnsupported},
		"fixture":                    {"import pytest\n@pytest.fixture\ndef x(): return 1\ndef test_a(x): pass", verdict.TestsUnsupported},
		"capture":                    {"from solution import f\ndef test_a(capsys):\n    f(1)\n    assert capsys.readouterr()", verdict.TestsUnsupported},
	} {
		t.Run(name, func(t *testing.T) {
			j := judge(t, good, tt.tests)
			if u, ok := j.Verdict.Unscored(); !ok || u.Reason != tt.want {
				t.Errorf("want %v: %s", tt.want, show(&j))
			}
		})
	}
}
