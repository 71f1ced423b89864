package rpc_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/grpctest"
	"github.com/provenir/provenir/internal/rpc"
)

const secret = "dial 10.1.2.3 as admin"

// broken answers calls in the ways that must not reach a caller as they are.
type broken struct {
	trainerv1.UnimplementedTrainerServiceServer
}

func (broken) ListEngines(context.Context, *trainerv1.ListEnginesRequest) (*trainerv1.ListEnginesResponse, error) {
	panic(secret)
}

func (broken) GetCheckpoint(_ context.Context, r *trainerv1.GetCheckpointRequest) (*trainerv1.GetCheckpointResponse, error) {
	if r.GetCheckpoint() == "typed" {
		return nil, rpc.Errorf(codes.NotFound, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_NOT_FOUND, "no %s", r.GetCheckpoint())
	}
	return nil, errors.New(secret)
}

func (broken) Generate(*trainerv1.GenerateRequest, trainerv1.TrainerService_GenerateServer) error {
	panic(secret)
}

func register(r grpc.ServiceRegistrar) { trainerv1.RegisterTrainerServiceServer(r, broken{}) }

func TestWhatACallerMaySee(t *testing.T) {
	c := trainerv1.NewTrainerServiceClient(grpctest.Serve(t, register))
	get := func(name string) error {
		_, err := c.GetCheckpoint(t.Context(), &trainerv1.GetCheckpointRequest{Checkpoint: name})
		return err
	}
	for _, x := range []struct {
		name string
		call func() error
		code codes.Code
	}{
		{"a panic", func() error {
			_, err := c.ListEngines(t.Context(), &trainerv1.ListEnginesRequest{})
			return err
		}, codes.Internal},
		{"a panic of a stream", func() error {
			s, err := c.Generate(t.Context(), &trainerv1.GenerateRequest{Checkpoint: "x", Prompts: [][]byte{{1}}, MaxTokens: 1})
			if err == nil {
				_, err = s.Recv()
			}
			return err
		}, codes.Internal},
		{"an error without a reason", func() error { return get("x") }, codes.Internal},
		{"an error with one", func() error { return get("typed") }, codes.NotFound},
		{"a request that breaks a rule", func() error { return get("") }, codes.InvalidArgument},
		{"a call that nobody serves", func() error {
			_, err := c.Tokenize(t.Context(), &trainerv1.TokenizeRequest{Checkpoint: "x", Text: []byte("y")})
			return err
		}, codes.Unimplemented},
	} {
		if err := x.call(); status.Code(err) != x.code || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v, want %s", x.name, err, x.code)
		}
	}
	if err := get("typed"); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_CHECKPOINT_NOT_FOUND) {
		t.Errorf("the reason did not travel: %v", err)
	}
	if err := get(""); !rpc.Is(err, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT) || !strings.Contains(err.Error(), "checkpoint") {
		t.Errorf("the field is not named: %v", err)
	}
}

func TestAStrangerIsRefused(t *testing.T) {
	for _, token := range []string{"", "pvr_test_token_012345678", "pvr_nobody_0123456789abcd"} {
		c := trainerv1.NewTrainerServiceClient(grpctest.ServeAs(t, token, register))
		if _, err := c.GetCheckpoint(t.Context(), &trainerv1.GetCheckpointRequest{Checkpoint: "typed"}); status.Code(err) != codes.Unauthenticated {
			t.Errorf("token %q: %v", token, err)
		}
	}
}
