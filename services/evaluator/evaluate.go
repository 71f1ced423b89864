package evaluator

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/evaluator/dataset"
)

// question is a row of the dataset with the answer to be scored.
type question struct {
	id      string
	raw     []byte
	prompt  []byte
	answer  []byte
	missing bool // no prediction was given: unscored, never ""
}

// Evaluate answers and scores a dataset. Everything in it is a function of (dataset, checkpoint, metrics), so the result
// of a checkpoint is cached.
func (s *Service) Evaluate(ctx context.Context, req *evaluatorv1.EvaluateRequest) (*evaluatorv1.EvaluateResponse, error) {
	if (req.GetCheckpoint() == "") == (req.GetPredictions() == nil) {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "give either checkpoint or predictions")
	}
	metrics, err := parseMetrics(req)
	if err != nil {
		return nil, err
	}
	key, err := s.key(ctx, req)
	if err != nil {
		return nil, err
	}
	if b, ok := s.d.Cache.Get(ctx, key); ok {
		out := &evaluatorv1.EvaluateResponse{}
		if proto.Unmarshal(b, out) == nil {
			return out, nil
		}
	}
	questions, err := s.questions(ctx, req)
	if err != nil {
		return nil, err
	}
	e := &evaluatorv1.Evaluation{Dataset: req.GetDataset().GetDigest()}
	if req.GetCheckpoint() != "" {
		e.Checkpoint, err = s.sample(ctx, req, questions)
	} else {
		err = s.predictions(ctx, req.GetPredictions(), questions)
	}
	if err != nil {
		return nil, err
	}
	if err := s.score(ctx, req, metrics, questions, e); err != nil {
		return nil, err
	}
	out := &evaluatorv1.EvaluateResponse{Evaluation: e}
	if b, err := proto.Marshal(out); err == nil {
		s.d.Cache.Set(ctx, key, b, time.Hour)
	}
	return out, nil
}

// key names a request by content. run@last moves, so a checkpoint is resolved first.
func (s *Service) key(ctx context.Context, req *evaluatorv1.EvaluateRequest) (string, error) {
	r := proto.CloneOf(req)
	if r.GetCheckpoint() != "" {
		c, err := s.d.Trainer.GetCheckpoint(ctx, &trainerv1.GetCheckpointRequest{Checkpoint: r.GetCheckpoint()})
		if err != nil {
			return "", err
		}
		r.Checkpoint = hex.EncodeToString(c.GetCheckpoint().GetDigest())
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(r)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("evaluate/v1/%x", sha256.Sum256(b)), nil
}

func (s *Service) questions(ctx context.Context, req *evaluatorv1.EvaluateRequest) ([]question, error) {
	f, err := s.open(ctx, req.GetDataset())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []question
	var wrong error
	err = dataset.Each(f, func(r dataset.Row) error {
		if n := req.GetLimit(); n > 0 && uint64(len(out)) >= n {
			return nil
		}
		prompt, ok, err := r.Text("prompt")
		if err != nil || !ok {
			return invalidRow(r.Line, "no prompt")
		}
		q := question{id: r.ID, raw: bytes.Clone(r.Raw), prompt: []byte(prompt)}
		if q.id == "" {
			q.id = fmt.Sprintf("row-%d", r.Line)
		}
		out = append(out, q)
		return nil
	}, func(line uint64, _, detail string) { wrong = invalidRow(line, detail) })
	if err == nil {
		err = wrong
	}
	if err == nil && len(out) == 0 {
		err = rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID, "the dataset has no rows")
	}
	return out, err
}

func invalidRow(line uint64, detail string) error {
	return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID, "row %d: %s", line, detail)
}

// sample lets the checkpoint answer, greedily.
func (s *Service) sample(ctx context.Context, req *evaluatorv1.EvaluateRequest, questions []question) ([]byte, error) {
	gen := &trainerv1.GenerateRequest{Checkpoint: req.GetCheckpoint(), MaxTokens: req.GetMaxTokens()}
	if gen.MaxTokens == 0 {
		gen.MaxTokens = 64
	}
	for _, q := range questions {
		gen.Prompts = append(gen.Prompts, q.prompt)
	}
	stream, err := s.d.Trainer.Generate(ctx, gen)
	if err != nil {
		return nil, err
	}
	var digest []byte
	answered := 0
	for {
		m, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("sample the held-out set: %w", err)
		}
		if int(m.GetIndex()) >= len(questions) {
			return nil, fmt.Errorf("the trainer answered prompt %d of %d", m.GetIndex(), len(questions))
		}
		questions[m.GetIndex()].answer, digest = m.GetText(), m.GetCheckpoint()
		answered++
	}
	if answered != len(questions) {
		return nil, fmt.Errorf("the trainer answered %d of %d prompts", answered, len(questions))
	}
	return digest, nil
}

// predictions joins by id. A row without a prediction is unscored.
func (s *Service) predictions(ctx context.Context, ref *corev1.DatasetRef, questions []question) error {
	f, err := s.open(ctx, ref)
	if err != nil {
		return err
	}
	defer f.Close()
	given := map[string]string{}
	var wrong error
	err = dataset.Each(f, func(r dataset.Row) error {
		text, ok, err := r.Text("prediction")
		if err != nil {
			return invalidRow(r.Line, err.Error())
		}
		if _, twice := given[r.ID]; twice || r.ID == "" {
			return invalidRow(r.Line, "predictions need an id each, once")
		}
		if ok {
			given[r.ID] = text
		}
		return nil
	}, func(line uint64, _, detail string) { wrong = invalidRow(line, detail) })
	if err == nil {
		err = wrong
	}
	for i := range questions {
		text, ok := given[questions[i].id]
		questions[i].answer, questions[i].missing = []byte(text), !ok
	}
	return err
}

// store keeps the rows and gives their digest.
func (s *Service) store(ctx context.Context, rows *evaluatorv1.EvaluationRows) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(rows)
	if err != nil {
		return nil, err
	}
	d, _, err := s.d.Blobs.Put(ctx, bytes.NewReader(b), nil)
	return d[:], err
}

func (s *Service) baseline(ctx context.Context, digest []byte) (*evaluatorv1.EvaluationRows, error) {
	d, err := blob.ParseDigest(digest)
	if err != nil {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "baseline: %w", err)
	}
	b, err := s.d.Blobs.Read(ctx, d, 1<<30)
	if err != nil {
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_BLOB_MISSING, "baseline: %w", err)
	}
	out := &evaluatorv1.EvaluationRows{}
	return out, proto.Unmarshal(b, out)
}
