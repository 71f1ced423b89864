package evaluator

import (
	"errors"
	"fmt"
	"net"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	evaluatorv1 "github.com/provenir/provenir/gen/provenir/evaluator/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// Whoever asks for an evaluation learns which role is away, and that the same call may succeed later.
func TestAPeerThatIsAwayIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := l.Addr().String()
	if err := l.Close(); err != nil { // nobody listens there now
		t.Fatal(err)
	}
	conn, err := rpc.Dial(rpc.DialConfig{Token: "x", Target: target})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for role, away := range map[string]func(*Service){
		"trainer":  func(s *Service) { s.d.Trainer = trainerv1.NewTrainerServiceClient(conn) },
		"verifier": func(s *Service) { s.d.Verifier = verifierv1.NewVerifierServiceClient(conn) },
	} {
		t.Run(role, func(t *testing.T) {
			r := newRig(t)
			req := &evaluatorv1.EvaluateRequest{Dataset: r.ingest(prompts("right")...), Checkpoint: "run@last", Metrics: []string{"verifier:math"}}
			away(r.service)
			_, err := r.evaluate(req)
			if !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_PEER_UNAVAILABLE) || rpc.Metadata(err, "role") != role || !rpc.Temporary(err) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestWhatAPeerSaysPasses(t *testing.T) {
	busy := rpc.Errorf(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_NOT_READY, "soon")
	for _, err := range []error{busy, fmt.Errorf("wrapped: %w", busy), status.Error(codes.NotFound, "no"), errors.New("other")} {
		if got := peer("trainer", err); !errors.Is(got, err) || rpc.Is(got, corev1.ErrorReason_ERROR_REASON_PEER_UNAVAILABLE) {
			t.Errorf("%v became %v", err, got)
		}
	}
}
