//go:build linux

package sandbox

import (
	"errors"
	"testing"
)

// TestRecycling: a zygote that has done its share is replaced, and jobs do not notice.
func TestRecycling(t *testing.T) {
	p := pool(t, Config{PoolSize: 1, Recycle: 5})
	seen := map[int]bool{}
	for range 20 {
		r, err := p.Run(t.Context(), Job{Source: "print(1)"})
		if err != nil || string(r.Stdout) != "1\n" {
			t.Fatal(r, err)
		}
		seen[p.idle[0].zygote.cmd.Process.Pid] = true
	}
	if len(seen) < 3 {
		t.Errorf("%d zygotes ran 20 jobs at 5 each", len(seen))
	}
}

// TestGroupSharesAJudge: candidates of the same tests share one, and it is replaced after it was lied to.
func TestGroupSharesAJudge(t *testing.T) {
	p := pool(t, Config{PoolSize: 1})
	suite := &Suite{Mode: "func", Tests: []Test{{"t", "for i in range(3): assert f(i) == i"}}}
	ask := func(source string) (Judged, int) {
		j, err := p.Judge(t.Context(), Job{Source: source}, suite)
		if err != nil {
			t.Fatal(err)
		}
		if p.idle[0].judge == nil {
			return j, 0
		}
		return j, p.idle[0].judge.proc.pid
	}
	first, one := ask("def f(x): return x")
	second, two := ask("def f(x): return 7")
	if one == 0 || one != two || first.Rows[0].Outcome != Passed || second.Rows[0].Outcome != Failed {
		t.Errorf("judges %d and %d: %+v %+v", one, two, first, second)
	}
	if _, left := ask("class E:\n    def __eq__(s, o): return True\ndef f(x): return E()"); left != 0 {
		t.Error("a judge that was lied to was kept")
	}
	if again, _ := ask("def f(x): return x"); again.Rows[0].Outcome != Passed {
		t.Errorf("%+v", again)
	}
}

func TestNamedInterpreter(t *testing.T) {
	p, err := New(Config{Python: "/usr/bin/true"}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var layout *LayoutError
	if _, err := p.Run(t.Context(), Job{Source: "print(1)"}); !errors.As(err, &layout) {
		t.Errorf("got %v, want a LayoutError", err)
	}
}
