package tracked

import (
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
)

// Types are the records that a watch shows.
var Types = []recorderv1.RecordType{recorderv1.RecordType_RECORD_TYPE_STEP, recorderv1.RecordType_RECORD_TYPE_EVAL}

// Event makes an event of a record; nil where it has none to show: its payload was erased. Findings are what was found until
// then and not told yet.
func Event(method string, e *recorderv1.Event, findings []*recorderv1.Anomaly) (*orchestratorv1.WatchRunResponse, error) {
	if e.GetPayloadAbsent() != corev1.ErrorReason_ERROR_REASON_UNSPECIFIED {
		return nil, nil
	}
	switch e.GetType() {
	case recorderv1.RecordType_RECORD_TYPE_STEP:
		var s corev1.StepRecord
		facts := &corev1.StepFacts{}
		if err := proto.Unmarshal(e.GetPayload(), &s); err != nil {
			return nil, err
		}
		if err := proto.Unmarshal(s.GetFacts(), facts); err != nil {
			return nil, err
		}
		row := &orchestratorv1.StepRow{Facts: facts, StageName: stage(method), Findings: findings, OpenAnomalies: uint32(len(findings))}
		return &orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Step{Step: row}}, nil
	case recorderv1.RecordType_RECORD_TYPE_EVAL:
		x, err := Evaluation(e.GetPayload())
		return &orchestratorv1.WatchRunResponse{Event: &orchestratorv1.WatchRunResponse_Evaluation{Evaluation: x}}, err
	}
	return nil, nil
}

func stage(method string) string {
	if method == "" {
		return "tracked"
	}
	return method
}

// Found reads an anomaly that people are told of as it opens or grows; nil for any other.
func Found(e *recorderv1.Event) (*recorderv1.Anomaly, error) {
	a := &recorderv1.Anomaly{}
	if err := proto.Unmarshal(e.GetPayload(), a); err != nil {
		return nil, err
	}
	if x := a.GetEvent(); x != recorderv1.IncidentEvent_INCIDENT_EVENT_OPEN && x != recorderv1.IncidentEvent_INCIDENT_EVENT_ESCALATE {
		return nil, nil
	}
	return a, nil
}
