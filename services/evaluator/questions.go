package evaluator

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/evaluator/dataset"
)

// question is a row of the dataset with the answer to be scored.
type question struct {
	id         string
	line       uint64
	raw        []byte
	prompt     []byte
	references []string
	unusable   error // what is wrong with the references; only exact_match asks for them
	answer     []byte
	missing    bool // no prediction was given: unscored, never ""
}

// maxID is the verifier's bound of a candidate's name.
const maxID = 512

// questions reads the rows, all but for a limit. The first row that is wrong is named.
func (s *Service) questions(ctx context.Context, req *evaluatorv1.EvaluateRequest) ([]question, error) {
	f, err := s.open(ctx, req.GetDataset())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []question
	err = rows(f, func(r dataset.Row) error {
		if n := req.GetLimit(); n > 0 && uint64(len(out)) >= n {
			return nil
		}
		prompt, ok, err := r.Text("prompt")
		if err != nil || !ok {
			return invalidRow(r.Line, "no prompt")
		}
		q := question{id: r.ID, line: r.Line, raw: bytes.Clone(r.Raw), prompt: []byte(prompt)}
		if q.id == "" {
			q.id = fmt.Sprintf("row-%d", r.Line)
		}
		if len(q.id) > maxID {
			return invalidRow(r.Line, fmt.Sprintf("the id has %d bytes, at most %d", len(q.id), maxID))
		}
		q.references, q.unusable = r.References()
		out = append(out, q)
		return nil
	})
	if err == nil && len(out) == 0 {
		err = rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID, "the dataset has no rows: nothing to evaluate")
	}
	return out, err
}

// rows reads every row and stops the tale at the first line that is none: an evaluation of the others would be another's.
func rows(r io.Reader, f func(dataset.Row) error) error {
	var wrong error
	err := dataset.Each(r, f, func(line uint64, _, detail string) {
		if wrong == nil {
			wrong = invalidRow(line, detail)
		}
	})
	if err != nil {
		return err
	}
	return wrong
}

func invalidRow(line uint64, detail string) error {
	return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID, "row %d: %s", line, detail)
}

// sample lets the checkpoint answer, greedily. Each prompt is answered once, by the checkpoint that was asked.
func (s *Service) sample(ctx context.Context, req *evaluatorv1.EvaluateRequest, questions []question) ([]byte, error) {
	gen := &trainerv1.GenerateRequest{Checkpoint: req.GetCheckpoint(), MaxTokens: req.GetMaxTokens()}
	if gen.MaxTokens == 0 {
		gen.MaxTokens = 64
	}
	for _, q := range questions {
		gen.Prompts = append(gen.Prompts, q.prompt)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a stream that is left early would stay open
	stream, err := s.d.Trainer.Generate(ctx, gen)
	if err != nil {
		return nil, peer("trainer", err)
	}
	want, err := hex.DecodeString(req.GetCheckpoint())
	if err != nil {
		return nil, fmt.Errorf("checkpoint %q: %w", req.GetCheckpoint(), err)
	}
	answered := make([]bool, len(questions))
	for n := 0; ; n++ {
		m, err := stream.Recv()
		if err == io.EOF && n == len(questions) {
			return want, nil
		}
		if err == io.EOF {
			return nil, fmt.Errorf("the trainer answered %d of %d prompts", n, len(questions))
		}
		if err != nil {
			return nil, peer("trainer", fmt.Errorf("sample the held-out set: %w", err))
		}
		i := m.GetIndex()
		switch {
		case int(i) >= len(questions) || answered[i]:
			return nil, fmt.Errorf("the trainer answered prompt %d of %d, or answered it twice", i, len(questions))
		case !bytes.Equal(m.GetCheckpoint(), want):
			return nil, fmt.Errorf("checkpoint %x answered in the place of %x", m.GetCheckpoint(), want)
		}
		questions[i].answer, answered[i] = m.GetText(), true
	}
}
