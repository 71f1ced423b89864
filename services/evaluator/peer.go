package evaluator

import (
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// peer names a neighbour that cannot be reached: gRPC's own words say a socket's address and not whose it is. What the
// neighbour itself said passes as it is.
func peer(role string, err error) error {
	if status.Code(err) != codes.Unavailable || rpc.Reason(err) != "" {
		return err
	}
	return rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_PEER_UNAVAILABLE,
		"the %s cannot be reached; is it running, and does peers.%s name it: %w", role, role, err).With("role", role)
}
