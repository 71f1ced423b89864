package orchestrator

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/clock"
)

const (
	opened   = recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN
	resolved = recorderv1.IncidentEvent_INCIDENT_EVENT_RESOLVE
)

// word writes an event in a word, so that tests can compare streams.
func word(m *orchestratorv1.WatchRunResponse) string {
	switch e := m.GetEvent().(type) {
	case *orchestratorv1.WatchRunResponse_Run:
		return strings.ToLower(strings.TrimPrefix(e.Run.GetState().String(), "RUN_STATE_"))
	case *orchestratorv1.WatchRunResponse_Step:
		s := fmt.Sprintf("step %d", e.Step.GetFacts().GetStep())
		for _, a := range e.Step.GetFindings() {
			s += " " + a.GetKind()
		}
		return s
	case *orchestratorv1.WatchRunResponse_Evaluation:
		return "eval"
	case *orchestratorv1.WatchRunResponse_Anomaly:
		return e.Anomaly.GetKind()
	}
	return ""
}

func words(events []*orchestratorv1.WatchRunResponse) string {
	var out []string
	for _, m := range events {
		if w := word(m); w != "" {
			out = append(out, w)
		}
	}
	return strings.Join(out, ", ")
}

// A run that has ended is told from its beginning, each finding with the step after which it is known, and to its end.
func TestWatchOfATrackedRunThatHasEnded(t *testing.T) {
	r, now := newMixed(t)
	uid := trackedID(t, now.Now())
	r.tracker.begin(uid, "loop")
	for i := range uint64(5) {
		r.tracker.step(uid, i, map[uint64]string{1: "kl_blowup", 4: "length_creep"}[i])
		if i == 2 {
			r.tracker.eval(uid, 0.5)
		}
	}
	r.tracker.found(uid, "throughput_stall", opened)
	r.tracker.found(uid, "kl_blowup", resolved)
	r.tracker.end(uid, brokenRun)
	all, err := r.watch(uid, "")
	want := "failed, step 0, step 1 kl_blowup, step 2, eval, step 3, step 4 length_creep, throughput_stall, failed"
	if got := words(all); err != nil || got != want {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
}

// A watch that is cut after any event goes on behind it: nothing comes twice and nothing is missing.
func TestWatchOfATrackedRunResumes(t *testing.T) {
	r, now := newMixed(t)
	uid := trackedID(t, now.Now())
	r.tracker.begin(uid, "loop")
	for i := range uint64(7) {
		r.tracker.step(uid, i, map[uint64]string{1: "a", 2: "b", 5: "c"}[i])
	}
	r.tracker.found(uid, "d", opened)
	r.tracker.found(uid, "e", opened)
	r.tracker.end(uid, completeRun)
	all, err := r.watch(uid, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range all[:len(all)-1] {
		rest, err := r.watch(uid, m.GetResumeToken())
		if got, want := words(rest), words(all[i+1:]); err != nil || got != want {
			t.Errorf("after %q: %s, %v\nwant %s", word(m), got, err, want)
		}
	}
}

// A watch follows a run that goes on; what no step brings is told within a second.
func TestWatchOfATrackedRunThatGoesOn(t *testing.T) {
	r := newRig(t, database(t), clock.System{}, nil)
	uid := trackedID(t, time.Now())
	r.tracker.begin(uid, "loop")
	s, err := r.client.WatchRun(t.Context(), &orchestratorv1.WatchRunRequest{Run: uid})
	if err != nil {
		t.Fatal(err)
	}
	next := func(want string) {
		t.Helper()
		m, err := s.Recv()
		if err != nil || word(m) != want {
			t.Fatalf("%q, %v; want %q", word(m), err, want)
		}
	}
	next("running")
	r.tracker.step(uid, 0, "")
	next("step 0")
	r.tracker.found(uid, "throughput_stall", opened)
	next("throughput_stall")
	r.tracker.step(uid, 1, "")
	next("step 1")
	r.tracker.end(uid, completeRun)
	next("succeeded")
}

func TestWatchOfATrackedRunRefusesForeignTokens(t *testing.T) {
	r, now := newMixed(t)
	a := trackedID(t, now.Now())
	r.tracker.begin(a, "loop")
	r.tracker.end(a, completeRun)
	now.Advance(time.Second)
	b := trackedID(t, now.Now())
	r.tracker.begin(b, "loop")
	r.tracker.end(b, completeRun)
	events, err := r.watch(a, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{"of another run": events[0].GetResumeToken(), "nonsense": "nonsense", "half of one": "x."} {
		_, err := r.watch(b, token)
		r.refused(err, corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN)
		if err == nil {
			t.Error(name)
		}
	}
	_, err = r.watch("zzz", "")
	r.refused(err, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND)
}

// A run that makes steps faster than a watch looks for findings is looked at all the same.
func TestWatchOfAFastRunTellsFindings(t *testing.T) {
	r := newRig(t, database(t), clock.System{}, nil)
	uid := trackedID(t, time.Now())
	r.tracker.begin(uid, "loop")
	s, err := r.client.WatchRun(t.Context(), &orchestratorv1.WatchRunRequest{Run: uid})
	if err != nil {
		t.Fatal(err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(findingsEvery / 20)
		defer tick.Stop()
		for i := uint64(0); ; i++ {
			select {
			case <-tick.C:
				r.tracker.step(uid, i, map[uint64]string{3: "kl_blowup"}[i])
			case <-stop:
				r.tracker.end(uid, completeRun)
				return
			}
		}
	}()
	defer func() { <-stopped }()
	for told, ending := false, false; ; {
		m, err := s.Recv()
		if err != nil {
			t.Fatalf("told %t: %v", told, err)
		}
		told = told || strings.Contains(word(m), "kl_blowup")
		switch {
		case told && !ending:
			ending = true
			close(stop)
		case !ending && m.GetStep().GetFacts().GetStep() > 200: // ten times as long as it may take
			close(stop)
			t.Fatal("a finding waits for the end of the run")
		case m.GetRun().GetState() == orchestratorv1.RunState_RUN_STATE_SUCCEEDED:
			return
		}
	}
}
