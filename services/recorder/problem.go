package recorder

import (
	"errors"
	"fmt"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/durationpb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/cursor"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/recorder/analyze"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/publish"
	"github.com/provenir/provenir/services/recorder/store"
)

// answers are the code and reason of each fault of the store.
var answers = map[store.Kind]struct {
	code   codes.Code
	reason corev1.ErrorReason
}{
	store.OutOfOrder:      {codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_OUT_OF_ORDER},
	store.DivergentReplay: {codes.Aborted, corev1.ErrorReason_ERROR_REASON_DIVERGENT_REPLAY},
	store.LeaseLost:       {codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_LOST},
	store.Sealed:          {codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_SEALED},
	store.NotFound:        {codes.NotFound, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FOUND},
	store.TooLarge:        {codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_RECORD_TOO_LARGE},
	store.BlobMissing:     {codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_BLOB_MISSING},
	store.DiskFull:        {codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_LEDGER_DISK_FULL},
	store.Corrupt:         {codes.DataLoss, corev1.ErrorReason_ERROR_REASON_LEDGER_CORRUPT},
	store.LostAcked:       {codes.DataLoss, corev1.ErrorReason_ERROR_REASON_LEDGER_LOST_ACKED},
	store.WriteFailed:     {codes.Unavailable, corev1.ErrorReason_ERROR_REASON_LEDGER_WRITE_FAILED},
	store.Unknown:         {codes.NotFound, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_UNKNOWN},
	store.Erased:          {codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_PAYLOAD_ERASED},
	store.Retired:         {codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_PAYLOAD_RETIRED},
	store.Held:            {codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_LEGAL_HOLD},
	store.KeyLost:         {codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_KEY_UNKNOWN},
	store.CopyAway:        {codes.Unavailable, corev1.ErrorReason_ERROR_REASON_PEER_UNAVAILABLE},
	store.Invalid:         {codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT},
}

// retryDisk is when a writer may try a full disk again.
var retryDisk = durationpb.New(5e9)

// problem makes an error of ours one that a caller can branch on. Others pass as they are.
func problem(err error) error {
	var f *store.Fault
	var c *detect.ConfigError
	var e *analyze.EngineError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return faultProblem(f)
	case errors.As(err, &c):
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%s", c.Error()).Field("spec."+c.Field, c.Reason)
	case errors.As(err, &e):
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_ENGINE_UNKNOWN, "%s", e.Error()).Field("header.engine", e.Error())
	case errors.Is(err, cursor.ErrForeign):
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_RESUME_TOKEN_FOREIGN,
			"%w: leave it out to begin anew", err)
	case errors.Is(err, publish.ErrNoIncident):
		return rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%w", err).Field("incident", err.Error())
	}
	return err
}

func faultProblem(f *store.Fault) error {
	a := answers[f.Kind]
	p := rpc.Errorf(a.code, a.reason, "%w", f).With("run", f.Run).With("log", f.Log.String())
	u := func(key string, v uint64) { p = p.With(key, strconv.FormatUint(v, 10)) }
	switch f.Kind {
	case store.OutOfOrder:
		u("seq", f.Seq)
		u("expected_seq", f.Want)
	case store.DivergentReplay, store.TooLarge, store.BlobMissing, store.DiskFull, store.Erased, store.Retired, store.KeyLost:
		u("seq", f.Seq)
	case store.LeaseLost:
		u("epoch", f.Want)
	case store.Corrupt, store.LostAcked:
		u("segment", f.Segment)
		p = p.With("offset", fmt.Sprint(f.Offset))
		u("first_seq", f.FirstSeq)
		u("last_seq", f.LastSeq)
	}
	if f.Kind == store.DiskFull {
		p = p.RetryAfter(retryDisk)
	}
	return p
}
