package evaluator

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	"github.com/provenir/provenir/internal/rpc"
)

func TestIngestAndDescribe(t *testing.T) {
	r := newRig(t)
	rows := []string{`{"id":"a","prompt":"p","reference":"1"}`, `not json`, `{"prompt":"q","extra":true}`}
	ref := r.ingest(rows...)
	want := sha256.Sum256([]byte(strings.Join(rows, "\n") + "\n"))
	if string(ref.GetDigest()) != string(want[:]) || ref.GetRows() != 2 || len(ref.GetOrderedRoot()) != 32 {
		t.Errorf("%v", ref)
	}
	if again := r.ingest(rows...); string(again.GetDigest()) != string(ref.GetDigest()) || string(again.GetOrderedRoot()) != string(ref.GetOrderedRoot()) {
		t.Errorf("the same bytes again: %v", again)
	}
	got, err := r.client.DescribeDataset(t.Context(), &evaluatorv1.DescribeDatasetRequest{DigestHex: hex.EncodeToString(ref.GetDigest())})
	if err != nil || got.GetName() != "test" || got.GetDataset().GetRows() != 2 || !slices.Equal(got.GetColumns(), []string{"extra", "id", "prompt", "reference"}) ||
		string(got.GetDataset().GetOrderedRoot()) != string(ref.GetOrderedRoot()) || got.GetSizeBytes() != uint64(len(strings.Join(rows, "\n"))+1) {
		t.Errorf("%v, %v", got, err)
	}
	for digest, reason := range map[string]corev1.ErrorReason{strings.Repeat("0", 64): corev1.ErrorReason_ERROR_REASON_DATASET_NOT_FOUND,
		"x": corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, strings.Repeat("A", 64): corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT} {
		if _, err := r.client.DescribeDataset(t.Context(), &evaluatorv1.DescribeDatasetRequest{DigestHex: digest}); !rpc.Is(err, reason) {
			t.Errorf("%s: %v", digest, err)
		}
	}
}

func TestAFormatThatIsNotKnown(t *testing.T) {
	r := newRig(t)
	stream, err := r.client.IngestDataset(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Send(&evaluatorv1.IngestDatasetRequest{Format: 9, Chunk: []byte("PAR1")}); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.CloseAndRecv(); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT) {
		t.Errorf("%v", err)
	}
}

func TestValidateDataset(t *testing.T) {
	r := newRig(t)
	train := r.ingest(`{"prompt":"a","reference":"1"}`, `{"prompt":"b"}`, `{"prompt":" c  d "}`)
	eval := r.ingest(`{"prompt":"c d","reference":"1"}`)
	for use, problems := range map[evaluatorv1.DatasetUse]uint64{evaluatorv1.DatasetUse_DATASET_USE_UNSPECIFIED: 0, evaluatorv1.DatasetUse_DATASET_USE_RL: 2,
		evaluatorv1.DatasetUse_DATASET_USE_EVAL: 2, evaluatorv1.DatasetUse_DATASET_USE_SFT: 3} {
		got, err := r.client.ValidateDataset(t.Context(), &evaluatorv1.ValidateDatasetRequest{Dataset: train, Use: use, DisjointFrom: []*corev1.DatasetRef{eval}})
		if err != nil || got.GetProblemCount() != problems || got.GetRows() != 3 || got.GetShared()[0].GetRows() != 1 || got.GetShared()[0].GetExamples()[0] != 3 {
			t.Errorf("%s: %v, %v", use, got, err)
		}
	}
	absent := &corev1.DatasetRef{Digest: make([]byte, 32)}
	for _, q := range []*evaluatorv1.ValidateDatasetRequest{{Dataset: absent}, {Dataset: train, DisjointFrom: []*corev1.DatasetRef{absent}}} {
		if _, err := r.client.ValidateDataset(t.Context(), q); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_DATASET_NOT_FOUND) {
			t.Errorf("%v", err)
		}
	}
}
