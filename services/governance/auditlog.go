package governance

import (
	"context"
	"errors"
	"strings"
	"time"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	governancev1 "github.com/provenir/provenir/gen/provenir/governance/v1"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/governance/audit"
)

// AppendAudit logs what another role did. Who reports it and for which tenant comes from the credential, the entry's time
// from this clock.
func (s *Service) AppendAudit(ctx context.Context, req *governancev1.AppendAuditRequest) (*governancev1.AppendAuditResponse, error) {
	caller, _ := identity.FromContext(ctx) // the chain lets nobody through without one
	e := req.GetEvent()
	var happened time.Time
	if e.GetHappened() != nil {
		happened = e.GetHappened().AsTime()
	}
	index, err := s.audit.Append(ctx, req.GetRequestId(), audit.Event{Tenant: caller.Tenant, Actor: caller.Name, Service: e.GetService(), Action: actionName(e.GetAction()),
		By: e.GetBy(), SubjectID: e.GetSubjectId(), Digest: e.GetSubjectDigest(), RunID: e.GetRunId(), Outcome: e.GetOutcome(),
		Happened: happened, Details: e.GetDetails()})
	if err != nil {
		return nil, auditProblem(err)
	}
	proof, err := s.audit.Proof(ctx, index)
	if err != nil {
		return nil, auditProblem(err)
	}
	return &governancev1.AppendAuditResponse{Index: index, TlogProof: proof}, nil
}

// actionName is an action as leaves have it: ledger.erase.
func actionName(a governancev1.AuditAction) string {
	return strings.Replace(strings.ToLower(strings.TrimPrefix(a.String(), "AUDIT_ACTION_")), "_", ".", 1)
}

const auditPage = 100

// ListAudit lists the tenant's entries.
func (s *Service) ListAudit(ctx context.Context, req *governancev1.ListAuditRequest) (*governancev1.ListAuditResponse, error) {
	caller, _ := identity.FromContext(ctx)
	size := int(req.GetPageSize())
	if size == 0 {
		size = auditPage
	}
	entries, err := s.audit.List(ctx, caller.Tenant, req.GetFromIndex(), size+1)
	if err != nil {
		return nil, err
	}
	resp := &governancev1.ListAuditResponse{}
	for i, e := range entries {
		if i == size {
			resp.NextIndex = &e.Index
			break
		}
		resp.Entries = append(resp.Entries, &governancev1.AuditEntry{Index: e.Index, Leaf: e.Leaf})
	}
	return resp, nil
}

// GetAuditProof proves an entry.
func (s *Service) GetAuditProof(ctx context.Context, req *governancev1.GetAuditProofRequest) (*governancev1.GetAuditProofResponse, error) {
	proof, err := s.audit.Proof(ctx, req.GetIndex())
	if err != nil {
		return nil, auditProblem(err)
	}
	vkey, err := s.keys.LogVKey()
	if err != nil {
		return nil, err
	}
	return &governancev1.GetAuditProofResponse{TlogProof: proof, Vkey: vkey}, nil
}

func auditProblem(err error) error {
	switch {
	case errors.Is(err, audit.ErrRequest):
		return rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%w", err).Field("request_id", err.Error())
	case errors.Is(err, audit.ErrLeaf):
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%w", err).Field("event", err.Error())
	case errors.Is(err, audit.ErrUnknown):
		return rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "%w", err).Field("index", err.Error())
	}
	return keyProblem(err)
}
