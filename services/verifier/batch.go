package verifier

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/catalog"
	"github.com/provenir/provenir/services/verifier/verdict"
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
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if m.GetSpec() != nil || current == nil {
			if current, err = s.compiled.get(m.GetSpec()); err != nil {
				return err
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
		if bad := rowError(m, ids); bad != nil {
			answer <- &verifierv1.VerifyBatchResponse{Id: m.GetRow().GetRolloutId(), Result: &verifierv1.VerifyBatchResponse_Error{Error: bad}}
			continue
		}
		compiled, within := current, limit
		group.Go(func() error {
			answer <- s.row(ctx, m, compiled, within)
			return nil
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

func (s *Service) row(ctx context.Context, m *verifierv1.VerifyBatchRequest, compiled *catalog.Compiled, limit time.Duration) *verifierv1.VerifyBatchResponse {
	c, err := candidateOf(m.GetRow())
	if err != nil {
		return &verifierv1.VerifyBatchResponse{Id: c.ID, Result: &verifierv1.VerifyBatchResponse_Error{
			Error: &verifierv1.RowError{Code: "bad_row", Message: err.Error()}}}
	}
	if m.GetCheckTask() {
		return s.checkTask(ctx, &c, compiled, limit)
	}
	j := s.judge(ctx, compiled, &c, digestOf(m.GetRow().GetRollout()), limit)
	return &verifierv1.VerifyBatchResponse{Id: c.ID, Result: &verifierv1.VerifyBatchResponse_Verdict{Verdict: j.verdict}, Measured: j.measured}
}

// checkTask runs a row's own solution, which must pass, and an empty answer, which must fail. A reference alone is tried
// as it is and in the forms in which answers come, since a profile may read only what stands behind #### or in a box.
func (s *Service) checkTask(ctx context.Context, c *verdict.Candidate, compiled *catalog.Compiled, limit time.Duration) *verifierv1.VerifyBatchResponse {
	ok := false
	answer := func(j judged) *verifierv1.VerifyBatchResponse {
		return &verifierv1.VerifyBatchResponse{Id: c.ID, Result: &verifierv1.VerifyBatchResponse_Verdict{Verdict: j.verdict}, Measured: j.measured, TaskOk: &ok}
	}
	own := ownAnswers(c)
	if len(own) == 0 {
		v := verdict.Unscore(compiled.Name, verdict.BadRow, "the row has no reference, solution or completion to check with")
		return answer(judged{encode(&v, c.ID, compiled.Digest[:], nil), measure(0, 0)})
	}
	var best judged
	for i, response := range own {
		own := *c
		own.Response = response
		j := s.judge(ctx, compiled, &own, nil, limit)
		passed := j.verdict.GetScored().GetPassed()
		if i == 0 || passed {
			best = j
		}
		if passed {
			break
		}
	}
	if !best.verdict.GetScored().GetPassed() {
		return answer(best)
	}
	empty := *c
	empty.Response = ""
	if j := s.judge(ctx, compiled, &empty, nil, limit); j.verdict.GetScored() == nil || j.verdict.GetScored().GetPassed() {
		return answer(j)
	}
	ok = true
	return answer(best)
}

func ownAnswers(c *verdict.Candidate) []string {
	var out []string
	for _, key := range [...]string{"solution", "completion"} {
		if raw, ok := c.Row.Get(key); ok {
			if s, err := verdict.Text(raw); err == nil && s != "" {
				out = append(out, s)
			}
		}
	}
	refs, err := verdict.Fields{}.References(c.Row)
	if err != nil {
		return out
	}
	return append(out, refs[0], "#### "+refs[0], `\boxed{`+refs[0]+`}`)
}
