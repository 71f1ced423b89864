package evaluator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

func (s *Service) outcomes(ctx context.Context, m metric, questions []question) ([]outcome, error) {
	if m.verifier != nil {
		return s.verify(ctx, m.verifier, questions)
	}
	return exact(questions)
}

// exact is exact_match with norm=plain: Unicode space around is trimmed, then the code points are compared. With several
// references the best counts.
func exact(questions []question) ([]outcome, error) {
	out := make([]outcome, len(questions))
	for i, q := range questions {
		switch {
		case q.unusable != nil:
			return nil, invalidRow(q.line, q.unusable.Error())
		case q.missing:
			out[i].reason = "missing_prediction"
		case len(q.references) == 0:
			out[i].reason = "no_reference"
		}
		answer := bytes.TrimSpace(q.answer)
		for _, r := range q.references {
			out[i].passed = out[i].passed || string(answer) == strings.TrimSpace(r)
		}
	}
	return out, nil
}

// verify sends every row that has an answer to the verifier and takes its verdicts in order.
func (s *Service) verify(ctx context.Context, spec *verifierv1.Spec, questions []question) ([]outcome, error) {
	out := make([]outcome, len(questions))
	var asked []int
	for i, q := range questions {
		if out[i].reason = "missing_prediction"; !q.missing {
			asked = append(asked, i)
		}
	}
	if len(asked) == 0 {
		return out, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.d.Verifier.VerifyBatch(ctx)
	if err != nil {
		return nil, peer("verifier", err)
	}
	sent := make(chan error, 1)
	go func() { sent <- send(stream, spec, questions, asked) }()
	for n, i := range asked {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("the verifier answered %d of %d rows", n, len(asked))
		}
		if err != nil {
			return nil, peer("verifier", fmt.Errorf("score the held-out set: %w", err))
		}
		if m.GetId() != questions[i].id {
			return nil, fmt.Errorf("the verifier answered row %q in the place of %q", m.GetId(), questions[i].id)
		}
		out[i] = read(m)
	}
	return out, <-sent
}

func send(stream verifierv1.VerifierService_VerifyBatchClient, spec *verifierv1.Spec, questions []question, asked []int) error {
	for n, i := range asked {
		q := questions[i]
		m := &verifierv1.VerifyBatchRequest{Row: &verifierv1.Candidate{RolloutId: q.id, Response: q.answer, RowJson: q.raw}}
		if n == 0 {
			m.Spec = spec
		}
		if err := stream.Send(m); err != nil {
			return nil // the receiver has the reason
		}
	}
	return stream.CloseSend()
}

// read takes a verdict. Whatever is no scored verdict is unscored with a reason: without one it would count as wrong.
func read(m *verifierv1.VerifyBatchResponse) outcome {
	v := m.GetVerdict()
	if v.GetScored() != nil {
		return outcome{passed: v.GetScored().GetPassed()}
	}
	if m.GetError() != nil {
		if code := m.GetError().GetCode(); code != "" {
			return outcome{reason: code}
		}
		return outcome{reason: "row_error"}
	}
	return outcome{reason: strings.ToLower(strings.TrimPrefix(v.GetUnscored().GetReason().String(), "UNSCORED_REASON_"))}
}
