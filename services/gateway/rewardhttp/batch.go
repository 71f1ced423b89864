package rewardhttp

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// batch judges rows; verdicts come in their order. A row that cannot be read is unscored, as the service would say of
// one that lacks a column.
func (s *Server) batch(ctx context.Context, spec *verifierv1.Spec, rows []*verifierv1.Candidate) ([]*corev1.Verdict, error) {
	g, ctx := errgroup.WithContext(ctx)
	stream, err := s.verifier.VerifyBatch(ctx)
	if err != nil {
		return nil, err
	}
	g.Go(func() error {
		for i, row := range rows {
			m := &verifierv1.VerifyBatchRequest{Row: row}
			if i == 0 {
				m.Spec = spec
			}
			if err := stream.Send(m); errors.Is(err, io.EOF) {
				return nil // Recv says why
			} else if err != nil {
				return err
			}
		}
		return stream.CloseSend()
	})
	out := make([]*corev1.Verdict, 0, len(rows))
	g.Go(func() error {
		for {
			m, err := stream.Recv()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			v := m.GetVerdict()
			if v.GetVerdict() == nil {
				v = &corev1.Verdict{RolloutId: m.GetId(), Verdict: &corev1.Verdict_Unscored{Unscored: &corev1.Unscored{
					Reason: corev1.UnscoredReason_UNSCORED_REASON_BAD_ROW, Detail: m.GetError().GetCode() + ": " + m.GetError().GetMessage()}}}
			}
			out = append(out, v)
		}
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if len(out) != len(rows) {
		return nil, fmt.Errorf("%d verdicts for %d rows", len(out), len(rows))
	}
	return out, nil
}
