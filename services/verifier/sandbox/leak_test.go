//go:build linux

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
)

// footprint is what this process and its sandboxes hold of the machine.
type footprint struct {
	processes, descriptors, mounts, groups int
	zygotes                                map[int]int64 // resident bytes by slot
}

func footprintOf(t *testing.T, p *Pool) footprint {
	t.Helper()
	var f footprint
	f.processes = len(descendants(t, os.Getpid()))
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	f.descriptors = len(fds)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	f.mounts = strings.Count(string(mounts), "\n")
	if p != nil && p.machine != nil && p.machine.groups != nil {
		for _, c := range p.machine.groups.controllers {
			dirs, _ := filepath.Glob(filepath.Join(c.dir, "*", "cgroup.procs"))
			f.groups += len(dirs)
		}
	}
	if p != nil {
		f.zygotes = map[int]int64{}
		for _, s := range p.idle {
			if s.zygote != nil {
				f.zygotes[s.index] = s.zygote.resident()
			}
		}
	}
	return f
}

// descendants are the processes below pid, by parentage.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	parent := map[int]int{}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", n))
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		var state string
		var ppid int
		fmt.Sscan(rest, &state, &ppid)
		parent[n] = ppid
	}
	var out []int
	for n := range parent {
		for up := parent[n]; up > 1; up = parent[up] {
			if up == pid {
				out = append(out, n)
				break
			}
		}
	}
	return out
}

// jobs is how many the leak test runs; the nightly run asks for 10,000.
func jobs(t *testing.T) int {
	if s := os.Getenv("PROVENIR_SANDBOX_JOBS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if testing.Short() {
		return 100
	}
	return 300
}

// TestNothingIsLeft: after many jobs, some of them hostile, no process, group, mount or descriptor is more than before, and
// the zygotes have not grown.
func TestNothingIsLeft(t *testing.T) {
	before := footprintOf(t, nil)
	p, err := New(Config{PoolSize: 2, Recycle: 1 << 30, Growth: 1 << 40}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	skipWithout(t, p, T2)
	run := func(i int) {
		switch i % 5 {
		case 0:
			mustRun(t, p, "print(input())", "x\n")
		case 1:
			mustRun(t, p, "import os, time\nfor _ in range(3):\n    if os.fork() == 0: os.setsid(); time.sleep(60)\nopen('/box/x', 'w').write('x' * 10000)", "")
		case 2:
			s, _, err := p.Open(t.Context(), Job{Source: "def f(x): return [x] * 100"})
			if err != nil {
				t.Error(err)
				return
			}
			s.Call("f", plain.Tuple{int64(i)}, nil)
			if _, err := s.Close(nil, false); err != nil {
				t.Error(err)
			}
		case 3:
			mustRun(t, p, "import os\nos.kill(os.getpid(), 11)\nx = bytearray(20 << 20)\nraise SystemExit(1)", "")
		case 4:
			j, err := p.Judge(t.Context(), Job{Source: "def f(x): return x"}, &Suite{Mode: "func", Tests: []Test{{"t", fmt.Sprintf("# %d\nfor i in range(3): assert f(i) == i", i/40)}}})
			if err != nil || len(j.Rows) != 1 || j.Rows[0].Outcome != Passed {
				t.Errorf("%+v %v", j, err)
			}
		}
	}
	all := func(n int) {
		var wg sync.WaitGroup
		for w := range 2 {
			wg.Go(func() {
				for i := w; i < n; i += 2 {
					run(i)
				}
			})
		}
		wg.Wait()
	}
	all(100) // warm both slots
	middle := footprintOf(t, p)
	n := jobs(t)
	all(n)
	after := footprintOf(t, p)
	t.Logf("after %d jobs: %+v, before %+v", n, after, middle)
	// A judge process may stay with each slot, and a group file of it may be open.
	if after.processes > 2*len(after.zygotes) || after.mounts != middle.mounts || after.groups != middle.groups || after.descriptors > middle.descriptors+4 {
		t.Errorf("something is left: %+v, before %+v", after, middle)
	}
	for i := range after.zygotes {
		if grown := after.zygotes[i] - middle.zygotes[i]; grown > 256<<10 {
			t.Errorf("zygote %d grew by %d bytes", i, grown)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if end := footprintOf(t, nil); end.processes != before.processes || end.mounts != before.mounts || end.descriptors > before.descriptors+2 {
		t.Errorf("after Close: %+v, before %+v", end, before)
	}
	if p.machine.groups != nil {
		for _, c := range wanted {
			if left, _ := filepath.Glob(fmt.Sprintf("/sys/fs/cgroup/%s/**/%s%d-*", c, cgroupPrefix, os.Getpid())); len(left) > 0 {
				t.Errorf("control groups are left: %v", left)
			}
		}
	}
}

func mustRun(t *testing.T, p *Pool, source, stdin string) {
	t.Helper()
	if _, err := p.Run(t.Context(), Job{Source: source, Stdin: []byte(stdin)}); err != nil {
		t.Error(err)
	}
}

// TestZygoteKilled: its jobs fail as a fault of ours, and the next job gets another.
func TestZygoteKilled(t *testing.T) {
	p := pool(t, Config{PoolSize: 1})
	s, _, err := p.Open(t.Context(), Job{Source: "def f(): return 1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.r.slot.zygote.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if a := s.Call("f", plain.Tuple{}, nil); !a.Gone && a.Value != any(int64(1)) {
		t.Errorf("%+v", a)
	}
	if _, err := s.Close(nil, true); !errors.Is(err, ErrSandbox) {
		t.Errorf("got %v, want ErrSandbox", err)
	}
	if r, err := p.Run(t.Context(), Job{Source: "print(1)"}); err != nil || string(r.Stdout) != "1\n" {
		t.Errorf("the next job: %+v %v", r, err)
	}
}

// TestCallerGoesAway: the job is dead, not abandoned.
func TestCallerGoesAway(t *testing.T) {
	p := pool(t, Config{PoolSize: 1})
	ctx, cancel := context.WithCancel(t.Context())
	s, _, err := p.Open(ctx, Job{Source: "def f():\n    while True: pass"})
	if err != nil {
		t.Fatal(err)
	}
	pid := s.r.proc.pid
	cancel()
	if a := s.Call("f", plain.Tuple{}, nil); !a.Gone {
		t.Errorf("%+v", a)
	}
	if _, err := s.Close(nil, true); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("process %d of the job is there: %v", pid, err)
	}
	if _, err := p.Run(ctx, Job{Source: "print(1)"}); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled caller got %v", err)
	}
}

func TestClosedPool(t *testing.T) {
	p, err := New(Config{}, Deps{})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	if _, err := p.Run(t.Context(), Job{Source: "print(1)"}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// TestKillIsPrompt runs what is hardest to end. That the end comes within a quarter of a second is BenchmarkKill's to say.
func TestKillIsPrompt(t *testing.T) {
	for name, source := range map[string]string{"spin": spin, "fork bomb": bomb} {
		t.Run(name, func(t *testing.T) {
			p := pool(t, Config{PoolSize: 1})
			r, err := p.Run(t.Context(), Job{Source: source, Limits: Limits{Wall: 300 * time.Millisecond}})
			if err != nil || r.Limit != Timeout {
				t.Errorf("%+v %v", r, err)
			}
		})
	}
}

const (
	spin = "while True: pass"
	bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
)

// BenchmarkKill reports by how much a job outlives its wall limit, at worst.
func BenchmarkKill(b *testing.B) {
	for name, source := range map[string]string{"spin": spin, "bomb": bomb} {
		b.Run(name, func(b *testing.B) {
			p := pool(b, Config{PoolSize: 1})
			worst := time.Duration(0)
			for b.Loop() {
				r, err := p.Run(b.Context(), Job{Source: source, Limits: Limits{Wall: 200 * time.Millisecond, Processes: 32}})
				if err != nil || r.Limit != Timeout {
					b.Fatal(r, err)
				}
				worst = max(worst, r.Usage.Wall-200*time.Millisecond)
			}
			b.ReportMetric(float64(worst)/1e6, "worst-ms")
		})
	}
}
