package trainer

import (
	"errors"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/trainer/checkpoint"
	"github.com/provenir/provenir/services/trainer/engine"
	"github.com/provenir/provenir/services/trainer/fence"
)

// codesOf says how a reason travels; a reason that is not here is the machine's state, FAILED_PRECONDITION.
var codesOf = map[string]codes.Code{
	"INVALID_ARGUMENT": codes.InvalidArgument, "DATASET_INVALID": codes.InvalidArgument, "BACKEND_UNKNOWN": codes.InvalidArgument,
	"OPTION_UNSUPPORTED": codes.InvalidArgument, "ARCHITECTURE_UNSUPPORTED": codes.InvalidArgument,
	"TOKENIZER_UNSUPPORTED": codes.InvalidArgument, "UNSAFE_WEIGHT_FORMAT": codes.InvalidArgument, "BIASED_SAMPLING": codes.InvalidArgument,
	"ENGINE_LACKS_ALGORITHM": codes.Unimplemented, "CHECKPOINT_NOT_FOUND": codes.NotFound, "DATASET_NOT_FOUND": codes.NotFound,
	"CHECKPOINT_CORRUPT": codes.DataLoss, "VERDICT_CONFLICT": codes.Aborted, "VERDICT_UNKNOWN_ROLLOUT": codes.Aborted,
	"DIVERGENT_REPLAY": codes.Aborted, "LEASE_LOST": codes.Aborted, "STREAM_REPLACED": codes.Aborted,
}

// problem gives an inner error its reason on the wire; one without a reason stays as it is and becomes INTERNAL at the edge.
func problem(err error) error {
	if err == nil {
		return nil
	}
	var already *rpc.Problem
	if errors.As(err, &already) {
		return err
	}
	var stale fence.Stale
	if errors.As(err, &stale) {
		return rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_LOST, "%w", err)
	}
	if errors.Is(err, checkpoint.ErrNotFound) {
		return rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_NOT_FOUND, "%w", err)
	}
	name := engine.ReasonOf(err)
	value, ok := corev1.ErrorReason_value["ERROR_REASON_"+name]
	if !ok {
		return err
	}
	code, known := codesOf[name]
	if !known {
		code = codes.FailedPrecondition
	}
	return rpc.Errorf(code, corev1.ErrorReason(value), "%w", err)
}
