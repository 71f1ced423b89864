package recorder

import (
	"context"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// recovered waits until the recorder has recovered, not longer than a caller cares to.
func (s *Service) recovered(ctx context.Context) error {
	select {
	case <-s.ready:
		return nil
	default:
	}
	t := s.d.Clock.NewTimer(s.cfg.ReadyWait)
	defer t.Stop()
	select {
	case <-s.ready:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C():
		return rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_NOT_READY,
			"the recorder is still reading the logs of earlier runs; try again in a while")
	}
}
