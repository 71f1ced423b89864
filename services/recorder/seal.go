package recorder

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
)

// SealRun closes events and signs the last checkpoints, and waits for their cosignatures. A run whose last record is not
// RUN_CLOSE is still going on. A countersigner that is away does not keep a run from being sealed: the answer says that
// nobody cosigned, and sealing again asks again.
func (s *Service) SealRun(ctx context.Context, req *recorderv1.SealRunRequest) (*recorderv1.SealRunResponse, error) {
	l, err := s.get(ctx, tenant(ctx), req.GetRun(), false)
	if err != nil {
		return nil, problem(err)
	}
	if err := l.finish(ctx); err != nil {
		return nil, problem(err)
	}
	notes, err := l.run.Seal(ctx, req.GetEpoch())
	if err != nil {
		return nil, problem(err)
	}
	s.mark(l)
	if s.shipper != nil {
		s.shipper.Wake()
	}
	if idgen.Tracked(l.run.ID) {
		if err := s.enlist(ctx, l, nil); err != nil {
			return nil, err
		}
	}
	within, cancel := context.WithTimeout(ctx, s.cfg.CosignWait)
	defer cancel()
	cosigned, err := l.countersignSeal(within)
	if err != nil {
		s.d.Log.Warn("the seal is not cosigned", "run", l.run.ID, "error", err.Error())
	}
	if cosigned != nil {
		notes = cosigned
	}
	resp := &recorderv1.SealRunResponse{Vkey: s.d.VKey}
	for i, note := range notes {
		c, err := ledger.ReadCheckpoint(note)
		if err != nil {
			return nil, fmt.Errorf("seal of run %s: %w", l.run.ID, err)
		}
		resp.Checkpoints = append(resp.Checkpoints, logCheckpoint(ledger.Logs[i], c, note))
	}
	return resp, nil
}

// finish writes down what is known before the seal fixes the size of findings.
func (l *live) finish(ctx context.Context) error {
	if l.run.Sealed() {
		return nil
	}
	l.mu.Lock()
	closed := l.mon.Stats().LastType == ledger.RunClose
	l.stall.End()
	l.mu.Unlock()
	if !closed {
		return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED,
			"the last record of run %s is not RUN_CLOSE; append it, then seal", l.run.ID)
	}
	if err := l.inspectRest(ctx); err != nil {
		l.s.d.Log.Warn("rollouts were not inspected", "run", l.run.ID, "error", err.Error())
	}
	return l.store(ctx)
}
