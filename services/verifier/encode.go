package verifier

import (
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Findings on which the orchestrator acts.
const (
	findingTimeDependent = "time_dependent"
	findingQuarantine    = "repeated_infrastructure_failure"
)

// encode makes the message of a verdict.
func encode(v *verdict.Verdict, id string, verifierDigest, rolloutDigest []byte) *corev1.Verdict {
	m := &corev1.Verdict{RolloutId: id, Verifier: v.Verifier, VerifierDigest: verifierDigest, Extracted: v.Extracted, RolloutDigest: rolloutDigest}
	if s, ok := v.Scored(); ok {
		m.Reason = s.Reason
		m.Verdict = &corev1.Verdict_Scored{Scored: encodeScored(&s)}
	} else if u, ok := v.Unscored(); ok {
		m.Verdict = &corev1.Verdict_Unscored{Unscored: &corev1.Unscored{
			Reason: corev1.UnscoredReason(u.Reason), Detail: verdict.Printable(u.Detail), Retryable: u.Reason.Retryable(),
		}}
	}
	for _, f := range v.Findings {
		e := &corev1.Finding{Kind: f.Kind, Severity: corev1.Severity(f.Severity), Detail: verdict.Printable(f.Detail)}
		if f.Quote != nil {
			e.Quote = &corev1.Quote{Text: verdict.Printable(f.Quote.Text), Start: uint32(f.Quote.Start), End: uint32(f.Quote.End)}
		}
		m.Findings = append(m.Findings, e)
	}
	if e := v.Execution; e != nil {
		m.Execution = &corev1.Execution{
			Tier: uint32(e.Tier), Language: e.Language, Interpreter: e.Interpreter, Limit: e.Limit, Tamper: e.Tamper, TestsRun: uint32(e.TestsRun),
			TestsPassed: uint32(e.TestsPassed), Truncated: e.Truncated, ExitCode: int32(e.ExitCode), Signal: int32(e.Signal),
		}
	}
	for i := range v.Members {
		m.Members = append(m.Members, encode(&v.Members[i], "", nil, nil))
	}
	return m
}

func encodeScored(s *verdict.Scored) *corev1.Scored {
	m := &corev1.Scored{Reward: s.Reward, Passed: s.Passed}
	for _, c := range s.Components {
		m.Components = append(m.Components, &corev1.Component{Name: c.Name, Op: c.Op, Value: c.Value, Weight: c.Weight, Raw: c.Raw})
	}
	return m
}

// item makes the frame of a verdict: its bytes as they will be recorded, and what the orchestrator decides from.
func item(m *corev1.Verdict) (*verifierv1.VerdictItem, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	s := &verifierv1.VerdictSummary{}
	switch o := m.GetVerdict().(type) {
	case *corev1.Verdict_Scored:
		s.Outcome = &verifierv1.VerdictSummary_Scored{Scored: o.Scored}
	case *corev1.Verdict_Unscored:
		s.Outcome = &verifierv1.VerdictSummary_Unscored{Unscored: o.Unscored}
	}
	for _, f := range m.GetFindings() {
		s.Quarantine = s.GetQuarantine() || f.GetKind() == findingQuarantine
		s.TimeDependent = s.GetTimeDependent() || f.GetKind() == findingTimeDependent
	}
	return &verifierv1.VerdictItem{Verdict: b, Summary: s}, nil
}
