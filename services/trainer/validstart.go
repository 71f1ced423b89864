package trainer

import (
	"errors"

	"buf.build/go/protovalidate"
	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// validStart checks the rules of the contract. The server does not check frames of streams that carry rollouts, because
// their bytes are opaque; the first one is no such frame, and a learning rate of NaN would train all the same.
func validStart(start *trainerv1.Start) error {
	err := protovalidate.Validate(start)
	var wrong *protovalidate.ValidationError
	if !errors.As(err, &wrong) {
		return err
	}
	first := wrong.Violations[0].Proto
	p := rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "start.%s: %s",
		protovalidate.FieldPathString(first.GetField()), first.GetMessage())
	for _, v := range wrong.Violations {
		p.Field("start."+protovalidate.FieldPathString(v.Proto.GetField()), v.Proto.GetMessage())
	}
	return p
}
