//go:build linux

package sandbox

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// tiers are those that this machine offers; each test names the one it ran at.
func tiers(t *testing.T, test func(t *testing.T, p *Pool)) {
	for _, tier := range []Tier{T3, T2} {
		t.Run(tier.String(), func(t *testing.T) { test(t, pool(t, Config{MaxTier: tier, MinTier: tier})) })
	}
}

// pool makes one, or skips with the reason where the machine does not offer its tier.
func pool(t testing.TB, cfg Config) *Pool {
	t.Helper()
	p, err := New(cfg, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	skipWithout(t, p, cfg.MinTier)
	return p
}

// skipWithout skips where the machine does not offer a tier. A sandbox that starts and holds nothing, or fails in another
// way, is no reason to skip.
func skipWithout(t testing.TB, p *Pool, tier Tier) {
	t.Helper()
	_, err := p.Run(t.Context(), Job{Source: "pass"})
	var isolation *IsolationError
	switch {
	case err == nil:
	case errors.As(err, &isolation) && len(isolation.Report.Probes) == 0, errors.Is(err, ErrLanguage):
		t.Skipf("this machine does not offer %v: %v", tier, err)
	case isolation != nil && isolation.Report.Tier >= T2:
		t.Skipf("this machine does not offer %v: %v", tier, err)
	default:
		t.Fatalf("at %v: %v", tier, err)
	}
}

func TestStdio(t *testing.T) {
	tests := []struct {
		name, source, stdin string
		out, err            string
		exit                int
		limit               Limit
	}{
		{name: "echo", source: "print(input()[::-1])", stdin: "abc\n", out: "cba\n"},
		{name: "exit code", source: "import sys; sys.exit(3)", exit: 3},
		{name: "exit text", source: "import sys; sys.exit('bye')", exit: 1, err: "bye\n"},
		{name: "exception", source: "1/0", exit: 1, err: "ZeroDivisionError"},
		{name: "no newline", source: "print(1, end='')", out: "1"},
		{name: "timeout", source: "while True: pass", limit: Timeout},
		{name: "sleep", source: "import time; time.sleep(60)", limit: Timeout},
		{name: "memory", source: "x = bytearray(300 << 20); x[::4096] = b'1' * len(x[::4096]); print(len(x))", limit: MemoryLimit},
		{name: "output", source: "while True: print('x' * 1000)", limit: OutputLimit},
		{name: "violation", source: "import ctypes; ctypes.CDLL(None).syscall(101, 0, 0, 0, 0)", limit: SecurityViolation},
	}
	tiers(t, func(t *testing.T, p *Pool) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				limits := Limits{Wall: 10 * time.Second, CPU: 5 * time.Second, Memory: 128 << 20}
				if tt.limit == Timeout {
					limits.Wall = 300 * time.Millisecond
				}
				r, err := p.Run(t.Context(), Job{Source: tt.source, Stdin: []byte(tt.stdin), Limits: limits})
				if err != nil {
					t.Fatal(err)
				}
				if r.Limit != tt.limit {
					t.Fatalf("limit %q, want %q: %+v %s", r.Limit, tt.limit, r, r.Stderr)
				}
				if tt.limit != NoLimit {
					return
				}
				if string(r.Stdout) != tt.out || r.ExitCode != tt.exit || !strings.Contains(string(r.Stderr), tt.err) {
					t.Errorf("stdout %q stderr %q exit %d, want %q %q %d", r.Stdout, r.Stderr, r.ExitCode, tt.out, tt.err, tt.exit)
				}
			})
		}
	})
}
