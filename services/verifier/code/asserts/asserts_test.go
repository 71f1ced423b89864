package asserts

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

func call(name string, args ...plain.Value) *Call {
	return &Call{Function: name, Args: append(plain.Tuple{}, args...)}
}

func TestParse(t *testing.T) {
	one, two := int64(1), int64(2)
	tests := []struct {
		name, src string
		want      Suite
	}{
		{"equal", "assert f(1) == 2", Suite{Checks: []Check{{Line: 1, Op: "==", Left: Operand{Call: call("f", one)}, Right: Operand{Literal: two}}}}},
		{"reversed", "assert 2 == f(1)", Suite{Checks: []Check{{Line: 1, Op: "==", Left: Operand{Literal: two}, Right: Operand{Call: call("f", one)}}}}},
		{"truth", "assert f(1)", Suite{Checks: []Check{{Line: 1, Left: Operand{Call: call("f", one)}}}}},
		{"not", "assert not f(1)", Suite{Checks: []Check{{Line: 1, Not: true, Left: Operand{Call: call("f", one)}}}}},
		{"in brackets", "assert (f(1) == 2), 'why'", Suite{Checks: []Check{{Line: 1, Op: "==", Left: Operand{Call: call("f", one)}, Right: Operand{Literal: two}}}}},
		{"in", "assert f(1) not in [1, 2]", Suite{Checks: []Check{{Line: 1, Op: "not in", Left: Operand{Call: call("f", one)}, Right: Operand{Literal: plain.List{one, two}}}}}},
		{"is", "assert f(1) is not None", Suite{Checks: []Check{{Line: 1, Op: "is not", Left: Operand{Call: call("f", one)}}}}},
		{"abs", "assert abs(f(1) - 2) < 1e-6", Suite{Checks: []Check{{Line: 1, Op: "<", Left: Operand{Call: call("f", one), Difference: &Operand{Literal: two}}, Right: Operand{Literal: 1e-6}}}}},
		{"keyword", "assert f(1, b=2) == 1", Suite{Checks: []Check{{Line: 1, Op: "==", Left: Operand{Call: &Call{"f", plain.Tuple{one}, plain.Dict{{Key: plain.Str("b"), Value: two}}}}, Right: Operand{Literal: one}}}}},
		{"check", "METADATA = {'a': 1}\n\n\ndef check(candidate):\n    # comment\n    assert candidate(1) == 2, \"msg\" + str(candidate(1))\n    assert True\n\ncheck(f)\n",
			Suite{Check: true, Candidate: "candidate", CallsWith: "f", Checks: []Check{{Line: 6, Op: "==", Left: Operand{Call: call("candidate", one)}, Right: Operand{Literal: two}}}}},
		{"two functions", "from solution import f, g\nassert f(1) == 2; assert g() == 1", Suite{Checks: []Check{
			{Line: 2, Op: "==", Left: Operand{Call: call("f", one)}, Right: Operand{Literal: two}}, {Line: 2, Op: "==", Left: Operand{Call: call("g")}, Right: Operand{Literal: one}}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Parse(tt.src)
			if err != nil || !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestLiteral(t *testing.T) {
	tests := map[string]plain.Value{
		"1_000": int64(1000), "0x1F": int64(31), "-2**2": int64(-4), "10**9 + 7": int64(1000000007), "2**-1": nil, "1e3": 1000.0, ".5": 0.5, "1 + 2j": complex(1, 2), "-0.0": nil,
		`'a' "b"`: plain.Str("ab"), `r'\n'`: plain.Str(`\n`), `'\x41\u00e9\t'`: plain.Str("Aé\t"), `"""x
y"""`: plain.Str("x\ny"), `b'\xff'`: plain.Bytes("\xff"), "(1)": int64(1), "(1,)": plain.Tuple{int64(1)}, "{}": plain.Dict{}, "set()": plain.Set{}, "{1, 2}": plain.Set{int64(1), int64(2)},
		"[1, # c\n 2]": plain.List{int64(1), int64(2)}, `'\udc80'`: plain.Str("\xed\xb2\x80"),
	}
	for src, want := range tests {
		got, err := Literal(src)
		if want == nil {
			continue
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %#v, %v", src, got, err)
		}
	}
}

// TestBeyond: what means something else in Python than it seems, or that Go cannot judge, goes to Python.
func TestBeyond(t *testing.T) {
	for _, src := range []string{
		"", "x = 1", "assert", "assert f(", "assert f(1) == ", "assert f(1) == g", "assert f(x) == 1", "assert f(1) == 2 == 2", "assert f(1) == 2 and f(2) == 3", "assert f(1)[0] == 1", "assert f(1).x == 1",
		"assert (f(1) == 2, 'always true')", "assert len(f(1)) == 1", "assert all(f(x) for x in [1])", "for i in [1]: assert f(i)", "if True:\n    assert f(1)", "assert f(*[1]) == 1", "assert f(a=1, a=2)", "assert f(a=1, 2)",
		"assert f(1) == f'{1}'", "assert f(1) is 1", "assert f(1) is f(1)", "assert 1 == 1", "assert False", "assert f(1) == {[]: 1}", "assert f(1) == {[1]}", "def check(c):\n    assert c(1)\nassert f(2)", "def check(c):\n    x = 1\n    assert c(x)",
		"def check(c, d):\n    assert c(1)", "def test():\n    assert f(1)", "import os as o\nassert f(1)", "assert f(1) == '\\N{DASH}'", "assert f(1) == '\\q'", "assert f(1) == 0777", "assert f(1) == 1 if True else 2", "assert lambda: 1", "assert not not f(1)",
		"assert f(ｘ) == 1", "assert f(1) == 2**100000", "print(1)\nassert f(1)", "assert f(1) == 'a' * 3", "assert f(1) == 1; x = 2", "  assert f(1)\n assert f(2)", "assert abs(f(1)) < 2", "assert f(1) == 1_", "assert f(1) \\\n == 1 2",
		strings.Repeat("(", 200), "assert f(" + strings.Repeat("[", 5000) + ")", "assert f(" + strings.Repeat("-", 100000) + "1)", "assert f(1) == b'é'", "assert f(1)\x00", "@d\ndef check(c):\n    assert c(1)", "assert eval('1')",
	} {
		if s, err := Parse(src); !errors.Is(err, ErrBeyond) {
			t.Errorf("%.60q was read as %+v, %v", src, s, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("assert f(1, [2.5, 'x'], b=None) == {'a': (1,)}")
	f.Add("def check(candidate):\n    assert abs(candidate(1.33) - 0.33) < 1e-6\ncheck(f)\n")
	f.Add("METADATA = {}\nassert not f(-1) # x\n")
	f.Fuzz(func(t *testing.T, src string) {
		s, err := Parse(src)
		if err != nil {
			if !errors.Is(err, ErrBeyond) {
				t.Fatal(err)
			}
			return
		}
		for i := range s.Checks {
			for _, o := range []Operand{s.Checks[i].Left, s.Checks[i].Right} {
				if o.Call == nil {
					continue
				}
				if _, err := plain.Append(nil, plain.Tuple{o.Call.Args, o.Call.Kwargs}); err != nil {
					t.Fatalf("%q has arguments that cannot be sent: %v", src, err)
				}
			}
		}
	})
}
