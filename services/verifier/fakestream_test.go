package verifier

import (
	"context"
	"io"

	"google.golang.org/grpc"

	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/services/verifier/replay"
)

// fakeStream is a pump without a network, for tests that hold the clock still.
type fakeStream struct {
	grpc.ServerStream
	ctx context.Context //nolint:containedctx // as a grpc.ServerStream has it
	in  chan *verifierv1.VerifyRolloutsRequest
	out chan *verifierv1.VerifyRolloutsResponse
}

func newFakeStream(ctx context.Context) *fakeStream {
	return &fakeStream{ctx: ctx, in: make(chan *verifierv1.VerifyRolloutsRequest), out: make(chan *verifierv1.VerifyRolloutsResponse, 16)}
}

func (f *fakeStream) Context() context.Context { return f.ctx }

func (f *fakeStream) Send(m *verifierv1.VerifyRolloutsResponse) error {
	f.out <- m
	return nil
}

func (f *fakeStream) Recv() (*verifierv1.VerifyRolloutsRequest, error) {
	select {
	case m, ok := <-f.in:
		if !ok {
			return nil, io.EOF
		}
		return m, nil
	case <-f.ctx.Done():
		return nil, f.ctx.Err()
	}
}

func keyOf(s *Service, m *verifierv1.Spec, rollout string) replay.Key {
	c, err := s.compiled.get(m)
	if err != nil {
		return replay.Key{}
	}
	return replay.Key{Rollout: rollout, Spec: c.Digest}
}
