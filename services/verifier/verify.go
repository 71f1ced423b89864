package verifier

import (
	"context"
	"crypto/sha256"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/verifier/replay"
	"github.com/provenir/provenir/services/verifier/verdict"
)

// Verify judges one candidate. The same request id with the same request gets the same answer.
func (s *Service) Verify(ctx context.Context, r *verifierv1.VerifyRequest) (*verifierv1.VerifyResponse, error) {
	if r.GetHoldout() != nil {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_OPTION_UNSUPPORTED,
			"a second verdict is drawn over a run; use VerifyRollouts").Field("holdout", "only in VerifyRollouts")
	}
	compiled, err := s.specs(ctx).get(r.GetSpec())
	if err != nil {
		return nil, err
	}
	limit, err := s.limitOf(r.GetDeadline())
	if err != nil {
		return nil, err
	}
	key := replay.Key{Run: "verify", Rollout: r.GetRequestId()}
	var input [sha256.Size]byte
	if r.GetRequestId() != "" {
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
		if err != nil {
			return nil, invalid("request", "the request cannot be read: %v", err)
		}
		input = sha256.Sum256(b)
		if e, ok := s.replay.Get(key); ok {
			if e.Input != input {
				return nil, rpc.Errorf(codes.AlreadyExists, corev1.ErrorReason_ERROR_REASON_REQUEST_ID_REUSED,
					"the request id %q was used with another request", r.GetRequestId())
			}
			if m, ok := e.Message.(*verifierv1.VerifyResponse); ok {
				return m, nil
			}
		}
	}
	c, bad, err := s.candidate(ctx, r.GetCandidate())
	if err != nil {
		return nil, err
	}
	rollout := digestOf(r.GetCandidate().GetRollout())
	var j judged
	if bad != "" {
		v := verdict.Unscore(compiled.Name, verdict.BadRow, bad)
		j.measured = measure(0, 0)
		j.verdict, err = s.finish(&v, &c, compiled, rollout)
	} else {
		j, err = s.judge(ctx, compiled, &c, rollout, limit)
	}
	if err != nil {
		return nil, err
	}
	out := &verifierv1.VerifyResponse{Verdict: j.verdict, Measured: j.measured}
	if r.GetRequestId() != "" && !j.verdict.GetUnscored().GetRetryable() {
		s.replay.Put(key, replay.Entry{Input: input, Message: out})
	}
	return out, nil
}
