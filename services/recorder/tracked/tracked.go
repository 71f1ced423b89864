// Package tracked makes records of the rows that a tracker sends (provenir.track/v1, internal/spool). It is pure: equal rows
// give equal payloads, whether they come one by one from a loop or from a spool a week later, so both ways end with one
// root. What the caller did not say stays unsaid: no field is filled with a guess.
package tracked

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	orchestratorv1 "github.com/provenir/provenir/gen/provenir/orchestrator/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/spool"
	"github.com/provenir/provenir/services/recorder/metric"
	"github.com/provenir/provenir/services/recorder/monitor"
)

// Verifier is the name under which rewards of a tracker stand: nobody here has judged them.
const Verifier = "caller"

// Converter makes records. It keeps what it knows of metric names; it is not safe for concurrent use.
type Converter struct {
	mappers map[string]*metric.Mapper
}

// Record makes the record of a row; nil for a row that is none.
func (c *Converter) Record(r *spool.Row) (*recorderv1.Record, error) {
	t, m, err := c.payload(r)
	if err != nil || m == nil {
		return nil, err
	}
	rec := &recorderv1.Record{Seq: r.Seq, Type: t, ErasureGroup: r.Erase}
	if rec.Payload, err = (proto.MarshalOptions{Deterministic: true}).Marshal(m); err != nil {
		return nil, err
	}
	rec.Volatile, err = volatile(r)
	return rec, err
}

func (c *Converter) payload(r *spool.Row) (recorderv1.RecordType, proto.Message, error) {
	switch r.Type {
	case spool.Open:
		return recorderv1.RecordType_RECORD_TYPE_RUN_OPEN, &orchestratorv1.RunOpen{Format: spool.Format, Stages: 1}, nil
	case spool.Config:
		return recorderv1.RecordType_RECORD_TYPE_CONFIG, &orchestratorv1.ConfigRecord{Declared: r.Declared}, nil
	case spool.Step:
		m, err := c.step(r)
		return recorderv1.RecordType_RECORD_TYPE_STEP, m, err
	case spool.Rollout:
		return recorderv1.RecordType_RECORD_TYPE_ROLLOUT, rollout(r), nil
	case spool.Verdict:
		return recorderv1.RecordType_RECORD_TYPE_VERDICT, verdict(r), nil
	case spool.HeldoutVerdict:
		return recorderv1.RecordType_RECORD_TYPE_HELDOUT_VERDICT, verdict(r), nil
	case spool.Eval:
		return recorderv1.RecordType_RECORD_TYPE_EVAL, evaluation(r), nil
	case spool.Close:
		return recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE, runClose(r), nil
	case spool.Resume:
		return 0, nil, nil
	}
	return 0, nil, fmt.Errorf("type %q makes no record", r.Type)
}

// volatile is what two equal runs do not share.
func volatile(r *spool.Row) ([]byte, error) {
	v := map[string]any{}
	if r.At != "" {
		v["at"] = r.At
	}
	if r.Type == spool.Open {
		v["name"], v["host"], v["pid"], v["sdk"] = r.Name, r.Host, r.PID, r.SDK
	}
	if len(v) == 0 {
		return nil, nil
	}
	return json.Marshal(v)
}

// verdict is what the caller paid. It is no verdict of a verifier, and says so in its name. Where the caller did not say
// whether it passed, passed reads false and a finding tells that nobody said so.
func verdict(r *spool.Row) *corev1.Verdict {
	v := &corev1.Verdict{RolloutId: r.ID, Verifier: Verifier}
	x := float64(*r.Reward)
	if monitor.NonFinite(x) != corev1.NonFinite_NON_FINITE_UNSPECIFIED {
		v.Verdict = &corev1.Verdict_Unscored{Unscored: &corev1.Unscored{Reason: corev1.UnscoredReason_UNSCORED_REASON_NON_FINITE,
			Detail: fmt.Sprintf("the caller's reward is %g", x)}}
		return v
	}
	scored := &corev1.Scored{Reward: x}
	if r.Passed == nil {
		v.Findings = []*corev1.Finding{{Kind: "passed_not_reported", Severity: corev1.Severity_SEVERITY_INFO, Detail: "the caller gave a reward and did not say whether the answer passed"}}
	} else {
		scored.Passed = *r.Passed
	}
	v.Verdict = &corev1.Verdict_Scored{Scored: scored}
	return v
}

var kinds = map[string]corev1.SegmentKind{
	"system": corev1.SegmentKind_SEGMENT_KIND_PROMPT, "user": corev1.SegmentKind_SEGMENT_KIND_PROMPT,
	"assistant": corev1.SegmentKind_SEGMENT_KIND_MODEL, "tool": corev1.SegmentKind_SEGMENT_KIND_TOOL,
	"environment": corev1.SegmentKind_SEGMENT_KIND_ENV,
}

func rollout(r *spool.Row) *corev1.Rollout {
	out := &corev1.Rollout{RolloutId: r.ID, GroupId: r.Group, Step: r.Step}
	for _, t := range r.Turns {
		out.Segments = append(out.Segments, &corev1.Segment{Kind: kinds[t.Role], Text: []byte(t.Text)})
		if t.Role == "assistant" {
			out.Turns++
		}
	}
	return out
}

// evaluation keeps numbers that were measured elsewhere. One that is not finite has no value and a warning that names it.
func evaluation(r *spool.Row) *evaluatorv1.Evaluation {
	out := &evaluatorv1.Evaluation{Step: r.Step}
	for _, n := range r.Metrics {
		e := &evaluatorv1.Estimate{Metric: n.Key, Definition: "reported by the caller"}
		if r.Data != "" {
			e.Definition += "; dataset=" + r.Data
		}
		if monitor.NonFinite(n.X) == corev1.NonFinite_NON_FINITE_UNSPECIFIED {
			e.Value = &n.X
		} else {
			e.Warnings = []string{fmt.Sprintf("the caller reported %g", n.X)}
		}
		if r.Rows != nil {
			e.N = *r.Rows
		}
		out.Estimates = append(out.Estimates, e)
	}
	return out
}

func runClose(r *spool.Row) *orchestratorv1.RunClose {
	out := &orchestratorv1.RunClose{Outcome: trainerv1.Outcome_OUTCOME_COMPLETED, State: orchestratorv1.RunState_RUN_STATE_SUCCEEDED,
		Partial: r.Outcome != "completed" || r.Dropped > 0 || r.Invalid > 0, Dropped: r.Dropped, Invalid: r.Invalid, Error: r.Error}
	if r.Outcome != "completed" {
		out.Outcome, out.State = trainerv1.Outcome_OUTCOME_CRASHED, orchestratorv1.RunState_RUN_STATE_FAILED
	}
	return out
}
