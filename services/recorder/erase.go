package recorder

import (
	"context"
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/rowgroup"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
	"github.com/provenir/provenir/services/recorder/vault"
)

// EraseGroup destroys the key and the salt of an erasure group, of a row's, or of all of a run's, then says so in findings:
// who, why, how many records. The deed comes before the record of it; a crash in between is mended by asking again, which
// destroys nothing twice and gives the same answer.
func (s *Service) EraseGroup(ctx context.Context, req *recorderv1.EraseGroupRequest) (*recorderv1.EraseGroupResponse, error) {
	group, err := groupOf(req)
	if err != nil {
		return nil, err
	}
	l, err := s.get(ctx, tenant(ctx), req.GetRun(), false)
	if err != nil {
		return nil, problem(err)
	}
	l.upkeep.Lock()
	defer l.upkeep.Unlock()
	if err := l.notHeld(ctx); err != nil {
		return nil, problem(err)
	}
	if err := l.deed(ctx); err != nil {
		return nil, err
	}
	id, err := l.destroy(ctx, group)
	if err != nil {
		return nil, problem(err)
	}
	resp, err := l.erasure(ctx, id)
	if resp != nil {
		s.mark(l)
		resp.AuditIndex = s.awaitAudit(ctx, place{l, resp.GetFindingSeq()})
	}
	if err != nil || resp != nil {
		return resp, problem(err)
	}
	n, err := l.countGroup(ctx, id)
	if err != nil {
		return nil, problem(err)
	}
	c, _ := identity.FromContext(ctx)
	payload, err := proto.MarshalOptions{Deterministic: true}.Marshal(&recorderv1.Erasure{GroupId: id, Records: n, Reason: req.GetReason(), By: c.Name,
		At: timestamppb.New(s.d.Clock.Now()), WholeRun: id == nil})
	if err != nil {
		return nil, fmt.Errorf("declare an erasure: %w", err)
	}
	findings := l.log(ledger.Findings)
	seq, err := findings.AppendNext(ctx, []store.Record{{Type: ledger.Erasure, Payload: payload}})
	if err == nil {
		err = findings.Sync(ctx)
	}
	if err != nil {
		return nil, problem(err)
	}
	s.mark(l)
	return &recorderv1.EraseGroupResponse{Records: n, FindingSeq: seq, AuditIndex: s.awaitAudit(ctx, place{l, seq})}, nil
}

// groupOf is the group that a request names; empty for the whole run.
func groupOf(req *recorderv1.EraseGroupRequest) (string, error) {
	named := 0
	for _, is := range []bool{req.GetGroup() != "", req.GetRow() != "", req.GetWholeRun()} {
		if is {
			named++
		}
	}
	if named != 1 {
		return "", rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
			"name one of group, row and whole_run").Field("group", "exactly one of group, row, whole_run")
	}
	if req.GetRow() != "" {
		return rowgroup.Name(req.GetRow()), nil
	}
	return req.GetGroup(), nil
}

// destroy erases the keys of a group and gives its number, or those of all groups, which have none together. What the
// monitor knows is written down first: a restart could not learn it any more.
func (l *live) destroy(ctx context.Context, group string) (id []byte, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if group == "" && !l.run.Sealed() {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED,
			"run %s is not sealed: without keys it could not go on. Cancel it, or erase a group or a row", l.run.ID)
	}
	if !l.salted {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_OPTION_UNSUPPORTED,
			"run %s is not salted: its payloads are stored as they are, and erasing them would break its proofs", l.run.ID)
	}
	findings := l.log(ledger.Findings)
	if err := findings.Broken(); err != nil { // the erasure could not be declared
		return id, err
	}
	if err := l.log(ledger.Events).Sync(ctx); err != nil {
		return id, err
	}
	if l.mon.Next() > 0 {
		if err := l.storeLocked(ctx); err != nil {
			return id, err
		}
		if err := findings.Sync(ctx); err != nil {
			return id, err
		}
	}
	if group == "" {
		err = l.s.vault.EraseRun(ctx, l.tenant, l.run.ID)
	} else {
		var number [16]byte
		number, err = l.s.vault.Erase(ctx, l.tenant, l.run.ID, group)
		id = number[:]
	}
	switch {
	case errors.Is(err, vault.ErrNoGroup):
		return id, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "run %s: %w", l.run.ID, err).Field("group", err.Error())
	case errors.Is(err, vault.ErrStillThere):
		return id, rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_OVERLOADED, "%w", err)
	}
	return id, err
}

// erasure finds what findings says of a group's erasure; nil for one that is not declared yet.
func (l *live) erasure(ctx context.Context, id []byte) (*recorderv1.EraseGroupResponse, error) {
	for f, err := range l.log(ledger.Findings).Events(ctx, store.Query{Types: []ledger.RecordType{ledger.Erasure}}) {
		if err != nil {
			return nil, err
		}
		e := &recorderv1.Erasure{}
		if err := proto.Unmarshal(f.Stored, e); err != nil {
			return nil, fmt.Errorf("finding %d: %w", f.Seq, err)
		}
		if e.GetWholeRun() == (id == nil) && string(e.GetGroupId()) == string(id) {
			return &recorderv1.EraseGroupResponse{Records: e.GetRecords(), FindingSeq: f.Seq}, nil
		}
	}
	return nil, nil
}

// countGroup counts the records of a group, or of all groups. A log with damage is counted as far as it can be read.
func (l *live) countGroup(ctx context.Context, id []byte) (n uint64, err error) {
	for f, err := range l.log(ledger.Events).Events(ctx, store.Query{Damaged: true}) {
		if store.KindOf(err) == store.Corrupt {
			continue
		}
		if err != nil {
			return n, err
		}
		if g, ok := vault.GroupOf(f); ok && (id == nil || string(g[:]) == string(id)) {
			n++
		}
	}
	return n, nil
}
