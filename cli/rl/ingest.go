package rl

import (
	"context"
	"errors"
	"io"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
)

// ingest streams bytes into the dataset store.
func ingest(ctx context.Context, c evaluatorv1.EvaluatorServiceClient, name string, r io.Reader) (*corev1.DatasetRef, error) {
	stream, err := c.IngestDataset(ctx)
	if err != nil {
		return nil, err
	}
	m := &evaluatorv1.IngestDatasetRequest{Name: name, Format: corev1.DatasetFormat_DATASET_FORMAT_JSONL}
	for {
		buf := make([]byte, 1<<20)
		n, err := io.ReadFull(r, buf)
		end := err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !end {
			return nil, err
		}
		m.Chunk = buf[:n]
		if err := stream.Send(m); err != nil && err != io.EOF {
			return nil, err
		}
		if end {
			break
		}
		m = &evaluatorv1.IngestDatasetRequest{}
	}
	resp, err := stream.CloseAndRecv()
	return resp.GetDataset(), err
}
