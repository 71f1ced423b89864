package analyze_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/provenir/provenir/services/recorder/analyze"
	"github.com/provenir/provenir/services/recorder/detect"
)

// lines reads a file of ../shared/data, or skips.
func lines(t *testing.T, file string) [][]byte {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "..", "shared", "data", file))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no ../shared/data/" + file + "; it is not part of the repository")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out [][]byte
	in := bufio.NewScanner(f)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		out = append(out, slices.Clone(in.Bytes()))
	}
	if in.Err() != nil || len(out) == 0 {
		t.Fatalf("%s: %d lines, %v", file, len(out), in.Err())
	}
	return out
}

// read analyzes a file of ../shared/data.
func read(t *testing.T, file string, o analyze.Options) analyze.Verdict {
	t.Helper()
	s, err := analyze.New(o)
	if err != nil {
		t.Fatal(err)
	}
	for n, line := range lines(t, file) {
		if _, err := s.Row(uint64(n+1), line); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	return s.Verdict()
}

// parsed are a file's rows, to be changed.
func parsed(t *testing.T, file string) []cells {
	t.Helper()
	var rows []cells
	for _, line := range lines(t, file) {
		var c cells
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, c)
	}
	return rows
}

// Logs that TRL, Unsloth and verl wrote while they trained tiny models. Nothing was wrong in most of them; the others were
// made with a reward that is None, NaN or infinite.
func TestEngineLogs(t *testing.T) {
	healthy := []string{"dpo-full", "dpo-lora", "grpo-async-t1", "grpo-async", "grpo-eval", "grpo-log5", "grpo-lora-kl", "grpo-none-scattered",
		"grpo-stop-at-4", "grpo-sync-t1", "grpo-sync", "grpo-two-funcs-kl", "sft-full", "sft-lora", "unsloth-grpo", "unsloth-sft", "verl-file"}
	var steps uint64
	warnings := 0
	for _, name := range healthy {
		v := read(t, filepath.Join("engine-logs", name+".jsonl"), analyze.Options{})
		steps += v.Steps
		for _, i := range v.Incidents {
			switch i.Severity {
			case detect.Critical:
				t.Errorf("%s is healthy: %s at step %d: %s", name, i.Kind, i.Opened, i.Detail)
			case detect.Warn:
				warnings++
				t.Logf("%s: %s at step %d: %s", name, i.Kind, i.Opened, i.Detail)
			case detect.Info, detect.None:
			}
		}
		if v.Problems > 0 || v.Engine == "unknown" {
			t.Errorf("%s: engine %s, %d problems", name, v.Engine, v.Problems)
		}
	}
	t.Logf("%d warnings in %d steps", warnings, steps)
	if warnings*100 > int(steps) {
		t.Errorf("%d warnings in %d steps of healthy logs", warnings, steps)
	}
}

func TestEngineLogsWithFaults(t *testing.T) {
	type fault struct {
		kind, metric string
		level        detect.Severity
		onset        uint64
	}
	for name, want := range map[string][]fault{
		// A reward that is NaN or None in every row reaches the log as null: no rollout of the step was scored.
		"grpo-nan":     {{"reward_outage", "", detect.Critical, 1}},
		"grpo-allnone": {{"reward_outage", "", detect.Critical, 1}},
		"grpo-inf": {{"non_finite", "raw.rewards/infr/std", detect.Warn, 1}, {"non_finite", "reward.component.infr", detect.Warn, 1},
			{"non_finite", "reward.mean", detect.Critical, 1}, {"non_finite", "reward.std_batch", detect.Warn, 1}},
		"grpo-none-groups": {{"reward_outage", "", detect.Critical, 9}}, // the only step in which both groups had none
	} {
		v := read(t, filepath.Join("engine-logs", name+".jsonl"), analyze.Options{})
		var got []fault
		for _, i := range v.Incidents {
			if i.Severity >= detect.Warn {
				got = append(got, fault{i.Kind, i.Metric, i.Severity, i.Onset})
			}
		}
		if !slices.Equal(got, want) || v.Verdict != "critical" {
			t.Errorf("%s: %s, %v; want %v", name, v.Verdict, got, want)
		}
	}
}
