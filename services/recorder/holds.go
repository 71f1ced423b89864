package recorder

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/timestamppb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/recorder/hold"
	"github.com/provenir/provenir/services/recorder/store"
)

// SetLegalHold forbids that anything of a run, or of a tenant's runs, is retired or erased. It counts before this answers,
// and what is under way of those runs has ended by then.
func (s *Service) SetLegalHold(ctx context.Context, req *recorderv1.SetLegalHoldRequest) (*recorderv1.SetLegalHoldResponse, error) {
	if (req.GetRun() == "") != req.GetTenant() {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
			"a hold is of one run, or of the tenant: name a run, or say tenant").Field("run", "give it, or tenant")
	}
	if req.GetRun() != "" {
		if _, err := s.get(ctx, tenant(ctx), req.GetRun(), false); err != nil {
			return nil, problem(err)
		}
	}
	id, err := idgen.Generator{Clock: s.d.Clock}.New()
	if err != nil {
		return nil, err
	}
	c, _ := identity.FromContext(ctx)
	h, err := s.holds.Set(ctx, hold.Hold{ID: id, Tenant: tenant(ctx), Run: req.GetRun(), Request: req.GetRequestId(), Reason: req.GetReason(),
		By: c.Name, At: s.d.Clock.Now()})
	if errors.Is(err, hold.ErrRequest) {
		return nil, rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "request id %q: %w", req.GetRequestId(), err).Field("request_id", err.Error())
	}
	if err != nil {
		return nil, err
	}
	out, err := s.declared(ctx, h)
	return &recorderv1.SetLegalHoldResponse{Hold: out}, err
}

// LiftLegalHold allows it again. The holder's reason stays beside the lifter's.
func (s *Service) LiftLegalHold(ctx context.Context, req *recorderv1.LiftLegalHoldRequest) (*recorderv1.LiftLegalHoldResponse, error) {
	c, _ := identity.FromContext(ctx)
	h, err := s.holds.Lift(ctx, tenant(ctx), req.GetHold(), hold.Lift{Reason: req.GetReason(), By: c.Name, At: s.d.Clock.Now()})
	if errors.Is(err, hold.ErrUnknown) {
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_HOLD_NOT_FOUND, "%q: %w; `provenir ledger hold list` lists them", req.GetHold(), err)
	}
	if err != nil {
		return nil, err
	}
	out, err := s.declared(ctx, h)
	return &recorderv1.LiftLegalHoldResponse{Hold: out}, err
}

// ListLegalHolds lists the tenant's.
func (s *Service) ListLegalHolds(ctx context.Context, req *recorderv1.ListLegalHoldsRequest) (*recorderv1.ListLegalHoldsResponse, error) {
	holds, err := s.holds.List(ctx, tenant(ctx), req.GetRun(), req.GetAll())
	if err != nil {
		return nil, err
	}
	resp := &recorderv1.ListLegalHoldsResponse{}
	for _, h := range holds {
		owed, err := s.owedRuns(ctx, h)
		if err != nil {
			return nil, err
		}
		resp.Holds = append(resp.Holds, legalHold(h, owed))
	}
	return resp, nil
}

// declared writes a hold into the findings of its runs, and answers with it.
func (s *Service) declared(ctx context.Context, h hold.Hold) (*recorderv1.LegalHold, error) {
	told, err := s.declareHold(ctx, h)
	if err != nil {
		s.d.Log.Warn("a legal hold waits to be declared", "hold", h.ID, "error", err.Error())
	}
	s.awaitAudit(ctx, told...)
	owed, err := s.owedRuns(ctx, h)
	if err != nil {
		return nil, err
	}
	return legalHold(h, owed), nil
}

func legalHold(h hold.Hold, owed []string) *recorderv1.LegalHold {
	out := &recorderv1.LegalHold{Hold: h.ID, Run: h.Run, Reason: h.Reason, SetBy: h.By, SetAt: timestamppb.New(h.At), Undeclared: owed}
	if h.Lifted != nil {
		out.LiftReason, out.LiftedBy, out.LiftedAt = h.Lifted.Reason, h.Lifted.By, timestamppb.New(h.Lifted.At)
	}
	return out
}

func ids(holds []hold.Hold) []string {
	out := make([]string, len(holds))
	for i, h := range holds {
		out[i] = h.ID
	}
	return out
}

// notHeld refuses to destroy what a legal hold keeps. The caller holds upkeep.
func (l *live) notHeld(ctx context.Context) error {
	holds, err := l.standing(ctx)
	if err != nil || len(holds) == 0 {
		return err
	}
	return &store.Fault{Kind: store.Held, Run: l.run.ID, Cause: fmt.Errorf("%v, set by %s: %s", slices.Sorted(slices.Values(ids(holds))), holds[0].By, holds[0].Reason)}
}
