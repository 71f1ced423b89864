package diagnose

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/provenir/provenir/cli/app"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// asked runs the verb as people do.
func asked(t *testing.T, stdin string, args ...string) (string, int, error) {
	t.Helper()
	var out bytes.Buffer
	a := &app.App{In: strings.NewReader(stdin), Out: &out, Err: t.Output(), Env: func(string) (string, bool) { return "", false }}
	root := &cobra.Command{Use: "provenir", SilenceErrors: true, SilenceUsage: true}
	a.Bind(root)
	root.AddCommand(NewCommand(a))
	root.SetArgs(append([]string{"--data", filepath.Join(t.TempDir(), "data"), "diagnose"}, args...))
	err := root.ExecuteContext(t.Context())
	return out.String(), app.Code(err), err
}

// steps is the log of a run whose reward stands still; from a step on its groups give no signal.
func steps(n, from int) string {
	var b strings.Builder
	for i := range n {
		zero := 0.1
		if i >= from {
			zero = 1
		}
		fmt.Fprintf(&b, `{"step":%d,"reward.mean":%g,"group.frac_zero_std":%g,"policy.entropy":1.5}`+"\n", i, 0.4+0.001*float64(i%3), zero)
	}
	return b.String()
}

func TestDiagnose(t *testing.T) {
	for _, c := range []struct {
		name, stdin string
		args        []string
		code        int
		decision    string
	}{
		{"one value", "", []string{"0.3"}, 3, "insufficient_evidence"},
		{"the top", "", []string{"1", "1", "1", "1", "1"}, 0, "raise_difficulty"},
		{"flat", "", []string{"0.3", "0.3", "0.3", "0.3", "0.3"}, 0, "collect_data"},
		{"rising", "", []string{"0.1", "0.2", "0.3", "0.4", "0.5", "0.6"}, 0, "continue"},
		{"negative", "", []string{"--reward-range", "2", "--", "-0.9", "-0.7", "-0.5", "-0.3", "-0.1"}, 0, "continue"},
		{"NaN", "", []string{"0.1", "NaN", "0.3"}, 0, "fix_reward"},
		{"an anomaly", "", []string{"0.3", "0.3", "0.3", "0.3", "0.3", "--anomaly", "kl_blowup"}, 0, "stabilize"},
		{"hacked", "", []string{"0.1", "0.2", "0.3", "0.4", "0.5", "--hacking-rate", "0.4", "--hacking-inspected", "100"}, 0, "fix_reward"},
		{"contaminated", "", []string{"0.3", "0.3", "0.3", "0.3", "0.3", "--contamination-rate", "0.1", "--data-age-days", "300"}, 0, "clean_eval"},
		{"a log", steps(60, 1000), []string{"--in", "-"}, 0, "collect_data"},
		{"a log without a signal", steps(60, 30), []string{"--in", "-"}, 0, "stabilize"},
		{"a log of one row", steps(1, 0), []string{"--in", "-"}, 3, "insufficient_evidence"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, code, err := asked(t, c.stdin, append([]string{"--json"}, c.args...)...)
			var d diagnosis
			if json.Unmarshal([]byte(out), &d) != nil || code != c.code || d.Decision != c.decision {
				t.Errorf("exit %d, %v, %s", code, err, out)
			}
			if (d.Confidence == nil) != (c.code == 3) || (d.DataRequest != nil) != (c.decision == "collect_data") {
				t.Errorf("%s", out)
			}
		})
	}
}

func TestWrongUse(t *testing.T) {
	for name, args := range map[string][]string{
		"nothing": {}, "a word among numbers": {"0.1", "x", "0.3"}, "two runs": {"a", "b"}, "both": {"0.1", "--in", "-"}, "no file": {"--in", "no-such-file"},
		"an unknown kind": {"0.1", "--anomaly", "entropy"}, "a share above 1": {"0.1", "--hacking-rate", "2"}, "a limit": {"0.1", "--limit", "nope=1"},
		"a limit without a number": {"0.1", "--limit", "hacking_rate_max=x"}, "rows of no rate": {"0.1", "--hacking-inspected", "3"}, "a run and anomalies": {"@last", "--anomaly", "kl_blowup"},
		"no such run": {"01hzzzzzzzzzzzzzzzzzzzzzzz"},
	} {
		if out, code, err := asked(t, "", args...); code != 2 || out != "" {
			t.Errorf("%s: exit %d, %v, %s", name, code, err, out)
		}
	}
}

// A log may be named without --in: a file is no run.
func TestALogByItsName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "metrics.jsonl")
	if err := os.WriteFile(file, []byte(steps(60, 30)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, code, err := asked(t, "", "--json", file)
	var d diagnosis
	if json.Unmarshal([]byte(out), &d) != nil || code != 0 || d.Decision != "stabilize" {
		t.Errorf("exit %d, %v, %s", code, err, out)
	}
	if _, code, err := asked(t, "", filepath.Dir(file)); code != 2 || err == nil {
		t.Errorf("a folder: exit %d, %v", code, err)
	}
}

func TestText(t *testing.T) {
	out, code, err := asked(t, "", "0.3", "0.3", "0.3", "0.3", "0.3", "--anomaly", "zero_signal")
	if code != 0 || !strings.Contains(out, "algorithm: stabilize (confidence 0.") || !strings.Contains(out, "dynamic sampling") || !strings.Contains(out, "explained by zero_signal") {
		t.Errorf("exit %d, %v, %s", code, err, out)
	}
}

// Attempts before the last one are left out, wrappers are opened, and what is not finite is kept as such.
func TestSeries(t *testing.T) {
	log := []logRow{{JSON: []byte(`{"step":5,"r":1}`)}, {JSON: []byte(`{"step":0,"data":{"r":0.5,"h":NaN}}`)}, {JSON: []byte(`{"step":1,"r":"x"}`)}, {JSON: []byte(`[`)}, {JSON: []byte(`{"step":2,"r":null}`)}}
	paid, heldout := seriesOf(log)
	if fmt.Sprint(paid, heldout) != "[0.5] [NaN]" {
		t.Errorf("%v %v", paid, heldout)
	}
}

// Real logs of public runs: every one gets a diagnosis.
func TestRealLogs(t *testing.T) {
	files, err := filepath.Glob("../../../shared/data/grpo-runs/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Skip("../shared/data/grpo-runs is not here")
	}
	for _, f := range files[:min(4, len(files))] {
		if _, err := os.Stat(f); err != nil {
			t.Fatal(err)
		}
		out, code, err := asked(t, "", "--json", "--in", f, "--engine", "tinker")
		var d diagnosis
		if json.Unmarshal([]byte(out), &d) != nil || code != 0 && code != 3 {
			t.Errorf("%s: exit %d, %v", f, code, err)
			continue
		}
		t.Logf("%s: %s, %s, %d steps, reward %s, held-out %s", filepath.Base(f), d.Category, d.Decision, d.Trend.N, d.Trend.Verdict, d.HeldoutTrend.Verdict)
	}
}

func FuzzNumbers(f *testing.F) {
	f.Add([]byte(`{"step":1,"data":{"a":NaN,"b":[1]}}`))
	f.Fuzz(func(_ *testing.T, row []byte) { numbers(row) })
}

func seriesOf(log []logRow) (paid, heldout []float64) {
	return series(log, &recorderv1.LogRoles{Proxy: "r", Heldout: "h"})
}
