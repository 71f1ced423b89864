package analyze_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/provenir/provenir/services/recorder/analyze"
	"github.com/provenir/provenir/services/recorder/detect"
)

type cells = map[string]any

// bare is a number that JSON has no token for and engines write anyway.
type bare string

func (b bare) MarshalJSON() ([]byte, error) { return json.Marshal("\x00" + string(b)) }

func text(t *testing.T, row cells) string {
	t.Helper()
	b, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	s := string(b)
	for _, token := range []string{"NaN", "Infinity", "-Infinity"} {
		s = strings.ReplaceAll(s, `"\u0000`+token+`"`, token)
	}
	return s
}

// healthyTRL is a run as TRL logs it: noise that hangs together (AR(1), φ 0.5), a reward that is learned, an entropy that
// anneals.
func healthyTRL(seed uint64, steps int) []cells {
	r, last := rand.New(rand.NewPCG(seed, 11)), map[string]float64{}
	noise := func(name string) float64 {
		last[name] = 0.5*last[name] + math.Sqrt(0.75)*r.NormFloat64()
		return last[name]
	}
	rows := make([]cells, steps)
	for i := range rows {
		x := float64(i)
		reward, length := 0.25+0.3*(1-math.Exp(-x/60))+0.012*noise("reward"), 180*math.Exp(0.04*noise("length"))
		low, high := max(0, 0.01+0.002*noise("low")), max(0, 0.015+0.003*noise("high"))
		rows[i] = cells{
			"step": i, "loss": 0.002 * noise("loss"), "grad_norm": 0.6 * math.Exp(0.15*noise("grad")), "learning_rate": 1e-6, "num_tokens": 30000 * (x + 1),
			"completions/mean_length": length, "completions/clipped_ratio": max(0, 0.06+0.015*noise("cut")), "completions/mean_terminated_length": 0.9 * length,
			"rewards/correct/mean": reward, "reward": reward, "reward_std": 0.3 + 0.015*noise("std"), "frac_reward_zero_std": 0.25 + 0.04*noise("zero"),
			"kl": 0.02 * math.Exp(0.15*noise("kl")), "entropy": 1.1 * math.Exp(-x/2500) * math.Exp(0.03*noise("entropy")),
			"clip_ratio/low_mean": low, "clip_ratio/high_mean": high, "clip_ratio/region_mean": low + high,
			"sampling/importance_sampling_ratio/mean": 1 + 0.004*noise("is"), "sampling/sampling_logp_difference/mean": 0.012 * math.Exp(0.1*noise("logp")),
			"mismatch.kl_k3": 8e-4 * math.Exp(0.1*noise("k3")), "ratio.max": 1.6 + 0.05*noise("ratio"), "step_time": 41 * math.Exp(0.08*noise("time")),
		}
	}
	return rows
}

// injection is a fault that is put into healthy rows from step `at` on.
type injection struct {
	name   string
	change func(row cells, since int) // since is 0 at the first faulty step
	rows   func(rows []cells, at int) []cells
	kind   string
	level  detect.Severity
	also   []string // other kinds that the fault means as well
}

func scale(key string, by func(since int) float64) func(cells, int) {
	return func(row cells, since int) {
		if x, ok := row[key].(float64); ok {
			row[key] = x * by(since)
		}
	}
}

func set(key string, v any) func(cells, int) { return func(row cells, _ int) { row[key] = v } }

func all(changes ...func(cells, int)) func(cells, int) {
	return func(row cells, since int) {
		for _, c := range changes {
			c(row, since)
		}
	}
}

func constantly(x float64) func(int) float64 { return func(int) float64 { return x } }

func growing(rate float64) func(int) float64 {
	return func(since int) float64 { return math.Pow(rate, float64(since+1)) }
}

func repeated(rows []cells, at int) []cells {
	again := maps.Clone(rows[at-1])
	for k, v := range rows[at] {
		if k != "step" && k != "progress/step" {
			again[k] = v
		}
	}
	return slices.Insert(rows, at, again)
}

func skipped(rows []cells, at int) []cells { return slices.Delete(rows, at-4, at) }

// found analyzes rows and gives the incidents of warn and above.
func found(t *testing.T, o analyze.Options, rows []cells) []analyze.Incident {
	t.Helper()
	lines := make([]string, len(rows))
	for i, r := range rows {
		lines[i] = text(t, r)
	}
	v, _ := log(t, o, lines...)
	return slices.DeleteFunc(v.Incidents, func(i analyze.Incident) bool { return i.Severity < detect.Warn })
}

// hit is how late a fault was seen, in steps.
type hit struct {
	onset  int64 // said, against the true one
	opened int64 // steps until it was told, the first faulty one included
}

// play injects a fault from row `at` on, which is step `at`, and checks what is found: the kind and its severity, an onset
// within 5 steps, and that nothing else is called a fault.
func play(t *testing.T, name string, base func() []cells, at int, in injection) hit {
	t.Helper()
	before := found(t, analyze.Options{}, base())
	rows := base()
	for i := at; i < len(rows) && in.change != nil; i++ {
		in.change(rows[i], i-at)
	}
	if in.rows != nil {
		rows = in.rows(rows, at)
	}
	first := int64(at)
	if in.kind == "step_repeat" {
		first-- // the step that came again is the one before
	}
	seen, got := false, hit{}
	for _, i := range found(t, analyze.Options{}, rows) {
		same := func(b analyze.Incident) bool { return b.Kind == i.Kind && b.Onset == i.Onset && b.Metric == i.Metric }
		switch {
		case slices.ContainsFunc(before, same):
			// An incident of the kind that was open, or had ended less than 20 steps ago, goes on: the fault has no onset of its own.
			seen = seen || i.Kind == in.kind && i.Opened < uint64(at) && (i.Resolved == nil || *i.Resolved >= uint64(at))
		case i.Kind != in.kind:
			if !slices.Contains(in.also, i.Kind) && !slices.ContainsFunc(before, func(b analyze.Incident) bool { return b.Kind == i.Kind }) {
				t.Errorf("%s: %s: %s as well, from step %d: %s", name, in.name, i.Kind, i.Onset, i.Detail)
			}
		case !seen:
			seen, got = true, hit{int64(i.Onset) - first, int64(i.Opened) - first + 1}
			if i.Severity != in.level || got.onset < -1 || got.onset > 5 {
				t.Errorf("%s: %s: %s is %s from step %d on; the fault begins at %d and is %s", name, in.name, in.kind, i.Severity, i.Onset, first, in.level)
			}
		}
	}
	if !seen {
		t.Errorf("%s: %s: no %s", name, in.name, in.kind)
	}
	return got
}

// line is the row of the document.
func (in injection) line(h hit) string {
	return fmt.Sprintf("| %s | `%s` | %s | %+d | %d |", in.name, in.kind, in.level, h.onset, h.opened)
}

const injectAt = 40

func trlInjections() []injection {
	nan := bare("NaN")
	return []injection{
		{name: "loss NaN", change: set("loss", nan), kind: "non_finite", level: detect.Critical},
		{name: "reward NaN for 3 steps", change: func(row cells, since int) {
			if since < 3 {
				row["reward"] = nan
			}
		}, kind: "non_finite", level: detect.Critical},
		{name: "grad_norm no longer logged", change: func(row cells, _ int) { delete(row, "grad_norm") }, kind: "metric_vanished", level: detect.Warn},
		{name: "reward no longer logged", change: func(row cells, _ int) { delete(row, "reward"); delete(row, "rewards/correct/mean") }, kind: "metric_vanished", level: detect.Critical},
		{name: "a step repeated with other content", rows: repeated, kind: "step_repeat", level: detect.Critical},
		{name: "4 steps missing", rows: skipped, kind: "step_gap", level: detect.Warn},
		{name: "KL in k1 instead of k3", change: func(row cells, since int) { row["kl"] = 0.02 - 0.05*float64(1+since%3) }, kind: "metric_invalid", level: detect.Warn},
		{name: "share as a percentage", change: scale("completions/clipped_ratio", constantly(100)), kind: "metric_invalid", level: detect.Warn, also: []string{"truncation"}},
		{name: "reward as a percentage", change: all(scale("reward", constantly(100)), scale("reward_std", constantly(100))), kind: "reward_spike", level: detect.Warn},
		{name: "length × 1.5 a step", change: all(scale("completions/mean_length", growing(1.5)), scale("completions/mean_terminated_length", growing(1.5))), kind: "length_explosion", level: detect.Warn},
		{name: "length falls to a fifth", change: scale("completions/mean_length", constantly(0.2)), kind: "length_collapse", level: detect.Warn},
		{name: "clipped share × 1.6 a step, to 60 %", change: all(scale("clip_ratio/region_mean", func(s int) float64 { return min(math.Pow(1.6, float64(s+1)), 24) })), kind: "clip_high", level: detect.Warn},
		{name: "ratio × 1.5 a step", change: scale("ratio.max", growing(1.5)), kind: "ratio_insane", level: detect.Warn},
		{name: "importance ratio × 1.3 a step", change: scale("sampling/importance_sampling_ratio/mean", growing(1.3)), kind: "mismatch_is", level: detect.Warn},
		{name: "k3 of the mismatch × 2 a step", change: scale("mismatch.kl_k3", func(s int) float64 { return min(math.Pow(2, float64(s+1)), 1000) }), kind: "mismatch_kl", level: detect.Warn},
		{name: "difference of log-probabilities × 20", change: scale("sampling/sampling_logp_difference/mean", constantly(20)), kind: "mismatch_logp", level: detect.Warn},
		{name: "verifier out, rewards 0, steps 5 × as fast", change: all(set("reward", 0.0), set("reward_std", 0.0), set("rewards/correct/mean", 0.0), scale("step_time", constantly(0.2))),
			kind: "reward_outage", level: detect.Critical, also: []string{"reward_spike", "reward_std_collapse", "reward_decline"}},
		{name: "verifier out, rewards null", change: all(set("reward", nil), set("reward_std", nil), set("rewards/correct/mean", nil)),
			kind: "reward_outage", level: detect.Critical, also: []string{"metric_vanished"}},
		{name: "all rewards equal", change: all(set("frac_reward_zero_std", 1.0), set("reward_std", 0.0)), kind: "zero_signal", level: detect.Critical, also: []string{"reward_std_collapse"}},
		{name: "entropy halves", change: scale("entropy", constantly(0.45)), kind: "entropy_collapse", level: detect.Critical, also: []string{"entropy_drift"}},
		{name: "KL × 1.15 a step, to 0.4", change: scale("kl", func(s int) float64 { return min(math.Pow(1.15, float64(s+1)), 20) }), kind: "kl_creep", level: detect.Warn},
		{name: "KL × 200", change: scale("kl", constantly(200)), kind: "kl_blowup", level: detect.Critical},
		{name: "gradient × 300", change: scale("grad_norm", constantly(300)), kind: "grad_explosion", level: detect.Critical, also: []string{"grad_high"}},
		{name: "every rollout cut", change: all(set("completions/clipped_ratio", 1.0), set("completions/mean_terminated_length", 0.0)), kind: "truncation", level: detect.Critical, also: []string{"metric_vanished"}},
		{name: "steps 20 × as slow", change: scale("step_time", constantly(20)), kind: "throughput_stall", level: detect.Warn},
	}
}

// Every fault in a synthetic TRL log is found as what it is, at once.
func TestInjectionTRL(t *testing.T) {
	base := func() []cells { return healthyTRL(1, 80) }
	if got := found(t, analyze.Options{}, base()); len(got) > 0 {
		t.Fatalf("the healthy log has %v", got)
	}
	var table []string
	for _, in := range trlInjections() {
		table = append(table, in.line(play(t, "TRL", base, injectAt, in)))
	}
	documented(t, table)
}

func documented(t *testing.T, table []string) {
	t.Helper()
	doc, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "detectors.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range table {
		if !strings.Contains(string(doc), line+"\n") {
			t.Errorf("docs/detectors.md lacks the measured line\n%s", line)
		}
	}
}
