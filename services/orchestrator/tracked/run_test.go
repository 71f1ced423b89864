package tracked

import (
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
)

func TestNamed(t *testing.T) {
	for name, want := range map[string]bool{
		"g": true, "z": true, "g6h19s46h7v7tbftq8wmc85198": true, "g6h": true,
		"": false, "0": false, "f": false, "06e8kq3vn5tz7y2m4c6w8x2a4a": false, "@last": false, "G": false, "i": false, "g!": false, "g6h19s46h7v7tbftq8wmc851980": false,
	} {
		if Named(name) != want {
			t.Errorf("%q: %t", name, !want)
		}
	}
}

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name    string
		in      *recorderv1.TrackedRun
		state   orchestratorv1.RunState
		ended   bool
		algo    trainerv1.Algorithm
		warning string // all of them
	}{
		{"written", &recorderv1.TrackedRun{State: recorderv1.TrackedState_TRACKED_STATE_WRITING, Method: "grpo", Partial: true}, orchestratorv1.RunState_RUN_STATE_RUNNING, false, trainerv1.Algorithm_ALGORITHM_GRPO, ""},
		{"silent", &recorderv1.TrackedRun{State: recorderv1.TrackedState_TRACKED_STATE_SILENT, Method: "rloo"}, orchestratorv1.RunState_RUN_STATE_SILENT, false, 0, "the run has no end: its tracker was killed, or is silent"},
		{"completed", &recorderv1.TrackedRun{State: recorderv1.TrackedState_TRACKED_STATE_COMPLETED, Method: "dpo"}, orchestratorv1.RunState_RUN_STATE_SUCCEEDED, true, trainerv1.Algorithm_ALGORITHM_DPO, ""},
		{"completed with losses", &recorderv1.TrackedRun{State: recorderv1.TrackedState_TRACKED_STATE_COMPLETED, Dropped: 3, Invalid: 2}, orchestratorv1.RunState_RUN_STATE_SUCCEEDED, true, 0,
			"3 rows were logged and could not be recorded; 2 values were logged that are no numbers; they are left out"},
		{"an exception", &recorderv1.TrackedRun{State: recorderv1.TrackedState_TRACKED_STATE_BROKEN, Error: "ValueError"}, orchestratorv1.RunState_RUN_STATE_FAILED, true, 0, "the tracked loop ended with ValueError"},
		{"no exception", &recorderv1.TrackedRun{State: recorderv1.TrackedState_TRACKED_STATE_BROKEN}, orchestratorv1.RunState_RUN_STATE_FAILED, true, 0, "the tracked loop ended before its work was done"},
		{"an end that was erased", &recorderv1.TrackedRun{State: recorderv1.TrackedState_TRACKED_STATE_UNREADABLE}, orchestratorv1.RunState_RUN_STATE_UNREADABLE, true, 0, "how the run ended cannot be read: the record was erased or is damaged"},
		{"a method that is no algorithm", &recorderv1.TrackedRun{State: recorderv1.TrackedState_TRACKED_STATE_COMPLETED, Method: "unspecified"}, orchestratorv1.RunState_RUN_STATE_SUCCEEDED, true, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Run("acme", c.in)
			if r.GetState() != c.state || Ended(c.in.GetState()) != c.ended || r.GetSpec().GetAlgorithm() != c.algo || strings.Join(r.GetWarnings(), "; ") != c.warning || r.GetTracked() != c.in {
				t.Errorf("%v", r)
			}
		})
	}
	if len(states) != len(recorderv1.TrackedState_name)-1 {
		t.Error("a state of trackers is shown as none of ours")
	}
}

func TestWanted(t *testing.T) {
	states, methods, none := Wanted(nil, nil)
	if len(states) > 0 || len(methods) > 0 || none {
		t.Error("without a filter not all are wanted")
	}
	states, methods, none = Wanted([]orchestratorv1.RunState{orchestratorv1.RunState_RUN_STATE_SUCCEEDED, orchestratorv1.RunState_RUN_STATE_PAUSED, orchestratorv1.RunState_RUN_STATE_RUNNING},
		[]trainerv1.Algorithm{trainerv1.Algorithm_ALGORITHM_DR_GRPO})
	if !slices.Equal(states, []recorderv1.TrackedState{recorderv1.TrackedState_TRACKED_STATE_WRITING, recorderv1.TrackedState_TRACKED_STATE_COMPLETED}) ||
		!slices.Equal(methods, []string{"dr_grpo"}) || none {
		t.Errorf("%v, %v, %t", states, methods, none)
	}
	if _, _, none = Wanted([]orchestratorv1.RunState{orchestratorv1.RunState_RUN_STATE_PAUSED}, nil); !none {
		t.Error("a tracked run is never paused")
	}
}

func TestSealed(t *testing.T) {
	r := &orchestratorv1.Run{}
	Sealed(r, []*recorderv1.LogCheckpoint{{Log: recorderv1.Log_LOG_TIMING, Note: "t"}, {Log: recorderv1.Log_LOG_EVENTS, Note: "e", Root: []byte{1}}}, nil)
	if r.GetLedgerCheckpoint() != "e" || len(r.GetEventsRoot()) != 1 || r.GetPassport() != "" {
		t.Errorf("%v", r)
	}
	Sealed(r, nil, &governancev1.Passport{Digest: "sha256:a", Folder: "f"})
	if r.GetPassport() != "sha256:a" || r.GetPassportFolder() != "f" {
		t.Errorf("%v", r)
	}
}

func bytesOf(t *testing.T, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEvent(t *testing.T) {
	step := &recorderv1.Event{Type: recorderv1.RecordType_RECORD_TYPE_STEP, Payload: bytesOf(t, &corev1.StepRecord{Facts: bytesOf(t, &corev1.StepFacts{Step: 7})})}
	found := []*recorderv1.Anomaly{{Kind: "kl_blowup"}}
	m, err := Event("", step, found)
	if err != nil || m.GetStep().GetFacts().GetStep() != 7 || m.GetStep().GetStageName() != "tracked" || len(m.GetStep().GetFindings()) != 1 || m.GetStep().GetTiming() != nil || m.GetStep().HeldoutReward != nil {
		t.Errorf("%v, %v", m, err)
	}
	if m, err = Event("dpo", step, nil); err != nil || m.GetStep().GetStageName() != "dpo" {
		t.Errorf("%v, %v", m, err)
	}
	for name, e := range map[string]*recorderv1.Event{
		"erased":       {Type: recorderv1.RecordType_RECORD_TYPE_STEP, PayloadAbsent: corev1.ErrorReason_ERROR_REASON_PAYLOAD_ERASED},
		"another type": {Type: recorderv1.RecordType_RECORD_TYPE_VERDICT, Payload: []byte("x")},
	} {
		if m, err := Event("", e, nil); m != nil || err != nil {
			t.Errorf("%s: %v, %v", name, m, err)
		}
	}
	for _, e := range []*recorderv1.Event{{Type: recorderv1.RecordType_RECORD_TYPE_STEP, Payload: []byte{0xff}}, {Type: recorderv1.RecordType_RECORD_TYPE_EVAL, Payload: []byte{0xff}},
		{Type: recorderv1.RecordType_RECORD_TYPE_STEP, Payload: bytesOf(t, &corev1.StepRecord{Facts: []byte{0xff}})}} {
		if _, err := Event("", e, nil); err == nil {
			t.Errorf("a payload that cannot be read: %v", e)
		}
	}
}

func TestFound(t *testing.T) {
	for what, told := range map[recorderv1.IncidentEvent]bool{recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN: true, recorderv1.IncidentEvent_INCIDENT_EVENT_ESCALATE: true,
		recorderv1.IncidentEvent_INCIDENT_EVENT_UPDATE: false, recorderv1.IncidentEvent_INCIDENT_EVENT_RESOLVE: false} {
		a, err := Found(&recorderv1.Event{Payload: bytesOf(t, &recorderv1.Anomaly{Kind: "x", Event: what})})
		if err != nil || (a != nil) != told {
			t.Errorf("%s: %v, %v", what, a, err)
		}
	}
	if _, err := Found(&recorderv1.Event{Payload: []byte{0xff}}); err == nil {
		t.Error("a payload that cannot be read")
	}
}
