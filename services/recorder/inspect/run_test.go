package inspect_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/inspect"
)

type event struct {
	kind    ledger.RecordType
	payload []byte
}

// sampled is what a policy writes at a step.
type sampled struct {
	prompt, text string
	reward       float64
	tamper       string
	unjudged     bool
}

func bytesOf(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func eventsOf(t testing.TB, step uint64, branch uint32, rows []sampled) []event {
	var out, verdicts []event
	for i, s := range rows {
		id := fmt.Sprintf("s%d.%d.%d", branch, step, i)
		r := &corev1.Rollout{RolloutId: id, Segments: []*corev1.Segment{
			{Kind: corev1.SegmentKind_SEGMENT_KIND_PROMPT, Text: []byte(s.prompt)}, {Kind: corev1.SegmentKind_SEGMENT_KIND_MODEL, Text: []byte(s.text)}}}
		out = append(out, event{ledger.Rollout, bytesOf(t, r)})
		v := &corev1.Verdict{RolloutId: id, Verdict: &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: s.reward, Passed: s.reward > 0.5}}}
		if s.tamper != "" {
			v.Execution = &corev1.Execution{Tamper: []string{s.tamper}}
		}
		if !s.unjudged {
			verdicts = append(verdicts, event{ledger.Verdict, bytesOf(t, v)})
		}
	}
	facts := bytesOf(t, &corev1.StepFacts{Step: step, Branch: branch})
	return append(append(out, verdicts...), event{ledger.Step, bytesOf(t, &corev1.StepRecord{Facts: facts, Chain: make([]byte, 32)})})
}

// honest are 64 answers of many kinds, and their rewards follow nothing.
func honest(step int) []sampled {
	var out []sampled
	for i := range 64 {
		words := make([]string, 0, 30)
		for k := range 10 + (i*7+step)%20 {
			words = append(words, fmt.Sprintf("w%d", (i*131+k*17+step*7)%997))
		}
		out = append(out, sampled{prompt: fmt.Sprint("question ", i/8), text: strings.Join(words, " "), reward: float64((i*5 + step) % 2)})
	}
	return out
}

// worse changes the first n of honest rows.
func worse(step, n int, change func(i int, s *sampled)) []sampled {
	rows := honest(step)
	for i := range n {
		change(i, &rows[i])
	}
	return rows
}

func observe(r *inspect.Run, t *inspect.Tools, from uint64, events []event) (out []incident.Event) {
	for i, e := range events {
		out = append(out, r.Observe(t, from+uint64(i), e.kind, e.payload)...)
	}
	return slices.Clone(out)
}

func TestWhatIsFoundOfRollouts(t *testing.T) {
	template := "the answer follows from the usual steps as was shown many times before in this very text"
	tests := []struct {
		name   string
		rows   func(step int) []sampled // from step 10 on
		kind   string
		level  detect.Severity
		within uint64
	}{
		{name: "honest", rows: honest},
		{"one tampers in six", func(s int) []sampled {
			return worse(s, 11, func(_ int, x *sampled) { x.tamper, x.reward = "early_exit", 1 })
		}, "hack_rate", detect.Critical, 8},
		{"one tampers in sixteen", func(s int) []sampled {
			return worse(s, 4, func(_ int, x *sampled) { x.tamper, x.reward = "early_exit", 1 })
		}, "hack_rate", detect.Warn, 8},
		{"code that leaves before the tests", func(s int) []sampled {
			return worse(s, 20, func(_ int, x *sampled) { x.text = "```python\nimport sys\nsys.exit(0)\n```" })
		}, "hack_rate", detect.Critical, 8},
		{"half repeat themselves", func(s int) []sampled {
			return worse(s, 32, func(_ int, x *sampled) { x.text = strings.Repeat("ha", 900) })
		}, "degenerate_share", detect.Critical, 8},
		{"long answers are paid", func(s int) []sampled {
			return worse(s, 64, func(_ int, x *sampled) { x.reward = float64(len(x.text)) / 200 })
		}, "length_reward_corr", detect.Warn, 10},
		{"one text for all questions", func(s int) []sampled {
			return worse(s, 50, func(_ int, x *sampled) { x.text = template })
		}, "template_reuse", detect.Warn, 8},
		{"one text for one question is no template", func(s int) []sampled {
			return worse(s, 8, func(_ int, x *sampled) { x.text = template })
		}, "", detect.None, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, tools, seq := inspect.New("run"), inspect.NewTools(), uint64(0)
			var got []incident.Event
			for step := range 25 {
				rows := honest(step)
				if step >= 10 {
					rows = tt.rows(step)
				}
				e := eventsOf(t, uint64(step), 0, rows)
				got = append(got, observe(r, tools, seq, e)...)
				seq += uint64(len(e))
			}
			if tt.kind == "" {
				if len(got) > 0 {
					t.Errorf("found %+v", got)
				}
				return
			}
			if len(got) == 0 || got[0].What != incident.Open {
				t.Fatalf("nothing was opened: %+v", got)
			}
			worst := detect.None
			for _, e := range got {
				if e.Kind != tt.kind {
					t.Errorf("also found %s: %s", e.Kind, e.Detail)
				}
				worst = max(worst, e.Severity)
			}
			if worst != tt.level || got[0].Step < 10 || got[0].Step > 10+tt.within {
				t.Errorf("severity %v at step %d: %s", worst, got[0].Step, got[0].Detail)
			}
		})
	}
}

// Stored at the end of any step and taken up, with the events of the step after it given again from there, the state is
// byte-equal to never having stopped.
func TestARestartChangesNothing(t *testing.T) {
	var log []event
	for step := range 14 {
		log = append(log, eventsOf(t, uint64(step), 0, worse(step, step, func(i int, x *sampled) {
			x.tamper, x.unjudged = "early_exit", i%3 == 2
		}))...)
	}
	log = append(log, eventsOf(t, 9, 1, honest(3))...) // a rollback
	whole, tools := inspect.New("run"), inspect.NewTools()
	want := observe(whole, tools, 0, log)
	end, err := whole.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []int{0, 1, 40, 128, 129, 700, len(log)} {
		first, tools := inspect.New("run"), inspect.NewTools()
		got := observe(first, tools, 0, log[:cut])
		b, err := first.Snapshot()
		if err != nil {
			t.Fatal(err)
		}
		again, err := inspect.Restore("run", b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, observe(again, inspect.NewTools(), again.Next(), log[again.Next():])...)
		if b, err := again.Snapshot(); err != nil || !bytes.Equal(b, end) {
			t.Errorf("cut at %d: another state, %v", cut, err)
		}
		if len(got) != len(want) {
			t.Errorf("cut at %d: %d findings, not %d", cut, len(got), len(want))
		}
		if again.Observe(inspect.NewTools(), 3, ledger.Step, log[3].payload) != nil {
			t.Error("an event that was observed counted again")
		}
	}
	if len(end) > 24<<10 {
		t.Errorf("the state has %d bytes", len(end))
	}
}

func TestWhatWasNotSeenIsUnchecked(t *testing.T) {
	r, tools := inspect.New("run"), inspect.NewTools()
	if got := r.Unchecked(); !slices.Equal(got, detect.OfRollouts()) {
		t.Errorf("unchecked %v", got)
	}
	few := []sampled{{prompt: "a", text: "42", reward: 1}, {prompt: "b", text: "43"}}
	e := eventsOf(t, 0, 0, few)
	observe(r, tools, 0, e)
	if got := r.Unchecked(); !slices.Equal(got, []string{"length_reward_corr", "template_reuse"}) {
		t.Errorf("unchecked %v", got)
	}
	if r.Totals().Inspected != 2 || r.Totals().Hacked != 0 {
		t.Errorf("totals %+v", r.Totals())
	}
	large := bytesOf(t, &corev1.Rollout{RolloutId: "x", Blobs: []*corev1.BlobRef{{SizeBytes: 1}}})
	next := r.Next()
	observe(r, tools, next, []event{{ledger.Rollout, []byte("\xff")}, {ledger.Rollout, large}, {ledger.Verdict, []byte("\xff")},
		{ledger.Rollout, nil}, {ledger.Step, []byte("\xff")}, {ledger.Step, nil}})
	if r.Totals().Inspected != 2 || r.Next() != next+6 {
		t.Errorf("rollouts that cannot be read count as inspected: %+v", r.Totals())
	}
	if _, err := inspect.Restore("run", []byte("{")); err == nil {
		t.Error("a broken state was taken up")
	}
}

// A skipped step leaves no half behind.
func TestSkipping(t *testing.T) {
	r, tools := inspect.New("run"), inspect.NewTools()
	e := eventsOf(t, 0, 0, honest(0))
	observe(r, tools, 0, e[:70])
	r.Drop(tools)
	r.Skip(uint64(len(e)))
	observe(r, tools, uint64(len(e)), eventsOf(t, 1, 0, honest(1)))
	if got := r.Totals().Inspected; got != 64 {
		t.Errorf("%d inspected, want the 64 of the second step", got)
	}
}

// BenchmarkObserve is a rollout of an honest step, its verdict and its share of the step.
func BenchmarkObserve(b *testing.B) {
	rows := honest(1)
	for i := range rows {
		rows[i].text = strings.Repeat(rows[i].text+"\n", 12)
	}
	r, tools, seq := inspect.New("run"), inspect.NewTools(), uint64(0)
	e := eventsOf(b, 0, 0, rows)
	b.ReportAllocs()
	for b.Loop() {
		observe(r, tools, seq, e)
		seq += uint64(len(e))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/rollout")
}
