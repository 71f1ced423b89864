package governance

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/governance/keys"
)

func keyProblem(err error) error {
	for sentinel, reason := range map[error]corev1.ErrorReason{
		keys.ErrUnknown: corev1.ErrorReason_ERROR_REASON_KEY_UNKNOWN, keys.ErrLocked: corev1.ErrorReason_ERROR_REASON_KEY_LOCKED,
		keys.ErrRevoked: corev1.ErrorReason_ERROR_REASON_KEY_REVOKED,
	} {
		if errors.Is(err, sentinel) {
			return rpc.Errorf(codes.FailedPrecondition, reason, "%w", err)
		}
	}
	return err
}

func public(e keys.Entry) *governancev1.Key {
	states := map[string]governancev1.KeyState{"active": governancev1.KeyState_KEY_STATE_ACTIVE,
		"retired": governancev1.KeyState_KEY_STATE_RETIRED, "revoked": governancev1.KeyState_KEY_STATE_REVOKED}
	k := &governancev1.Key{KeyId: e.ID, Algorithm: "ecdsa-p256", PublicPem: e.PublicPEM, State: states[e.State], Encrypted: e.Encrypted,
		CreateTime: timestamppb.New(e.Created)}
	if !e.Revoked.IsZero() {
		k.RevokeTime = timestamppb.New(e.Revoked)
	}
	return k
}

// ListKeys lists public halves.
func (s *Service) ListKeys(ctx context.Context, _ *governancev1.ListKeysRequest) (*governancev1.ListKeysResponse, error) {
	list, err := s.keys.List(ctx)
	if err != nil {
		return nil, err
	}
	out := &governancev1.ListKeysResponse{}
	for _, e := range list {
		out.Keys = append(out.Keys, public(e))
	}
	return out, nil
}

// CreateKey makes one.
func (s *Service) CreateKey(ctx context.Context, req *governancev1.CreateKeyRequest) (*governancev1.CreateKeyResponse, error) {
	e, err := s.keys.Create(ctx, s.d.Clock.Now(), req.GetMakeDefault())
	if err != nil {
		return nil, err
	}
	return &governancev1.CreateKeyResponse{Key: public(e)}, nil
}

// RevokeKey ends trust in one.
func (s *Service) RevokeKey(ctx context.Context, req *governancev1.RevokeKeyRequest) (*governancev1.RevokeKeyResponse, error) {
	e, err := s.keys.Revoke(ctx, req.GetKeyId(), req.GetReason(), s.d.Clock.Now())
	if err != nil {
		return nil, keyProblem(err)
	}
	return &governancev1.RevokeKeyResponse{Key: public(e)}, nil
}

func hexDigest(name string) ([]byte, error) {
	b, err := hex.DecodeString(strings.TrimPrefix(name, "sha256:"))
	if err != nil || len(b) != 32 {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%q: want 64 hex characters", name)
	}
	return b, nil
}
