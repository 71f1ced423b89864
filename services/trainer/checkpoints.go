package trainer

import (
	"context"
	"strconv"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// GetCheckpoint finds one by digest, run@step or run@last.
func (s *Service) GetCheckpoint(ctx context.Context, req *trainerv1.GetCheckpointRequest) (*trainerv1.GetCheckpointResponse, error) {
	c, err := s.checkpoints.Find(ctx, req.GetCheckpoint())
	if err != nil {
		return nil, problem(err)
	}
	return &trainerv1.GetCheckpointResponse{Checkpoint: c}, nil
}

// ListCheckpoints lists a run's, oldest first. The page token is the number of entries before the page: the list only
// grows.
func (s *Service) ListCheckpoints(ctx context.Context, req *trainerv1.ListCheckpointsRequest) (*trainerv1.ListCheckpointsResponse, error) {
	size, from := int(req.GetPageSize()), 0
	if size == 0 {
		size = 100
	}
	if t := req.GetPageToken(); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n < 0 {
			return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN, "page_token is not of this list")
		}
		from = n
	}
	list, err := s.checkpoints.List(ctx, req.GetRunId(), from, size+1)
	if err != nil {
		return nil, err
	}
	out := &trainerv1.ListCheckpointsResponse{Checkpoints: list}
	if len(list) > size {
		out.Checkpoints, out.NextPageToken = list[:size], strconv.Itoa(from+size)
	}
	return out, nil
}
