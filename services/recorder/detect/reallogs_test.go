package detect_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/metric"
)

// Real GRPO logs with their own key names. Four of them restart at step 0 inside the file: a log directory used again.
func TestRealLogs(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "..", "shared", "data", "grpo-runs")
	files, err := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no logs in ../shared/data/grpo-runs; they are not part of the repository")
	}
	names := map[string]string{"reward/mean": metric.RewardMean, "policy/entropy": metric.Entropy}
	restarted := 0
	for _, file := range files {
		r := newRun(t, detect.Config{Method: "grpo"})
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(f)
		for n := 0; lines.Scan(); n++ {
			var raw map[string]float64
			if err := json.Unmarshal(lines.Bytes(), &raw); err != nil {
				t.Fatalf("%s line %d: %v", file, n+1, err)
			}
			values := row{}
			for key, x := range raw {
				if name, ok := names[key]; ok {
					values[name] = x
				}
			}
			r.add(values, func(s *detect.Sample) { s.Step, s.Digest = uint64(raw["step"]), [32]byte{byte(n), 1} })
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if r.engine.Attempts() > 1 {
			restarted++
		}
		for _, e := range r.events {
			if e.What == incident.Open && e.Severity == detect.Critical {
				t.Logf("%s: %s at step %d: %s", filepath.Base(file), e.Kind, e.Step, e.Detail)
			}
			if e.Kind == "non_finite" || e.Kind == "metric_invalid" {
				t.Errorf("%s: %s at step %d", filepath.Base(file), e.Kind, e.Step)
			}
		}
	}
	if restarted != 4 {
		t.Errorf("%d of %d logs restart, want 4", restarted, len(files))
	}
}
