package evaluator

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/rpc"
)

// store keeps the rows and gives their digest.
func (s *Service) store(ctx context.Context, rows *evaluatorv1.EvaluationRows) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(rows)
	if err != nil {
		return nil, err
	}
	d, _, err := s.d.Blobs.Put(ctx, bytes.NewReader(b), nil)
	return d[:], err
}

// maxRows bounds the rows of a baseline in bytes: about 200,000 rows of the longest response that is kept.
const maxRows = 1 << 30

// baseline reads the rows of an earlier evaluation.
func (s *Service) baseline(ctx context.Context, digest []byte) (*evaluatorv1.EvaluationRows, error) {
	d, err := blob.ParseDigest(digest)
	if err != nil {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "baseline: %w", err)
	}
	b, err := s.d.Blobs.Read(ctx, d, maxRows)
	if errors.Is(err, blob.ErrMissing) {
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_BLOB_MISSING, "baseline %s: %w; name the rows_digest of an evaluation", d, err)
	}
	if err != nil {
		return nil, fmt.Errorf("read baseline %s: %w", d, err)
	}
	out := &evaluatorv1.EvaluationRows{}
	if err := proto.Unmarshal(b, out); err != nil {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "baseline %s is not the rows of an evaluation", d)
	}
	return out, nil
}
