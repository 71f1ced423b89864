package code

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/provenir/provenir/services/verifier/sandbox"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// cpuMeter counts the processor time of this process and everything that it starts from now on, dead or alive, by a control
// group of its own.
type cpuMeter struct{ dir string }

func newCPUMeter(b *testing.B) *cpuMeter {
	const root = "/sys/fs/cgroup/cpuacct"
	m := &cpuMeter{filepath.Join(root, fmt.Sprintf("provenir-bench-%d", os.Getpid()))}
	if err := os.Mkdir(m.dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		b.Skipf("processor time needs the cpuacct controller: %v", err)
	}
	if err := os.WriteFile(filepath.Join(m.dir, "cgroup.procs"), []byte("0"), 0o644); err != nil {
		b.Skip(err)
	}
	b.Cleanup(func() {
		os.WriteFile(filepath.Join(root, "cgroup.procs"), []byte("0"), 0o644)
		for range 1000 { // version 1 of control groups tells nobody when one is empty
			if os.Remove(m.dir) == nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
		b.Errorf("control group %s is left", m.dir)
	})
	return m
}

func (m *cpuMeter) now() time.Duration {
	s, err := os.ReadFile(filepath.Join(m.dir, "cpuacct.usage"))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(s)), 10, 64)
	return time.Duration(n)
}

const benchCode = "def add(a, b):\n    return a + b\n"

// measure runs f b.N times and reports what one took: processor time, and the latency one at a time.
func measure(b *testing.B, m *cpuMeter, f func(i int)) {
	var took []time.Duration
	f(-1) // what is started once is not what is measured
	from, n := m.now(), 0
	for b.Loop() {
		begun := time.Now()
		f(n)
		n++
		took = append(took, time.Since(begun))
	}
	b.ReportMetric(float64(m.now()-from)/1e6/float64(n), "cpu-ms/op")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e6, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100])/1e6, "p99-ms")
}

// BenchmarkPlainSubprocess is the baseline: one interpreter for each verdict, without isolation, with the tests in the same
// process.
func BenchmarkPlainSubprocess(b *testing.B) {
	measure(b, newCPUMeter(b), func(int) {
		if err := exec.Command("/usr/bin/python3", "-c", benchCode+"assert add(1,2)==3\n").Run(); err != nil {
			b.Fatal(err)
		}
	})
}

func benchVerdicts(b *testing.B, tier sandbox.Tier, tests func(i int) string) {
	m := newCPUMeter(b) // before the pool, whose processes are in its group until the pool is closed
	p, err := sandbox.New(sandbox.Config{MinTier: tier, MaxTier: tier, PoolSize: 1}, sandbox.Deps{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Close() })
	v := verifier(b, On(p), map[string]any{"entry_point": "add"})
	measure(b, m, func(i int) {
		c := &verdict.Candidate{Response: benchCode, Row: verdict.Row{{Key: "tests", JSON: column(tests(i))}}}
		if j := v.JudgeContext(b.Context(), c); !j.Verdict.Passed() {
			b.Fatal(show(&j))
		}
	})
}

func BenchmarkVerdict(b *testing.B) {
	const loop = "for i in range(1): assert add(i, 2) == i + 2\n"
	for _, tier := range []sandbox.Tier{sandbox.T3, sandbox.T2} {
		for _, bb := range []struct {
			name  string
			tests func(i int) string
		}{
			{"candidate", func(int) string { return "assert add(1,2)==3\n" }},
			{"split", func(i int) string { return fmt.Sprintf("# %d\n", i) + loop }},
			{"group8", func(i int) string { return fmt.Sprintf("# %d\n", i/8) + loop }},
		} {
			b.Run(tier.String()+"/"+bb.name, func(b *testing.B) { benchVerdicts(b, tier, bb.tests) })
		}
	}
}

// BenchmarkThroughput is jobs a second with all cores at work.
func BenchmarkThroughput(b *testing.B) {
	p, err := sandbox.New(sandbox.Config{}, sandbox.Deps{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Close() })
	v := verifier(b, On(p), map[string]any{"entry_point": "add"})
	c := &verdict.Candidate{Response: benchCode, Row: verdict.Row{{Key: "tests", JSON: column("assert add(1,2)==3\n")}}}
	v.JudgeContext(b.Context(), c)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if j := v.JudgeContext(b.Context(), c); !j.Verdict.Passed() {
				b.Error(show(&j))
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "verdicts/s")
}
