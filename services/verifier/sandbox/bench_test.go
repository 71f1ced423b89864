package sandbox

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

	"github.com/provenir/provenir/services/verifier/sandbox/plain"
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
		for range 100 {
			if os.Remove(m.dir) == nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
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

func BenchmarkPlainSubprocess(b *testing.B) {
	m := newCPUMeter(b)
	from := m.now()
	for b.Loop() {
		cmd := exec.Command("/usr/bin/python3", "-c", benchCode+"assert add(1,2)==3\n")
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(m.now()-from)/1e6/float64(b.N), "cpu-ms/op")
}

func benchCandidate(b *testing.B, tier Tier) {
	m := newCPUMeter(b)
	p := pool(b, Config{MinTier: tier, MaxTier: tier, PoolSize: 1})
	var took []time.Duration
	from := m.now()
	for b.Loop() {
		begun := time.Now()
		s, load, err := p.Open(b.Context(), Job{Source: benchCode})
		if err != nil || load != (Load{}) {
			b.Fatal(load, err)
		}
		if a := s.Call("add", plain.Tuple{int64(1), int64(2)}, nil); a.Value != any(int64(3)) {
			b.Fatalf("%+v", a)
		}
		if _, err := s.Close(nil, false); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	b.ReportMetric(float64(m.now()-from)/1e6/float64(b.N), "cpu-ms/op")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2])/1e6, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100])/1e6, "p99-ms")
}

func BenchmarkCandidate(b *testing.B) {
	for _, tier := range []Tier{T3, T2} {
		b.Run(tier.String(), func(b *testing.B) { benchCandidate(b, tier) })
	}
}
