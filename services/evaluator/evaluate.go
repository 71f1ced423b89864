package evaluator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// Evaluate answers and scores a dataset. Everything in it is a function of (dataset, checkpoint, metrics), so the result
// of a checkpoint is cached.
func (s *Service) Evaluate(ctx context.Context, req *evaluatorv1.EvaluateRequest) (*evaluatorv1.EvaluateResponse, error) {
	if (req.GetCheckpoint() == "") == (req.GetPredictions() == nil) {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "give either checkpoint or predictions")
	}
	metrics, err := parseMetrics(req)
	if err != nil {
		return nil, err
	}
	if req, err = s.resolve(ctx, req); err != nil {
		return nil, err
	}
	key, err := cacheKey(req)
	if err != nil {
		return nil, err
	}
	if b, ok := s.d.Cache.Get(ctx, key); ok {
		out := &evaluatorv1.EvaluateResponse{}
		if proto.Unmarshal(b, out) == nil {
			return out, nil
		}
	}
	questions, err := s.questions(ctx, req)
	if err != nil {
		return nil, err
	}
	e := &evaluatorv1.Evaluation{Dataset: req.GetDataset().GetDigest()}
	if req.GetCheckpoint() != "" {
		e.Checkpoint, err = s.sample(ctx, req, questions)
	} else {
		err = s.predictions(ctx, req, questions)
	}
	if err != nil {
		return nil, err
	}
	if err := s.score(ctx, req, metrics, questions, e); err != nil {
		return nil, err
	}
	out := &evaluatorv1.EvaluateResponse{Evaluation: e}
	if b, err := proto.Marshal(out); err == nil {
		s.d.Cache.Set(ctx, key, b, time.Hour)
	}
	return out, nil
}

// resolve puts the digest in the place of run@last, which moves: what is sampled, named and cached is one checkpoint.
func (s *Service) resolve(ctx context.Context, req *evaluatorv1.EvaluateRequest) (*evaluatorv1.EvaluateRequest, error) {
	if req.GetCheckpoint() == "" {
		return req, nil
	}
	c, err := s.d.Trainer.GetCheckpoint(ctx, &trainerv1.GetCheckpointRequest{Checkpoint: req.GetCheckpoint()})
	if err != nil {
		return nil, peer("trainer", err)
	}
	r := proto.CloneOf(req)
	r.Checkpoint = hex.EncodeToString(c.GetCheckpoint().GetDigest())
	return r, nil
}

// cacheKey names a request by content. Its version changes with the definition of any metric.
func cacheKey(req *evaluatorv1.EvaluateRequest) (string, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(req)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("evaluate/v2/%x", sha256.Sum256(b)), nil
}
