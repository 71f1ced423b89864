package verifier

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/verifier/catalog"
)

// batchAhead is how many rows may be under way: answers come in input order, so a slow row holds those behind it.
const batchAhead = 256

// VerifyBatch judges rows and answers in their order. A bad row gets an error and the others go on.
func (s *Service) VerifyBatch(stream verifierv1.VerifierService_VerifyBatchServer) error {
	group, ctx := errgroup.WithContext(stream.Context())
	order := make(chan chan *verifierv1.VerifyBatchResponse, batchAhead)
	group.Go(func() error {
		for answer := range order {
			select {
			case m := <-answer:
				if err := stream.Send(m); err != nil {
					return err
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	group.Go(func() error {
		defer close(order) // the only writer of order is this goroutine
		return s.readRows(ctx, stream, order, group)
	})
	return group.Wait()
}

func (s *Service) readRows(ctx context.Context, stream verifierv1.VerifierService_VerifyBatchServer, order chan<- chan *verifierv1.VerifyBatchResponse, group *errgroup.Group) error {
	var current *catalog.Compiled
	limit := s.cfg.Deadline
	ids := map[[16]byte]struct{}{}
	var own *verifierv1.RowError // of a spec that came with a row: its fault, and that of rows that go by the same spec
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if m.GetSpec() != nil || current == nil {
			next, err := s.specs(ctx).get(m.GetSpec())
			switch {
			case err == nil:
				current, own = next, nil
			case current == nil || m.GetRow() == nil:
				return err
			default:
				own = &verifierv1.RowError{Code: strings.ToLower(rpc.Reason(err)), Message: rpc.Message(err)}
			}
		}
		if m.GetDeadline() != nil {
			if limit, err = s.limitOf(m.GetDeadline()); err != nil {
				return err
			}
		}
		if m.GetRow() == nil {
			continue // a request that only brings a spec
		}
		answer := make(chan *verifierv1.VerifyBatchResponse, 1)
		select {
		case order <- answer:
		case <-ctx.Done():
			return ctx.Err()
		}
		bad := rowError(m, ids)
		if bad == nil {
			bad = own
		}
		if bad != nil {
			answer <- &verifierv1.VerifyBatchResponse{Id: m.GetRow().GetRolloutId(), Result: &verifierv1.VerifyBatchResponse_Error{Error: bad}}
			continue
		}
		compiled, within := current, limit
		group.Go(func() error {
			m, err := s.row(ctx, m, compiled, within)
			if err == nil {
				answer <- m
			}
			return err
		})
	}
}

// rowError says what is wrong with a row's id.
func rowError(m *verifierv1.VerifyBatchRequest, ids map[[16]byte]struct{}) *verifierv1.RowError {
	id := m.GetRow().GetRolloutId()
	if id == "" && len(m.GetRow().GetRollout()) == 0 {
		return &verifierv1.RowError{Code: "missing_id", Message: "the row has no id; give every row its own"}
	}
	if id == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(id)) // half of it is enough, and a row's id may be long
	key := [16]byte(sum[:16])
	if _, again := ids[key]; again {
		return &verifierv1.RowError{Code: "duplicate_id", Message: "another row has the id " + id}
	}
	ids[key] = struct{}{}
	return nil
}

func (s *Service) row(ctx context.Context, m *verifierv1.VerifyBatchRequest, compiled *catalog.Compiled, limit time.Duration) (*verifierv1.VerifyBatchResponse, error) {
	c, bad, err := s.candidate(ctx, m.GetRow())
	if err != nil {
		return nil, err
	}
	if bad != "" {
		return &verifierv1.VerifyBatchResponse{Id: c.ID, Result: &verifierv1.VerifyBatchResponse_Error{
			Error: &verifierv1.RowError{Code: "bad_row", Message: bad}}}, nil
	}
	if m.GetCheckTask() {
		return s.checkTask(ctx, &c, compiled, limit), nil
	}
	j, err := s.judge(ctx, compiled, &c, digestOf(m.GetRow().GetRollout()), limit)
	if err != nil {
		return nil, err
	}
	return &verifierv1.VerifyBatchResponse{Id: c.ID, Result: &verifierv1.VerifyBatchResponse_Verdict{Verdict: j.verdict}, Measured: j.measured, Heldout: j.heldout}, nil
}
