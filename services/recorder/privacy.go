package recorder

import (
	"context"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

const (
	// wholeRun is the erasure group of records that name none.
	wholeRun = "run"
	// maxGroupName bounds what a writer may call a group.
	maxGroupName = 256
)

// settlePrivacy fixes at the first open whether payloads are encrypted. A run does not change in the middle: half of it
// would be readable for ever. The caller holds mu.
func (l *live) settlePrivacy(ctx context.Context, p recorderv1.Privacy) error {
	switch {
	case p == recorderv1.Privacy_PRIVACY_SALTED && !l.salted && (l.given || l.mon.Next() > 0):
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
			"run %s has begun with plain payloads and cannot become salted; begin another run", l.run.ID).Field("spec.privacy", "fixed by the first open")
	case p == recorderv1.Privacy_PRIVACY_PLAIN && l.salted:
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
			"run %s is salted and cannot become plain", l.run.ID).Field("spec.privacy", "fixed by the first open")
	case p == recorderv1.Privacy_PRIVACY_SALTED && !l.salted:
		if err := l.s.vault.MarkSalted(ctx, l.tenant, l.run.ID); err != nil {
			return err
		}
		l.salted = true
	}
	return nil
}

// grouped gives each record of a salted run its erasure group. The caller holds mu.
func (l *live) grouped(recs []store.Record) error {
	for i := range recs {
		switch {
		case l.salted && recs[i].Group == "":
			recs[i].Group = wholeRun
		case !l.salted && recs[i].Group != "":
			return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
				"record %d names an erasure group, and run %s is not salted: open it with privacy salted, or leave erasure_group empty", recs[i].Seq, l.run.ID).
				Field("records.erasure_group", "the run is plain")
		}
	}
	return nil
}

// clearGroups is for the log timing.
func clearGroups(recs []store.Record) {
	for i := range recs {
		recs[i].Group = ""
	}
}

// readable refuses a record whose payload an answer needs and that is gone.
func readable(log *store.Log, f *ledger.Frame) error {
	why := store.Unreadable(f)
	if why == "" {
		return nil
	}
	_, run, _, err := ledger.ParseOrigin(log.Origin())
	if err != nil {
		return err
	}
	return &store.Fault{Kind: why, Run: run, Log: log.Kind(), Seq: f.Seq}
}
