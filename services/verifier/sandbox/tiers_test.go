//go:build linux

package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// below are the configurations that a person has to allow, and the tier that each answer must name.
var below = []struct {
	tier Tier
	cfg  Config
}{
	{T1, Config{MinTier: T1, MaxTier: T1, AllowUnsandboxed: true}},
	{T0, Config{AllowUnsandboxed: true, Plain: true}},
}

func TestBelowT2HasToBeAllowed(t *testing.T) {
	for _, cfg := range []Config{{MinTier: T1}, {Plain: true}, {MinTier: -1}, {MinTier: 5}} {
		if _, err := New(cfg, Deps{}); !errors.Is(err, ErrSandbox) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
	// A machine that offers T2 is used at T2 or above, whatever else is allowed.
	p := pool(t, Config{AllowUnsandboxed: true, PoolSize: 1})
	if r, err := p.Run(t.Context(), Job{Source: "pass"}); err != nil || r.Tier < T2 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestBelowT2: jobs run, are limited and ended with all that they started, and each answer says its tier.
func TestBelowT2(t *testing.T) {
	for _, b := range below {
		t.Run(b.tier.String(), func(t *testing.T) {
			b.cfg.PoolSize = 1
			p := pool(t, b.cfg)
			for _, tt := range []struct {
				name, language, source, out string
				limit                       Limit
			}{
				{"plain", Python, "print(input())", "in", NoLimit},
				{"a file of its own", Python, "open('x', 'w').write('1'); print(open('x').read())", "1", NoLimit},
				{"not the file of the job before", Python, "import os; print(os.listdir('.'))", "[]", NoLimit},
				{"bash", "bash", "read x; echo $x", "in", NoLimit},
				{"c", "c", "#include <stdio.h>\nint main(){puts(\"c\");}", "c", NoLimit},
				{"endless", Python, "while True: pass", "", Timeout},
				{"memory", Python, "x = bytearray(1 << 30)", "", MemoryLimit},
				{"a child that stays", Python, "import os, time\nif os.fork() == 0: time.sleep(600)\nprint(1)", "1", NoLimit},
				{"a bomb", Python, "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", "", Timeout},
			} {
				t.Run(tt.name, func(t *testing.T) {
					limits := Limits{Wall: 10 * time.Second, Memory: 256 << 20}
					if tt.limit == Timeout {
						limits.Wall = 500 * time.Millisecond
					}
					r, err := p.Run(t.Context(), Job{Language: tt.language, Source: tt.source, Stdin: []byte("in\n"), Limits: limits})
					if errors.Is(err, ErrLanguage) {
						t.Skip(err)
					}
					if err != nil || r.Tier != b.tier || r.Limit != tt.limit || strings.TrimSpace(string(r.Stdout)) != tt.out {
						t.Errorf("%+v %s, %v", r, r.Stderr, err)
					}
				})
			}
			uid := sandboxUID(0)
			if n := processesOf(uid); os.Getuid() == 0 && n > 2 { // the zygote, and perhaps one that is going
				t.Errorf("%d processes of the jobs' user are left", n)
			}
		})
	}
}

// TestAProgramKilledByItsChildFails: without a namespace of its own a child can kill the program that waits to be let go. Its
// signal is not ours, which ends only what has done its work. One of five got away with it when it was taken for ours.
func TestAProgramKilledByItsChildFails(t *testing.T) {
	const source = "import os, signal\nprint(7, flush=True)\nif os.fork() == 0: os.kill(os.getppid(), signal.SIGKILL); os._exit(0)\nraise SystemExit(3)"
	for _, b := range below {
		p := pool(t, b.cfg)
		for range 40 {
			r, err := p.Run(t.Context(), Job{Source: source, Limits: Limits{Wall: 10 * time.Second}})
			if errors.Is(err, ErrSandbox) {
				continue // it killed the zygote, its parent by then: nobody is paid for that either
			}
			if err != nil || r.ExitCode == 0 && r.Signal == 0 && r.Limit == NoLimit {
				t.Fatalf("%v: %+v, %v", b.tier, r, err)
			}
		}
	}
}

// TestAMachineWithoutNamespaces: an interpreter of stage 0 that cannot start stands for a machine that refuses namespaces.
func TestAMachineWithoutNamespaces(t *testing.T) {
	refuse := func(p *Pool) {
		if _, err := p.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.noNamespaces = errors.New("unshare: operation not permitted")
	}
	p, err := New(Config{PoolSize: 1}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	refuse(p)
	var isolation *IsolationError
	if _, err := p.Run(t.Context(), Job{Source: "pass"}); !errors.As(err, &isolation) || !strings.Contains(err.Error(), "--allow-unsandboxed") {
		t.Fatalf("without being allowed: %v", err)
	}
	q, err := New(Config{PoolSize: 1, AllowUnsandboxed: true}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	refuse(q)
	r, err := q.Run(t.Context(), Job{Source: "print(1)"})
	if err != nil || r.Tier > T1 {
		t.Fatalf("%+v, %v", r, err)
	}
	report, err := q.Report(t.Context())
	if err != nil || report.Tier != r.Tier {
		t.Fatalf("%+v, %v", report, err)
	}
}

func TestWithoutGVisor(t *testing.T) {
	p, err := New(Config{MinTier: T4, MaxTier: T4, GVisor: filepath.Join(t.TempDir(), "runsc"), PoolSize: 1}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	_, err = p.Run(t.Context(), Job{Source: "pass"})
	var isolation *IsolationError
	if !errors.As(err, &isolation) || !strings.Contains(err.Error(), "install runsc") {
		t.Fatal(err)
	}
}

// gVisorPool makes a pool at T4, or skips with the reason.
func gVisorPool(t testing.TB) *Pool {
	t.Helper()
	path := os.Getenv("PROVENIR_RUNSC")
	if path == "" {
		path = "runsc"
	}
	if _, err := exec.LookPath(path); err != nil {
		t.Skipf("gVisor is not installed (PROVENIR_RUNSC names another runsc): %v", err)
	}
	p, err := New(Config{MinTier: T4, MaxTier: T4, GVisor: path, PoolSize: 1}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// withGVisor is tiers, and T4 where runsc is there.
func withGVisor(t *testing.T, test func(t *testing.T, p *Pool)) {
	tiers(t, test)
	t.Run(T4.String(), func(t *testing.T) { test(t, gVisorPool(t)) })
}

// A judge at T4 talks to its candidate through us. It must not wait for one that is gone, nor one that does not end keep it.
func TestAJudgeInGVisorAndACandidateThatGoes(t *testing.T) {
	p := gVisorPool(t)
	tests := []struct {
		name, source string
		want         Outcome
	}{
		{"exits", "import os\ndef f(x): os._exit(0)", CandidGone},
		{"hangs", "def f(x):\n    while True: pass", CandidGone},
		{"floods", "def f(x): return 'x' * (7 << 20)", Failed},
		{"is well", "def f(x): return x", Passed},
	}
	for _, tt := range tests {
		begun := time.Now()
		j, err := p.Judge(t.Context(), Job{Source: tt.source, Limits: Limits{Wall: 2 * time.Second}}, &Suite{Mode: "func", Tests: []Test{{"t", "for i in range(3): assert f(i) == i"}}})
		if took := time.Since(begun); err != nil || len(j.Rows) != 1 || j.Rows[0].Outcome != tt.want || took > 20*time.Second {
			t.Errorf("%s: %+v, %v after %v", tt.name, j, err, took)
		}
	}
}

func TestGVisor(t *testing.T) {
	p := gVisorPool(t)
	report, err := p.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, probe := range report.Probes {
		t.Logf("%-16s %v: %s", probe.Name, probe.Contained, probe.Observed)
	}
	if report.Tier != T4 {
		t.Fatal(&IsolationError{report})
	}
	for i := range 3 {
		r, err := p.Run(t.Context(), Job{Source: fmt.Sprintf("print(%d)", i)})
		if err != nil || r.Tier != T4 || string(r.Stdout) != fmt.Sprintf("%d\n", i) {
			t.Errorf("%+v, %v", r, err)
		}
	}
	r, err := p.Run(t.Context(), Job{Source: "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", Limits: Limits{Wall: 500 * time.Millisecond}})
	if err == nil && r.Limit != Timeout || err != nil && !errors.Is(err, ErrSandbox) {
		t.Errorf("a bomb: %+v, %v", r, err)
	}
	if r, err := p.Run(t.Context(), Job{Source: "print('next')"}); err != nil || string(r.Stdout) != "next\n" {
		t.Errorf("after a bomb: %+v, %v", r, err)
	}
}
