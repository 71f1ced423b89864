package verifier

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// spanName is that of one judgement.
const spanName = "rl.reward"

// ownTracer is the process's; without a provider its spans cost next to nothing.
func ownTracer() trace.Tracer { return otel.Tracer("github.com/provenir/provenir/services/verifier") }

// span begins the span of one judgement.
func (s *Service) span(ctx context.Context, verifier, rollout string) trace.Span {
	_, sp := s.tracer.Start(ctx, spanName)
	if sp.IsRecording() {
		sp.SetAttributes(attribute.String("rl.verifier", verifier), attribute.String("rl.rollout.id", rollout))
	}
	return sp
}

// end says in the span what became of the judgement. m is nil where there is no verdict.
func end(sp trace.Span, m *corev1.Verdict) {
	if sp.IsRecording() && m != nil {
		l := labelsOf("", m)
		sp.SetAttributes(attribute.String("rl.verdict.status", l.status), attribute.String("rl.verdict.reason", l.reason))
		if scored := m.GetScored(); scored != nil {
			sp.SetAttributes(attribute.Float64("rl.reward", scored.GetReward()), attribute.Bool("rl.passed", scored.GetPassed()))
		}
	}
	sp.End()
}
