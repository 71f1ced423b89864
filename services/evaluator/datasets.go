package evaluator

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/evaluator/dataset"
)

// IngestDataset stores the bytes as they are and reads them once.
func (s *Service) IngestDataset(stream evaluatorv1.EvaluatorService_IngestDatasetServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	if f := first.GetFormat(); f != corev1.DatasetFormat_DATASET_FORMAT_UNSPECIFIED && f != corev1.DatasetFormat_DATASET_FORMAT_JSONL {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "format %d is not known here; send JSONL", f).Field("format", "unknown")
	}
	d, size, err := s.d.Blobs.Put(stream.Context(), &chunks{stream: stream, rest: first.GetChunk()}, nil)
	if err != nil {
		return err
	}
	f, err := s.d.Blobs.Open(stream.Context(), d)
	if err != nil {
		return err
	}
	defer f.Close()
	facts, err := dataset.Learn(f)
	if err != nil {
		return err
	}
	columns, err := json.Marshal(facts.Columns)
	if err != nil {
		return err
	}
	_, err = s.d.DB.Exec(stream.Context(), `INSERT INTO datasets (digest, name, size, rows, bad, root, columns) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (digest) DO NOTHING`, d.String(), first.GetName(), size, facts.Rows, facts.Bad, facts.Root[:], string(columns))
	if err != nil {
		return err
	}
	return stream.SendAndClose(&evaluatorv1.IngestDatasetResponse{SizeBytes: uint64(size), Dataset: &corev1.DatasetRef{Digest: d[:],
		OrderedRoot: facts.Root[:], Rows: facts.Rows, Format: corev1.DatasetFormat_DATASET_FORMAT_JSONL}})
}

// chunks reads the bytes of a stream of messages.
type chunks struct {
	stream evaluatorv1.EvaluatorService_IngestDatasetServer
	rest   []byte
}

func (c *chunks) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		m, err := c.stream.Recv()
		if err != nil {
			return 0, err // io.EOF at the end
		}
		c.rest = m.GetChunk()
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// open reads a dataset's file.
func (s *Service) open(ctx context.Context, ref *corev1.DatasetRef) (*os.File, error) {
	d, err := blob.ParseDigest(ref.GetDigest())
	if err != nil {
		return nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "dataset: %w", err)
	}
	f, err := s.d.Blobs.Open(ctx, d)
	if errors.Is(err, blob.ErrMissing) {
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_DATASET_NOT_FOUND, "dataset %s is not in the store; ingest it first", d)
	}
	return f, err
}

// ValidateDataset reads every row, and the prompts of the others.
func (s *Service) ValidateDataset(ctx context.Context, req *evaluatorv1.ValidateDatasetRequest) (*evaluatorv1.ValidateDatasetResponse, error) {
	need := dataset.Need{
		Reference:  req.GetUse() == evaluatorv1.DatasetUse_DATASET_USE_RL || req.GetUse() == evaluatorv1.DatasetUse_DATASET_USE_EVAL,
		Completion: req.GetUse() == evaluatorv1.DatasetUse_DATASET_USE_SFT,
	}
	report, err := s.report(ctx, req.GetDataset(), need)
	if err != nil {
		return nil, err
	}
	out := &evaluatorv1.ValidateDatasetResponse{ProblemCount: report.Count, Rows: report.Rows}
	for _, p := range report.Problems {
		out.Problems = append(out.Problems, &evaluatorv1.RowProblem{Row: p.Row, Id: p.ID, Kind: p.Kind, Detail: p.Detail})
	}
	for _, other := range req.GetDisjointFrom() {
		o, err := s.report(ctx, other, dataset.Need{})
		if err != nil {
			return nil, err
		}
		rows, examples := dataset.Shared(report, o)
		out.Shared = append(out.Shared, &evaluatorv1.SharedRows{Digest: other.GetDigest(), Rows: rows, Examples: examples})
	}
	return out, nil
}

func (s *Service) report(ctx context.Context, ref *corev1.DatasetRef, need dataset.Need) (dataset.Report, error) {
	f, err := s.open(ctx, ref)
	if err != nil {
		return dataset.Report{}, err
	}
	defer f.Close()
	return dataset.Validate(f, need)
}

// DescribeDataset says what ingest learned.
func (s *Service) DescribeDataset(ctx context.Context, req *evaluatorv1.DescribeDatasetRequest) (*evaluatorv1.DescribeDatasetResponse, error) {
	digest, err := hex.DecodeString(req.GetDigestHex())
	if err != nil {
		return nil, err // the field rule has checked it
	}
	out := &evaluatorv1.DescribeDatasetResponse{Dataset: &corev1.DatasetRef{Digest: digest, Format: corev1.DatasetFormat_DATASET_FORMAT_JSONL}}
	var columns string
	err = s.d.DB.QueryRow(ctx, `SELECT name, size, rows, root, columns FROM datasets WHERE digest = ?`, req.GetDigestHex()).
		Scan(&out.Name, &out.SizeBytes, &out.Dataset.Rows, &out.Dataset.OrderedRoot, &columns)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_DATASET_NOT_FOUND, "no dataset %s; ingest it first", req.GetDigestHex())
	}
	if err != nil {
		return nil, err
	}
	return out, json.Unmarshal([]byte(columns), &out.Columns)
}
