package recorder

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/internal/rpc"
)

// hackedRun is a run in which a third of the rollouts of the steps from on leave before the tests are done.
func hackedRun(t testing.TB, steps, from int) []*recorderv1.Record {
	t.Helper()
	recs := []*recorderv1.Record{{Type: recorderv1.RecordType_RECORD_TYPE_RUN_OPEN}}
	add := func(typ recorderv1.RecordType, m proto.Message) {
		recs = append(recs, &recorderv1.Record{Type: typ, Payload: marshal(t, m)})
	}
	for step := range steps {
		for i := range 12 {
			add(recorderv1.RecordType_RECORD_TYPE_ROLLOUT, &corev1.Rollout{RolloutId: fmt.Sprintf("r%d.%d", step, i), Step: uint64(step), Segments: []*corev1.Segment{
				{Kind: corev1.SegmentKind_SEGMENT_KIND_MODEL, Text: fmt.Appendf(nil, "answer %d of step %d", i, step)}}})
		}
		for i := range 12 {
			v := &corev1.Verdict{RolloutId: fmt.Sprintf("r%d.%d", step, i), Verdict: &corev1.Verdict_Scored{Scored: &corev1.Scored{Reward: 1, Passed: true}}}
			if step >= from && i%3 == 0 {
				v.Execution = &corev1.Execution{Tamper: []string{"early_exit"}}
			}
			add(recorderv1.RecordType_RECORD_TYPE_VERDICT, v)
		}
		add(recorderv1.RecordType_RECORD_TYPE_STEP, &corev1.StepRecord{Facts: marshal(t, &corev1.StepFacts{Step: uint64(step)}), Chain: make([]byte, 32)})
	}
	recs = append(recs, &recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE, Payload: []byte("done")})
	for i := range recs {
		recs[i].Seq = uint64(i)
	}
	return recs
}

const perStep = 25 // records

// steps appends records in frames of one step.
func (r *rig) steps(run string, strict bool, recs []*recorderv1.Record) (told []*recorderv1.Anomaly) {
	r.t.Helper()
	for page := range slices.Chunk(recs, perStep) {
		resp, err := r.client.AppendBatch(context.Background(), &recorderv1.AppendBatchRequest{Run: run, Epoch: 1, Log: recorderv1.Log_LOG_EVENTS,
			Records: page, Spec: &recorderv1.RecorderSpec{Method: "grpo", HackingStrict: strict}})
		if err != nil {
			r.t.Fatal(err)
		}
		told = append(told, resp.GetFindings()...)
	}
	return told
}

// A strict run's findings come with the acknowledgement of the step that showed them, so that a gate may decide on them.
func TestAStrictRunIsToldAtOnce(t *testing.T) {
	recs := hackedRun(t, 20, 8)
	r := newRig(t).start()
	told := r.steps("strict", true, recs)
	if len(told) == 0 || told[0].GetKind() != "hack_rate" || told[0].GetStep() < 8 || told[0].GetStep() > 12 {
		t.Fatalf("told %v", told)
	}
	sum := r.summary("strict")
	if sum.GetInspected() != 240 || sum.GetHacked() != 48 || sum.GetVerdict() != "critical" || slices.Contains(sum.GetUnchecked(), "hack_rate") {
		t.Errorf("summary %v", sum)
	}
	// The step is sent again, as by a writer that was killed before its gate decided.
	at := told[0].GetSeq()
	again := r.steps("strict", true, recs[at:at+1])
	if len(again) != 1 || again[0].GetUid() != told[0].GetUid() {
		t.Errorf("told again %v", again)
	}
}

// Killed or not, a strict run finds the same, wherever in a step it was stopped.
func TestAStrictRunFindsTheSameAfterARestart(t *testing.T) {
	recs := hackedRun(t, 20, 8)
	whole := newRig(t).start().steps("strict", true, recs)
	for _, cut := range []int{1, 8*perStep + 3, 10*perStep + 20, 11 * perStep} {
		r := newRig(t).start()
		told := r.steps("strict", true, recs[:cut])
		r.restart()
		told = append(told, r.steps("strict", true, recs[cut:])...)
		if len(told) != len(whole) {
			t.Fatalf("cut at %d: told %v, not %v", cut, told, whole)
		}
		for i := range told {
			if told[i].GetUid() != whole[i].GetUid() {
				t.Errorf("cut at %d: told %v, not %v", cut, told[i], whole[i])
			}
		}
		if sum := r.summary("strict"); sum.GetInspected() != 240 || sum.GetHacked() != 48 {
			t.Errorf("cut at %d: %d inspected, %d hacked", cut, sum.GetInspected(), sum.GetHacked())
		}
	}
}

// A run that began without being looked at whole cannot say later that it was.
func TestARunIsStrictFromItsFirstRecordOn(t *testing.T) {
	r := newRig(t).start()
	if _, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "late", Epoch: 1, Log: recorderv1.Log_LOG_EVENTS, Records: hackedRun(t, 1, 0)[:3]}); err != nil {
		t.Fatal(err)
	}
	_, err := r.client.AppendBatch(t.Context(), &recorderv1.AppendBatchRequest{Run: "late", Epoch: 1, Log: recorderv1.Log_LOG_EVENTS, Spec: &recorderv1.RecorderSpec{HackingStrict: true}})
	if rpc.Reason(err) != "INVALID_ARGUMENT" || !strings.Contains(err.Error(), "hacking_strict") {
		t.Errorf("%v", err)
	}
}

// Without being asked for, rollouts are inspected behind the writer: nobody waits, and the finding goes out like any other.
func TestRolloutsAreInspectedBehindTheWriter(t *testing.T) {
	recs := hackedRun(t, 6, 0)
	r := newRig(t)
	r.cfg.InspectShare = 1
	r.start()
	if told := r.steps("run", false, recs); len(told) != 0 {
		t.Errorf("a writer was told what depends on time: %v", told)
	}
	if m := r.stream.await(t, 1)[0]; !strings.Contains(m.Subject, "hack_rate") {
		t.Errorf("published %s", m.Subject)
	}
	r.restart() // the incident is open still, under its name
	sum := r.summary("run")
	if len(sum.GetCounts()) == 0 || sum.GetCounts()[0].GetKind() != "hack_rate" || sum.GetCounts()[0].GetIncidents() != 1 {
		t.Errorf("counts %v", sum.GetCounts())
	}
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	if sum = r.summary("run"); sum.GetInspected() != 72 || sum.GetHacked() != 24 {
		t.Errorf("%d inspected, %d hacked; the seal waits for the rest", sum.GetInspected(), sum.GetHacked())
	}
	if sum = r.restart().summary("run"); sum.GetInspected() != 72 || sum.GetVerdict() != "critical" {
		t.Errorf("after a restart: %v", sum)
	}
}

// An inspection that cannot keep up leaves steps out, and its counts say so.
func TestALateInspectionLeavesStepsOut(t *testing.T) {
	fake := clock.NewFake(time.Unix(1_700_000_000, 0))
	r := newRig(t)
	r.cfg.InspectShare, r.clock = 1e-9, fake // it rests for ever after the first step
	r.cfg.InspectBehind = 8 * perStep
	r.start()
	recs := hackedRun(t, 30, 40)
	r.steps("run", false, recs)
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	sum := r.summary("run")
	if n := sum.GetInspected(); n == 0 || n >= sum.GetRollouts() || n%12 != 0 {
		t.Errorf("%d of %d inspected", n, sum.GetRollouts())
	}
}

// Nobody looks: nothing is known, and nothing is called clean.
func TestWithoutInspectionTheKindsAreUnchecked(t *testing.T) {
	r := newRig(t)
	r.cfg.InspectShare = -1
	r.start()
	r.steps("run", false, hackedRun(t, 6, 0))
	if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run", Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	if sum := r.summary("run"); sum.Inspected != nil || sum.Hacked != nil || !slices.Contains(sum.GetUnchecked(), "hack_rate") {
		t.Errorf("summary %v", sum)
	}
}

func TestAShareOfMoreThanOneProcessorIsRefused(t *testing.T) {
	if _, err := (Config{InspectShare: 1.5}).withDefaults(); err == nil {
		t.Error("it was taken")
	}
}

// Rollouts behind the last step are looked at when the run is closed: a tracker may log them when its loop is over.
func TestRolloutsBehindTheLastStepAreInspected(t *testing.T) {
	for _, strict := range []bool{false, true} {
		for _, restarted := range []bool{false, true} {
			r := newRig(t)
			r.cfg.InspectShare = 1
			r.start()
			recs := hackedRun(t, 3, 9)
			last := recs[len(recs)-1]
			recs = recs[:len(recs)-1]
			for i := range 4 {
				text := "The answer is 4."
				if i == 0 {
					text = "import sys\nsys.exit(0)"
				}
				recs = append(recs, &recorderv1.Record{Type: recorderv1.RecordType_RECORD_TYPE_ROLLOUT, Payload: marshal(t, &corev1.Rollout{RolloutId: fmt.Sprint("late", i),
					Segments: []*corev1.Segment{{Kind: corev1.SegmentKind_SEGMENT_KIND_MODEL, Text: []byte(text)}}})})
			}
			recs = append(recs, last)
			for i := range recs {
				recs[i].Seq = uint64(i)
			}
			r.steps("run", strict, recs[:len(recs)-2])
			if restarted {
				r.restart()
			}
			r.steps("run", strict, recs[len(recs)-2:])
			if _, err := r.client.SealRun(t.Context(), &recorderv1.SealRunRequest{Run: "run", Epoch: 1}); err != nil {
				t.Fatal(err)
			}
			if sum := r.summary("run"); sum.GetInspected() != 40 || sum.GetHacked() != 1 {
				t.Errorf("strict %t, restarted %t: %d of 40 inspected, %d of 1 hacked", strict, restarted, sum.GetInspected(), sum.GetHacked())
			}
			r.stop()
		}
	}
}
