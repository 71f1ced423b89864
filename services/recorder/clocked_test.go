package recorder

import (
	"slices"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/clock"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/publish"
)

const recordsAStep = 10 // of runRecords, after RUN_OPEN

// shifted is the machine's clock, put forward: commits wait for short timers, which must fire.
type shifted struct {
	clock.System
	mu sync.Mutex
	by time.Duration
}

func (s *shifted) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.System.Now().Add(s.by)
}

func (s *shifted) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.by += d
}

// paced writes steps one by one, ten seconds apart.
func (r *rig) paced(now *shifted, recs []*recorderv1.Record, from, to int) {
	r.t.Helper()
	for step := from; step < to; step++ {
		first := 1 + step*recordsAStep
		if step == 0 {
			first = 0
		}
		r.write("run1", 1, recs[first:1+(step+1)*recordsAStep])
		now.Advance(10 * time.Second)
	}
}

func (r *rig) summary(run string) *recorderv1.RunSummary {
	r.t.Helper()
	got, err := r.client.GetRunSummary(r.t.Context(), &recorderv1.GetRunSummaryRequest{Run: run})
	if err != nil {
		r.t.Fatal(err)
	}
	got.GetSummary().Checkpoints = nil
	return got.GetSummary()
}

// told are the findings of a kind, in the order of the log.
func (r *rig) told(kind string) []*recorderv1.Anomaly {
	r.t.Helper()
	l, err := r.service.get(r.t.Context(), "default", "run1", false)
	if err == nil {
		err = l.log(ledger.Findings).Sync(r.t.Context()) // what was found a moment ago is on its way
	}
	if err != nil {
		r.t.Fatal(err)
	}
	page, err := r.client.ListEvents(r.t.Context(), &recorderv1.ListEventsRequest{Run: "run1", Log: recorderv1.Log_LOG_FINDINGS,
		Types: []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_ANOMALY}, PageSize: 1000})
	if err != nil {
		r.t.Fatal(err)
	}
	var out []*recorderv1.Anomaly
	for _, e := range page.GetEvents() {
		a := &recorderv1.Anomaly{}
		if err := proto.Unmarshal(e.GetPayload(), a); err != nil {
			r.t.Fatal(err)
		}
		if a.GetKind() == kind {
			out = append(out, a)
		}
	}
	return out
}

// stalled is a recorder whose run has made eight steps and then none for ten minutes.
func stalled(t *testing.T) (*rig, *shifted, []*recorderv1.Record) {
	t.Helper()
	r, now := newRig(t), &shifted{}
	r.clock, r.cfg.Tick, r.cfg.SnapshotSteps = now, 1000*time.Hour, 1
	r.start()
	recs := runRecords(t, 40, calm)
	r.paced(now, recs, 0, 8)
	return r, now, recs
}

// A run that stalled before a restart is not well after it, and the incident ends under the name that it began with.
func TestClockIncidentsSurviveARestart(t *testing.T) {
	r, now, recs := stalled(t)
	now.Advance(10 * time.Minute)
	r.service.look(t.Context(), now.Now())
	before := r.summary("run1")
	if before.GetVerdict() == "healthy" || before.GetWorst() != corev1.Severity_SEVERITY_CRITICAL || len(r.told(detect.KindStall)) != 1 {
		t.Fatalf("%v; told %v", before, r.told(detect.KindStall))
	}
	r.restart()
	if after := r.summary("run1"); !proto.Equal(before, after) {
		t.Errorf("after the restart\n%v\nbefore\n%v", after, before)
	}
	now.Advance(time.Second)
	r.service.look(t.Context(), now.Now()) // the wait begins anew, and what is open is not opened again
	if told := r.told(detect.KindStall); len(told) != 1 {
		t.Fatalf("told %v", told)
	}
	r.paced(now, recs, 8, 40)
	told := r.told(detect.KindStall)
	if len(told) != 2 || told[1].GetEvent() != recorderv1.IncidentEvent_INCIDENT_EVENT_RESOLVE || told[0].GetIncident() != told[1].GetIncident() || told[1].GetStep() < 15 {
		t.Fatalf("told %v", told)
	}
	ended := r.summary("run1")
	r.restart()
	after := r.summary("run1")
	if !slices.EqualFunc(ended.GetCounts(), after.GetCounts(), func(a, b *recorderv1.KindCount) bool { return proto.Equal(a, b) }) || ended.GetWorst() != after.GetWorst() {
		t.Errorf("after another restart\n%v\nbefore\n%v", after, ended)
	}
}

// What was learned of the run's pace is not lost: a stall is found although no step came since the start.
func TestAStallIsFoundAfterARestart(t *testing.T) {
	r, now, _ := stalled(t)
	r.restart()
	now.Advance(30 * time.Second) // the restart itself is no stall
	r.service.look(t.Context(), now.Now())
	if told := r.told(detect.KindStall); len(told) != 0 {
		t.Fatalf("told %v", told)
	}
	now.Advance(10 * time.Minute)
	r.service.look(t.Context(), now.Now())
	if told := r.told(detect.KindStall); len(told) != 1 || told[0].GetEvent() != recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN {
		t.Errorf("told %v", told)
	}
}

// A run that is closed and waits for its seal has no further step to be late.
func TestAClosedRunDoesNotStallAfterARestart(t *testing.T) {
	r, now, _ := stalled(t)
	recs := runRecords(t, 8, calm)
	r.write("run1", 1, recs[len(recs)-1:])
	r.restart()
	now.Advance(time.Hour)
	r.service.look(t.Context(), now.Now())
	if told := r.told(detect.KindStall); len(told) != 0 {
		t.Errorf("told %v", told)
	}
}

// A subscriber can go from the message to the trace of the step.
func TestAnAnomalyNamesTheTraceOfItsStep(t *testing.T) {
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for _, c := range []struct{ name, sent, want string }{
		{"sent", parent, parent},
		{"none", "", ""},
		{"no trace", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", ""},
		{"no span", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", ""},
		{"upper case", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t).start()
			ctx := t.Context()
			if c.sent != "" {
				ctx = metadata.AppendToOutgoingContext(ctx, "traceparent", c.sent)
			}
			recs := runRecords(t, 20, blowup(12))
			_, err := r.client.AppendBatch(ctx, &recorderv1.AppendBatchRequest{Run: "run1", Epoch: 1, Log: recorderv1.Log_LOG_EVENTS,
				Records: recs, Spec: &recorderv1.RecorderSpec{Method: "grpo"}})
			if err != nil {
				t.Fatal(err)
			}
			m := r.stream.await(t, 1)[0]
			if got := m.Headers[publish.HeaderTrace]; got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			if _, has := m.Headers[publish.HeaderTrace]; has != (c.want != "") {
				t.Error("an empty header was set")
			}
		})
	}
	if got := traceparent(metadata.NewIncomingContext(t.Context(), metadata.Pairs("traceparent", "00-x\r\nEvil: 1"))); got != "" {
		t.Errorf("%q", got)
	}
}
