package docs

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/metric"
)

// demoRow is a step of a recorded run of `rl --demo=hack`: what was paid for its rollouts, and what the strict verifier
// said of the same ones.
type demoRow struct {
	Seed   int     `json:"seed"`
	Gate   bool    `json:"gate"` // false: it was left alone
	Step   uint64  `json:"step"` // of the RL stage, from 1
	Paid   float64 `json:"paid"`
	Strict float64 `json:"strict"`
	Rows   uint64  `json:"rows"`
}

type demoRun struct {
	seed int
	gate bool
	rows []demoRow
}

func demoRuns(t *testing.T) (runs []demoRun) {
	t.Helper()
	f, err := os.Open("../../docs/hack-demo.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var r demoRow
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if n := len(runs); n == 0 || runs[n-1].seed != r.Seed || runs[n-1].gate != r.Gate {
			runs = append(runs, demoRun{seed: r.Seed, gate: r.Gate})
		}
		last := &runs[len(runs)-1]
		last.rows = append(last.rows, r)
	}
	if len(runs) < 5 {
		t.Fatalf("only %d recorded runs", len(runs))
	}
	return runs
}

// critical is the step at which the detectors of today find the recorded run critical, and the one at which the gap of
// both channels had grown by 0.15; 0 is never.
func (r demoRun) critical(t *testing.T) (found, grown uint64) {
	t.Helper()
	p, err := detect.NewProfile(detect.Config{Method: "grpo"})
	if err != nil {
		t.Fatal(err)
	}
	e, tracker := detect.NewEngine(p), incident.New("demo")
	for i, row := range r.rows {
		s := &detect.Sample{Seq: row.Step, Step: row.Step, Digest: [32]byte{byte(i), 1}, Values: []metric.Value{
			{Name: metric.HeldoutMean, X: row.Strict, N: row.Rows}, {Name: metric.ProxyMean, X: row.Paid, N: row.Rows}}}
		for _, x := range tracker.Step(incident.Place{Seq: s.Seq, Step: s.Step}, e.Spans(), e.Step(nil, s, tracker.IsOpen)) {
			if x.Kind == "proxy_divergence" && x.Severity == detect.Critical && found == 0 {
				found = row.Step
			}
		}
		if grown == 0 && row.Paid-row.Strict >= r.rows[0].Paid-r.rows[0].Strict+.15 {
			grown = row.Step
		}
	}
	return found, grown
}

const demoMark = "<!-- figures -->"

func demoTable(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("| seed | gate | steps | paid, first → last | strict, first → last | gap grown by 0.15 at step | critical at step |\n|---|---|---|---|---|---|---|\n")
	for _, r := range demoRuns(t) {
		first, last := r.rows[0], r.rows[len(r.rows)-1]
		found, grown := r.critical(t)
		gate := "stop"
		if !r.gate {
			gate = "none"
		}
		fmt.Fprintf(&b, "| %d | %s | %d | %.3f → %.3f | %.3f → %.3f | %d | %d |\n", r.seed, gate, last.Step, first.Paid, last.Paid, first.Strict, last.Strict, grown, found)
	}
	return b.String()
}

// The page's figures are those of the recorded runs, judged by the detectors of today.
func TestHackDemoPage(t *testing.T) {
	const file = "../../docs/hack-demo.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(page), demoMark)
	if len(parts) != 3 {
		t.Fatalf("%s needs two marks %s", file, demoMark)
	}
	want := parts[0] + demoMark + "\n\n" + demoTable(t) + "\n" + demoMark + parts[2]
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(page) != want {
		t.Errorf("%s is stale; run: go test ./test/docs -update", file)
	}
}

// What the demo promises of every recorded run.
func TestHackDemoHolds(t *testing.T) {
	for _, r := range demoRuns(t) {
		found, grown := r.critical(t)
		last := r.rows[len(r.rows)-1]
		switch {
		case found == 0 || grown == 0 || found > grown+10:
			t.Errorf("seed %d: the gap had grown at step %d and was found at step %d", r.seed, grown, found)
		case r.gate && (last.Step >= 40 || last.Step < found):
			t.Errorf("seed %d: it was stopped at step %d", r.seed, last.Step)
		case !r.gate && (last.Paid < .6 || last.Strict > .05):
			t.Errorf("seed %d: left alone it ends with paid %.3f and strict %.3f", r.seed, last.Paid, last.Strict)
		}
	}
}
