package rpc

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

func TestProblemSurvivesTheWire(t *testing.T) {
	p := Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_LOST, "run %s has a newer owner: %w", "abc", io.EOF).
		With("epoch", "7").Field("epoch", "is below 7")
	if !errors.Is(p, io.EOF) {
		t.Error("the cause is lost")
	}
	over := status.FromProto(p.GRPCStatus().Proto()).Err() // what a client sees
	if got := Reason(over); got != "LEASE_LOST" {
		t.Errorf("reason %q", got)
	}
	if got := Metadata(over, "epoch"); got != "7" {
		t.Errorf("metadata %q", got)
	}
	if !Is(fmt.Errorf("pump: %w", over), corev1.ErrorReason_ERROR_REASON_LEASE_LOST) {
		t.Error("a wrapped problem lost its reason")
	}
	if got := Message(over); got != "run abc has a newer owner: EOF" {
		t.Errorf("message %q", got)
	}
}

func TestPlainErrorsHaveNoReason(t *testing.T) {
	for _, err := range []error{nil, io.EOF, status.Error(codes.NotFound, "x")} {
		if got := Reason(err); got != "" {
			t.Errorf("Reason(%v) = %q", err, got)
		}
	}
	if Temporary(io.EOF) || !Temporary(status.Error(codes.Unavailable, "away")) {
		t.Error("Temporary is wrong")
	}
}
