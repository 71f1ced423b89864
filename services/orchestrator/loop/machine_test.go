package loop

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/internal/rpc"
)

func problem(code codes.Code, why corev1.ErrorReason) error {
	return fmt.Errorf("wrapped: %w", rpc.Errorf(code, why, "because"))
}

func TestWhatFollowsAnAttempt(t *testing.T) {
	for _, c := range []struct {
		name      string
		err       error
		cancelled bool
		next      move
		why       string
	}{
		{"the end", nil, false, done, ""},
		{"the end, and cancelled too late", nil, true, done, ""},
		{"killed by a test", fmt.Errorf("x: %w", faultline.ErrKilled), false, leave, ""},
		{"lease lost", problem(codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_LOST), false, leave, "LEASE_LOST"},
		{"lease lost and cancelled", problem(codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_LOST), true, leave, "LEASE_LOST"},
		{"disk full", problem(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_LEDGER_DISK_FULL), false, wait, disk},
		{"disk full and cancelled", problem(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_LEDGER_DISK_FULL), true, abandon, disk},
		{"a role is away", status.Error(codes.Unavailable, "no route"), false, wait, "a role of the mesh: no route"},
		{"a role is not ready", problem(codes.Unavailable, corev1.ErrorReason_ERROR_REASON_NOT_READY), false, wait, "a role of the mesh: wrapped: NOT_READY: because"},
		{"another stream of ours", problem(codes.Aborted, corev1.ErrorReason_ERROR_REASON_STREAM_REPLACED), false, wait, "the trainer"},
		{"a stream that was cancelled", status.Error(codes.Canceled, "gone"), false, wait, "the trainer"},
		{"the engine failed", problem(codes.Aborted, corev1.ErrorReason_ERROR_REASON_INTERNAL), false, again, "INTERNAL"},
		{"the engine was lost", problem(codes.Aborted, corev1.ErrorReason_ERROR_REASON_ENGINE_LOST), false, again, "ENGINE_LOST"},
		{"the engine failed and the run is cancelled", problem(codes.Aborted, corev1.ErrorReason_ERROR_REASON_INTERNAL), true, abandon, "INTERNAL"},
		{"something without a reason", io.ErrUnexpectedEOF, false, again, ""},
		{"other bytes", problem(codes.Aborted, corev1.ErrorReason_ERROR_REASON_DIVERGENT_REPLAY), false, giveUp, "RESUME_DIVERGED"},
		{"other bytes, and cancelled", problem(codes.Aborted, corev1.ErrorReason_ERROR_REASON_DIVERGENT_REPLAY), true, giveUp, "RESUME_DIVERGED"},
		{"a bad dataset", problem(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_DATASET_INVALID), false, giveUp, "DATASET_INVALID"},
		{"a damaged ledger", problem(codes.DataLoss, corev1.ErrorReason_ERROR_REASON_LEDGER_CORRUPT), false, giveUp, "LEDGER_CORRUPT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if next, why := (&machine{}).after(c.err, c.cancelled); next != c.next || why != c.why {
				t.Errorf("got %d, %q; want %d, %q", next, why, c.next, c.why)
			}
		})
	}
}

// Whatever ends a run's attempts in whatever order: a crash is followed by three more tries at most, waiting costs none of
// them, and a cancelled run never waits.
func TestAnySequenceOfEndings(t *testing.T) {
	endings := []error{nil, faultline.ErrKilled, status.Error(codes.Unavailable, "away"), io.ErrUnexpectedEOF, errors.New("x"),
		problem(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_LEDGER_DISK_FULL), problem(codes.Aborted, corev1.ErrorReason_ERROR_REASON_DIVERGENT_REPLAY),
		problem(codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_LOST)}
	for seed := range uint64(500) {
		rng := rand.New(rand.NewPCG(seed, 0))
		m, tries := &machine{}, 0
		for range 50 {
			err, cancelled := endings[rng.IntN(len(endings))], rng.IntN(8) == 0
			next, _ := m.after(err, cancelled)
			if next == again {
				tries++
			}
			switch kind, _ := classify(err); {
			case tries > maxCrashes:
				t.Fatalf("seed %d: a %d. try after crashes", seed, tries)
			case cancelled && (next == wait || next == again):
				t.Fatalf("seed %d: a cancelled run goes on after %v", seed, err)
			case (next == done) != (err == nil):
				t.Fatalf("seed %d: %v ends the run", seed, err)
			case kind == dead && next != leave:
				t.Fatalf("seed %d: an owner that lost the run goes on with it", seed)
			case kind == passing && !cancelled && next != wait:
				t.Fatalf("seed %d: %v will pass and is not waited for", seed, err)
			}
		}
	}
}
