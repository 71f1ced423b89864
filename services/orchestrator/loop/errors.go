package loop

import (
	"fmt"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// diverged is a run that does not repeat itself: going on would mix two histories.
func diverged(format string, args ...any) error {
	return rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_DIVERGENT_REPLAY, format, args...)
}

// finishedError is a stage that ended by itself where it should not have.
func finishedError(f *trainerv1.Finished) error {
	if f.GetFailure() == nil {
		return fmt.Errorf("the trainer finished (%s) where more was expected", f.GetOutcome())
	}
	reason, ok := corev1.ErrorReason_value["ERROR_REASON_"+f.GetFailure().GetCode()]
	if !ok {
		reason = int32(corev1.ErrorReason_ERROR_REASON_INTERNAL)
	}
	return rpc.Errorf(codes.Aborted, corev1.ErrorReason(reason), "%s", f.GetFailure().GetMessage())
}

// semanticDiffs leaves out what may differ between equal runs: device and threads.
func semanticDiffs(all []*corev1.Diff) []*corev1.Diff {
	var out []*corev1.Diff
	for _, d := range all {
		if d.GetPath() != "device" && d.GetPath() != "threads" {
			out = append(out, d)
		}
	}
	return out
}
