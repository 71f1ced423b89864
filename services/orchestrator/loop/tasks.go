package loop

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/blob"
	"github.com/provenir/provenir/internal/rpc"
)

// checkTasks lets the verifier judge every row's own reference, which must pass, and an empty answer, which must fail. A
// row whose reference cannot be parsed would be unscored at every visit and teach nothing.
func (o *Owner) checkTasks(ctx context.Context, d *corev1.DatasetRef) error {
	digest, err := blob.ParseDigest(d.GetDigest())
	if err != nil {
		return err
	}
	f, err := o.Blobs.Open(ctx, digest)
	if err != nil {
		return rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_DATASET_NOT_FOUND, "dataset %s: %w", digest, err)
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := o.Peers.Verifier.VerifyBatch(ctx)
	if err != nil {
		return err
	}
	sent := make(chan error, 1)
	go func() { sent <- o.sendTasks(stream, f) }()
	bad, total, err := badTasks(stream)
	if err != nil {
		return err
	}
	if err := <-sent; err != nil {
		return err
	}
	if len(bad) > 0 {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_VERIFIER_INVALID,
			"the verifier does not accept the own reference of %d rows: %s", total, strings.Join(bad, "; "))
	}
	return nil
}

func (o *Owner) sendTasks(stream verifierv1.VerifierService_VerifyBatchClient, r io.Reader) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), 4<<20)
	first := true
	for line := 1; s.Scan(); line++ {
		b := bytes.TrimSpace(s.Bytes())
		if len(b) == 0 {
			continue
		}
		m := &verifierv1.VerifyBatchRequest{CheckTask: true, Row: &verifierv1.Candidate{RolloutId: fmt.Sprintf("row %d", line), RowJson: bytes.Clone(b)}}
		if first {
			m.Spec = o.Run.GetSpec().GetVerifier()
		}
		first = false
		if err := stream.Send(m); err == io.EOF {
			return nil // the receiver has the reason
		} else if err != nil {
			return err
		}
	}
	if err := s.Err(); err != nil {
		return err
	}
	return stream.CloseSend()
}

// badTasks gives the first 20 rows that do not hold, and how many there are.
func badTasks(stream verifierv1.VerifierService_VerifyBatchClient) ([]string, int, error) {
	var bad []string
	count := 0
	for {
		m, err := stream.Recv()
		if err == io.EOF {
			return bad, count, nil
		}
		if err != nil {
			return nil, 0, err
		}
		if m.GetTaskOk() {
			continue
		}
		if count++; count > 20 {
			continue
		}
		why := m.GetError().GetMessage()
		if v := m.GetVerdict(); v != nil {
			why = strings.TrimSpace(v.GetReason() + " " + v.GetUnscored().GetDetail())
		}
		bad = append(bad, m.GetId()+": "+why)
	}
}
