package pyast

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, src string
		good, bad int
		first     Kind
	}{
		{"imports", "import os.path as p, sys\nfrom .a.b import (c as d,\n e)\nfrom x import *", 3, 0, Import},
		{"a function", "@a.b(1)\nasync def f(a, /, b: int = 1, *c, d=2, **e) -> List[int]:\n    return a", 2, 0, Def},
		{"a class", "class A(B, metaclass=C):\n    x: int = 1\n    def __eq__(self, o): return True", 3, 0, Class},
		{"chains", "if a == 1:\n    x\nelif 1 < b <= 2:\n    y\nelse:\n    z", 4, 0, If},
		{"loops", "for i, (a, b) in enumerate(x):\n    continue\nelse:\n    pass\nwhile True: break", 4, 0, For},
		{"with", "with (open(a) as f, open(b) as g):\n    f.read()\nwith a, b as c: pass\nwith (a, b): pass", 4, 0, With},
		{"try", "try:\n    x\nexcept (A, B) as e:\n    raise C from e\nfinally:\n    del x, y", 4, 0, Try},
		{"match", "match x:\n    case [1, *r] if r:\n        pass\n    case _:\n        pass\nmatch = 1\nmatch(x)", 5, 0, Match},
		{"expressions", "x = [a for a in b if a][1:2, ::3] if not c else {**d, 'e': lambda y, *z: y}\n(y := 1) is not None not in {1, 2}", 2, 0, Assign},
		{"an indented body alone", "    x = 1\n    return x\n", 2, 0, Assign},
		{"a lone decorator", "@pytest.mark.skip", 1, 0, Def},
		{"semicolons", "import sys; sys.exit(0);", 1, 0, Import},
		{"prose", "The answer is 5, because of this.\nSo it goes.", 0, 2, Opaque},
		{"a bad head with a block", "iff x == 1:\n    sys.exit(0)", 1, 1, Opaque},
		{"a bad handler", "try:\n    x\nexcept ! :\n    y", 3, 1, Try},
		{"an open bracket", "x = (1,\nimport os", 1, 1, Opaque},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := new(Parser).Parse(tt.src)
			if m.Good != tt.good || m.Bad != tt.bad || m.Body[0].Kind != tt.first {
				t.Errorf("%d good, %d bad, first %d; want %d, %d, %d", m.Good, m.Bad, m.Body[0].Kind, tt.good, tt.bad, tt.first)
			}
		})
	}
}

// A block below a line that cannot be read is read once, however deep it lies: the count of nodes grows with the source.
func TestNothingIsReadTwice(t *testing.T) {
	for _, head := range []string{"try:\n", "@x\nif a:\n", "async if a:\n", "if a:\n", "match x:\n", "with a b:\n"} {
		var b strings.Builder
		for i := range 60 {
			for line := range strings.Lines(head) {
				b.WriteString(strings.Repeat(" ", i) + line)
			}
		}
		for i := 59; i >= 0; i-- {
			b.WriteString(strings.Repeat(" ", i+1) + "x\n" + strings.Repeat(" ", i) + "except ! ! !:\n")
		}
		if n := count(new(Parser).Parse(b.String()).Body); n > 60*40 {
			t.Errorf("%q gives %d nodes", head, n)
		}
	}
}

func count(list []*Node) int {
	n := 0
	for _, x := range list {
		Walk(x, func(*Node) bool { n++; return true })
	}
	return n
}

func FuzzPyParse(f *testing.F) {
	for _, s := range []string{"def f(x): return x", "x = ((((", "if a:\n b\nelif", "match x:\n case", "f(a=1, *b)", "try:\n try:\n  x\n except !", "@", "with (a as"} {
		f.Add(s)
	}
	var p Parser
	f.Fuzz(func(t *testing.T, src string) {
		m := p.Parse(src)
		n := 0
		for _, x := range m.Body {
			Walk(x, func(x *Node) bool {
				if x.Start < 0 || x.End < x.Start || int(x.End) > len(src) {
					t.Fatalf("node of kind %d from %d to %d of %d bytes", x.Kind, x.Start, x.End, len(src))
				}
				n++
				return true
			})
		}
		if n > 8*len(src)+8 {
			t.Fatalf("%d nodes of %d bytes", n, len(src))
		}
	})
}
