package analyze_test

import (
	"bufio"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/provenir/provenir/services/recorder/analyze"
	"github.com/provenir/provenir/services/recorder/incident"
)

// read analyzes a file of ../shared/data, or skips.
func read(t *testing.T, file string, o analyze.Options) analyze.Verdict {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "..", "shared", "data", file))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no ../shared/data/" + file + "; it is not part of the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := analyze.New(o)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := uint64(1); lines.Scan(); n++ {
		if _, err := s.Row(n, lines.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	return s.Verdict()
}

func TestEngineLogs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "..", "shared", "data", "engine-logs", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Skip("no ../shared/data/engine-logs; it is not part of the repository")
	}
	for _, file := range files {
		name := filepath.Base(file)
		v := read(t, filepath.Join("engine-logs", name), analyze.Options{})
		t.Logf("%s: %s engine %s method %s roles %+v steps %d problems %d notes %v", name, v.Verdict, v.Engine, v.Method, v.Roles, v.Steps, v.Problems, v.Notes)
		for _, i := range v.Incidents {
			t.Logf("   %+v", i)
		}
	}
	_ = incident.Healthy
}

func TestRuns(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "..", "shared", "data", "grpo-runs", "*.jsonl"))
	for _, file := range files {
		name := filepath.Base(file)
		v := read(t, filepath.Join("grpo-runs", name), analyze.Options{})
		t.Logf("%s: %s engine %s method %s roles %+v steps %d attempts %d problems %d notes %v", name, v.Verdict, v.Engine, v.Method, v.Roles, v.Steps, v.Attempts, v.Problems, v.Notes)
		for _, i := range v.Incidents {
			t.Logf("   %s %s %v onset %d opened %d", i.Kind, i.Metric, i.Severity, i.Onset, i.Opened)
		}
	}
}
