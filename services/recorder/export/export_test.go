package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/services/recorder/metric"
)

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// nasty is a key as an engine may write it.
const nasty = "raw.a,\"b\"\n=1+1<script>alert(1)</script>\\ü"

func value(name string, x float64, tags metric.Tags) metric.Value {
	return metric.Value{Name: name, X: x, Tags: tags}
}

// points of two attempts; the second begins before the end of the first, has a scope and has lost its times.
func points() []Point {
	return []Point{
		{0, 0, value("reward.mean", 0.1, metric.Tags{Reduction: "batch_mean"}), began},
		{0, 0, metric.Value{Name: nasty, Raw: "a", X: 7, N: 12}, began},
		{0, 1, value("reward.mean", math.NaN(), metric.Tags{Reduction: "batch_mean"}), began.Add(1500 * time.Millisecond)},
		{0, 1, value("optim.grad_norm", math.Inf(1), metric.Tags{}), began.Add(1500 * time.Millisecond)},
		{0, 2, value("reward.mean", 1.0/3, metric.Tags{Reduction: "batch_mean"}), began.Add(3 * time.Second)},
		{1, 1, value("reward.mean", -0.25, metric.Tags{Reduction: "batch_mean"}), time.Time{}},
		{1, 1, value("reward.mean", 0.75, metric.Tags{Scope: "eval"}), time.Time{}},
		{1, 1, value("optim.grad_norm", math.Inf(-1), metric.Tags{}), time.Time{}},
	}
}

func run() *Run {
	three := uint64(3)
	return &Run{ID: "run-1", Points: all(points()),
		Summary: &recorderv1.RunSummary{Verdict: "degraded", Steps: 4, Rollouts: 16, Attempts: 2, Unchecked: []string{"hack_rate"},
			Counts: []*recorderv1.KindCount{{Kind: "kl_blowup", Severity: corev1.Severity_SEVERITY_WARN, Incidents: 1}}},
		Incidents: []Incident{{ID: "i1", Kind: "kl_blowup", Metric: "kl.ref", Severity: corev1.Severity_SEVERITY_WARN, Onset: 1, Opened: 2, Resolved: &three, Detail: "KL rose"}},
	}
}

func all(ps []Point) iter.Seq2[Point, error] {
	return func(yield func(Point, error) bool) {
		for _, p := range ps {
			if !yield(p, nil) {
				return
			}
		}
	}
}

func write(t testing.TB, name string, r *Run) []byte {
	t.Helper()
	f, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestCSV(t *testing.T) {
	text := write(t, "csv", run())
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 1+len(points()) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, want := range [][]string{
		columns,
		{"0", "0", "reward.mean", "", "0.1", "", "", "batch_mean", "", "", "", "2026-03-01T12:00:00Z"},
		{"0", "0", nasty, "", "7", "", "", "", "", "12", "a", "2026-03-01T12:00:00Z"},
		{"0", "1", "reward.mean", "", "", "NaN", "", "batch_mean", "", "", "", "2026-03-01T12:00:01.5Z"},
		{"0", "1", "optim.grad_norm", "", "", "Infinity", "", "", "", "", "", "2026-03-01T12:00:01.5Z"},
		{"0", "2", "reward.mean", "", "0.3333333333333333", "", "", "batch_mean", "", "", "", "2026-03-01T12:00:03Z"},
		{"1", "1", "reward.mean", "", "-0.25", "", "", "batch_mean", "", "", "", ""},
		{"1", "1", "reward.mean", "eval", "0.75", "", "", "", "", "", "", ""},
		{"1", "1", "optim.grad_norm", "", "", "-Infinity", "", "", "", "", "", ""},
	} {
		if !slices.Equal(rows[i], want) {
			t.Errorf("row %d is %q, want %q", i, rows[i], want)
		}
	}
	if !bytes.HasSuffix(text, []byte("\r\n")) || !bytes.HasPrefix(text, []byte("attempt,step,metric,scope,value,non_finite,")) {
		t.Errorf("the file is %q", text)
	}
}

// A key comes back as it was written, whatever is in it; only what encoding/csv's reader itself folds is left out.
func FuzzCSVRow(f *testing.F) {
	f.Add("a", nasty)
	f.Add(" ", "\"")
	f.Fuzz(func(t *testing.T, a, b string) {
		if strings.ContainsRune(a+b, '\r') {
			t.Skip("the reader folds CRLF inside of a field to LF")
		}
		var out bytes.Buffer
		if err := csvRow(&out, []string{a, b, "end"}); err != nil {
			t.Fatal(err)
		}
		got, err := csv.NewReader(&out).Read()
		if err != nil || !slices.Equal(got, []string{a, b, "end"}) {
			t.Errorf("%q, %v", got, err)
		}
	})
}

func TestJSONL(t *testing.T) {
	lines := strings.Split(strings.TrimSuffix(string(write(t, "jsonl", run())), "\n"), "\n")
	if len(lines) != 2+len(points()) {
		t.Fatalf("%d lines", len(lines))
	}
	if want := `{"type":"run","run":"run-1","verdict":"degraded","complete":false,"steps":4,"attempts":2,"unchecked":["hack_rate"]}`; lines[0] != want {
		t.Errorf("head %s", lines[0])
	}
	if want := `{"type":"incident","incident":"i1","kind":"kl_blowup","severity":"warn","metric":"kl.ref","attempt":0,"onset_step":1,"opened_step":2,"resolved_step":3,"detail":"KL rose"}`; lines[1] != want {
		t.Errorf("incident %s", lines[1])
	}
	for i, p := range points() {
		var got jsonPoint
		if err := json.Unmarshal([]byte(lines[2+i]), &got); err != nil {
			t.Fatal(err)
		}
		if got.Metric != p.Name || got.Attempt != p.Attempt || got.Step != p.Step || (got.Value != nil) != p.Finite() || got.NonFinite != nonFinite(p.X) ||
			got.Value != nil && *got.Value != p.X {
			t.Errorf("point %d reads back as %+v", i, got)
		}
	}
}

func TestParquet(t *testing.T) {
	b := write(t, "parquet", run())
	rows, err := parquet.Read[parquetRow](bytes.NewReader(b), int64(len(b)))
	if err != nil || len(rows) != len(points()) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, p := range points() {
		r := rows[i]
		if r.Metric != p.Name || r.Step != int64(p.Step) || r.Attempt != int32(p.Attempt) || (r.Value == nil) == p.Finite() || (r.NonFinite == nil) != p.Finite() ||
			r.Value != nil && *r.Value != p.X || (r.RecordedAt == nil) != p.At.IsZero() || r.RecordedAt != nil && !r.RecordedAt.Equal(p.At) {
			t.Errorf("row %d reads back as %+v", i, r)
		}
	}
}

func TestOpenMetrics(t *testing.T) {
	text := write(t, "openmetrics", run())
	if !bytes.HasSuffix(text, []byte("\n# EOF\n")) || bytes.Count(text, []byte("# EOF")) != 1 {
		t.Errorf("the end is missing:\n%s", text)
	}
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	got := map[string]float64{}
	for _, m := range families["provenir_reward_mean"].GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		got[labels["attempt"]+labels["scope"]] = m.GetGauge().GetValue()
		if labels["metric"] != "reward.mean" || labels["run"] != "" {
			t.Errorf("labels %v", labels)
		}
	}
	if len(got) != 3 || got["0"] != 1.0/3 || got["1"] != -0.25 || got["1eval"] != 0.75 {
		t.Errorf("newest rewards %v", got)
	}
	if x := families["provenir_optim_grad_norm"].GetMetric(); len(x) != 2 || !math.IsInf(x[0].GetGauge().GetValue(), 1) || !math.IsInf(x[1].GetGauge().GetValue(), -1) {
		t.Errorf("what is not finite: %v", x)
	}
	found := false
	for name, f := range families {
		for _, l := range f.GetMetric()[0].GetLabel() {
			found = found || l.GetName() == "metric" && l.GetValue() == nasty && strings.HasPrefix(name, "provenir_raw_a")
		}
	}
	if !found {
		t.Errorf("the engine's own key is not there:\n%s", text)
	}
}

func TestLookup(t *testing.T) {
	var unknown *UnknownError
	if _, err := Lookup("xlsx"); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "parquet") {
		t.Errorf("a format of nobody: %v", err)
	}
	for name, do := range map[string]string{"wandb": "--format wandb", "mlflow": "--to", "otlp": "--to"} {
		var away *UnavailableError
		if _, err := Lookup(name); !errors.As(err, &away) || !strings.Contains(err.Error(), do) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Damage in the log, and a reader who went away, end every writer with that error.
func TestEveryFormatPassesErrorsOn(t *testing.T) {
	damage := errors.New("record 7 is damaged")
	for _, f := range Formats() {
		if f.Name == "html" {
			continue // it draws the charts that it is given
		}
		r := run()
		r.Points = func(yield func(Point, error) bool) {
			if yield(points()[0], nil) {
				yield(Point{}, damage)
			}
		}
		if err := f.Write(&bytes.Buffer{}, r); !errors.Is(err, damage) {
			t.Errorf("%s over damage: %v", f.Name, err)
		}
	}
	for _, f := range Formats() {
		if err := f.Write(broken{}, run()); !errors.Is(err, errBroken) {
			t.Errorf("%s to a reader who left: %v", f.Name, err)
		}
	}
}

var errBroken = errors.New("gone")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestFold(t *testing.T) {
	const open, escalate, resolve = recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN, recorderv1.IncidentEvent_INCIDENT_EVENT_ESCALATE, recorderv1.IncidentEvent_INCIDENT_EVENT_RESOLVE
	a := func(id string, step uint64, e recorderv1.IncidentEvent, s corev1.Severity, detail string) *recorderv1.Anomaly {
		return &recorderv1.Anomaly{Incident: id, Step: step, OnsetStep: 2, Event: e, Severity: s, Detail: detail, Kind: "k", Evidence: []*recorderv1.Evidence{{Metric: "m"}}}
	}
	got := Fold([]*recorderv1.Anomaly{
		a("x", 3, open, 2, "warn"), a("y", 4, open, 1, "info"), a("x", 5, escalate, 3, "worst"), a("x", 9, resolve, 3, "over"), a("y", 6, resolve, 1, ""), a("y", 8, open, 1, ""),
	})
	if len(got) != 2 || got[0].Severity != 3 || got[0].Detail != "worst" || got[0].Opened != 3 || got[0].Resolved == nil || *got[0].Resolved != 9 || got[0].Metric != "m" {
		t.Errorf("x is %+v", got[0])
	}
	if got[1].Resolved != nil || got[1].Detail != "info" {
		t.Errorf("y opened again and is %+v", got[1])
	}
}
