package e2e

import (
	"context"
	"encoding/json"
	"net"
	"sync"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
)

// heldVerifier is a verifier in another process (the test's) that compares with the reference, and can be told to keep its
// answers back: then a step of the run stays under way for as long as the test wants.
type heldVerifier struct {
	verifierv1.UnimplementedVerifierServiceServer

	mu      sync.Mutex
	gate    chan struct{} // closed: answers are given
	after   int           // questions that are answered before the first one is kept back; negative: none is
	first   chan struct{} // closed when it is
	kept    map[string]bool
	twice   []string // asked again of those that were kept back
	counted bool
}

// serveHeld gives the verifier and its address.
func serveHeld(t *testing.T) (*heldVerifier, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &heldVerifier{after: -1, gate: make(chan struct{})}
	close(v.gate)
	s := grpc.NewServer()
	verifierv1.RegisterVerifierServiceServer(s, v)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return v, l.Addr().String()
}

func (v *heldVerifier) ListVerifiers(context.Context, *verifierv1.ListVerifiersRequest) (*verifierv1.ListVerifiersResponse, error) {
	return &verifierv1.ListVerifiersResponse{Verifiers: []*verifierv1.VerifierInfo{{Name: "same", Digest: make([]byte, 32)}}}, nil
}

func (v *heldVerifier) Verify(ctx context.Context, r *verifierv1.VerifyRequest) (*verifierv1.VerifyResponse, error) {
	c := r.GetCandidate()
	v.mu.Lock()
	if v.after >= 0 {
		if v.after--; v.after < 0 {
			v.gate = make(chan struct{})
		}
	}
	gate := v.gate
	select {
	case <-gate:
		if v.counted && v.kept[c.GetRolloutId()] {
			v.twice = append(v.twice, c.GetRolloutId())
		}
	default:
		if len(v.kept) == 0 {
			close(v.first)
		}
		v.kept[c.GetRolloutId()] = true
	}
	v.mu.Unlock()
	select {
	case <-gate:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var row struct{ Reference string }
	if err := json.Unmarshal(c.GetRowJson(), &row); err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	scored := &corev1.Scored{Passed: string(c.GetResponse()) == row.Reference}
	if scored.Passed {
		scored.Reward = 1
	}
	return &verifierv1.VerifyResponse{Verdict: &corev1.Verdict{RolloutId: c.GetRolloutId(), VerifierDigest: make([]byte, 32),
		Reason: "compared", Verdict: &corev1.Verdict_Scored{Scored: scored}}}, nil
}

// hold answers n questions of the next run and keeps the others back; the channel is closed when the first one is.
func (v *heldVerifier) hold(n int) <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.after, v.first, v.kept, v.twice, v.counted = n, make(chan struct{}), map[string]bool{}, nil, false
	return v.first
}

// release gives every answer.
func (v *heldVerifier) release() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.after = -1
	select {
	case <-v.gate:
	default:
		close(v.gate)
	}
}

// countAgain begins to note who is asked again of those that were kept back.
func (v *heldVerifier) countAgain() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.counted = true
}

func (v *heldVerifier) askedAgain() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.twice
}
