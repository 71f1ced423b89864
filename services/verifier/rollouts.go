package verifier

import (
	"context"
	"errors"
	"io"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/services/verifier/catalog"
	"github.com/provenir/provenir/services/verifier/code"
	"github.com/provenir/provenir/services/verifier/holdout"
	"github.com/provenir/provenir/services/verifier/spec"
)

// VerifyRollouts is the pump of a run: rollouts in, verdicts out as they finish.
func (s *Service) VerifyRollouts(stream verifierv1.VerifierService_VerifyRolloutsServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	p, opened, err := s.open(stream, first.GetOpen())
	if err != nil {
		return err
	}
	if err := stream.Send(&verifierv1.VerifyRolloutsResponse{Frame: &verifierv1.VerifyRolloutsResponse_Opened{Opened: opened}}); err != nil {
		return err
	}
	p.start()
	received := make(chan error, 1)
	go func() { received <- p.receive() }() // ends with the stream at the latest, which ends when this returns
	select {
	case err = <-received:
	case <-p.ctx.Done(): // a worker or the sender found that it cannot go on
		err = context.Cause(p.ctx)
	}
	return p.finish(err)
}

// open compiles the specs and makes the pump.
func (s *Service) open(stream verifierv1.VerifierService_VerifyRolloutsServer, o *verifierv1.OpenVerify) (*pump, *verifierv1.VerifyOpened, error) {
	if o == nil {
		return nil, nil, invalid("open", "the first frame opens the pump")
	}
	if o.GetProtocol() != 1 {
		return nil, nil, invalid("open.protocol", "the protocol is %d, and this verifier speaks 1", o.GetProtocol())
	}
	compiled, err := s.specs(stream.Context()).get(o.GetSpec())
	if err != nil {
		return nil, nil, err
	}
	limit, err := s.limitOf(o.GetDeadline())
	if err != nil {
		return nil, nil, err
	}
	// A candidate that burns its own limit is scored 0; one that meets the deadline is unscored. So the limit must come first,
	// with room for what is around it: else a policy learns to sabotage what it cannot solve.
	if wall := compiled.Wall(); wall > limit*8/10 {
		return nil, nil, specProblem(&spec.BadSpecError{Path: compiled.Name, Field: "timeout", Value: wall.String(),
			Allowed: "at most 80 % of the deadline of a verdict, which is " + limit.String()})
	}
	opened := &verifierv1.VerifyOpened{
		VerifierDigest: compiled.Digest[:],
		Credit:         &verifierv1.VerifyCredit{Bytes: uint64(s.cfg.WindowBytes), Items: uint32(s.cfg.WindowItems)},
	}
	p := newPump(s, stream, compiled, o.GetRunId(), limit)
	if h := o.GetHoldout(); h != nil {
		fraction, err := p.drawSecond(stream.Context(), h, o.GetSpec())
		if err != nil {
			return nil, nil, err
		}
		opened.HeldoutDigest, opened.HeldoutFraction = p.second.Digest[:], &fraction
	}
	return p, opened, nil
}

// Fractions of rollouts that get a second verdict where the caller names none: all where it costs next to nothing.
const (
	fractionCheap     = 1.0
	fractionExpensive = 0.1
)

// drawSecond compiles the stricter spec: the one that is named, else the stricter partner of the first.
func (p *pump) drawSecond(ctx context.Context, h *verifierv1.Holdout, visible *verifierv1.Spec) (float64, error) {
	var err error
	// Code held out against itself means its hidden tests: to run the same job twice would show nothing.
	if itself := p.spec.Name == code.Name && proto.Equal(h.GetSpec(), visible); h.GetSpec() != nil && !itself {
		p.second, err = p.s.specs(ctx).get(h.GetSpec())
	} else {
		p.second, err = p.partner(visible)
	}
	if err != nil {
		return 0, err
	}
	fraction := fractionExpensive
	if p.second.Cheap {
		fraction = fractionCheap
	}
	if h.Fraction != nil { //nolint:protogetter // absence counts
		fraction = h.GetFraction()
	}
	if !(fraction > 0 && fraction <= 1) {
		return 0, invalid("holdout.fraction", "a fraction is above 0 and at most 1")
	}
	p.draw = holdout.New(h.GetSeed(), fraction)
	return fraction, nil
}

func (p *pump) partner(visible *verifierv1.Spec) (*catalog.Compiled, error) {
	s, err := specOf(visible)
	if err != nil {
		return nil, specProblem(err)
	}
	stricter, ok := catalog.Stricter(s)
	if !ok {
		return nil, specProblem(&spec.BadSpecError{Path: s.Name, Field: "holdout.spec", Value: "absent", Allowed: "a stricter spec; only math and code have one of their own"})
	}
	c, err := catalog.Compile(stricter, p.s.compiled.env)
	if err != nil {
		return nil, specProblem(err)
	}
	c.SameJob = stricter.Name == code.Name
	c.Cheap = c.Cheap || c.SameJob
	return c, nil
}

// receive reads frames until the caller closes, or a frame breaks a rule.
func (p *pump) receive() error {
	for {
		m, err := p.stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch f := m.GetFrame().(type) {
		case *verifierv1.VerifyRolloutsRequest_Items:
			err = p.take(f.Items.GetItems())
		case *verifierv1.VerifyRolloutsRequest_Cancel:
			p.run(func() { p.cancelItem(f.Cancel.GetSeq()) })
		case *verifierv1.VerifyRolloutsRequest_GroupEnd: // nothing here waits for a group
		default:
			err = invalid("frame", "open comes once, and other frames are not known here")
		}
		if err != nil {
			return err
		}
	}
}

// jobItems is how many rollouts a worker judges before it answers: enough to share the cost of a frame, and few enough
// that both cores have work from one frame of the caller's.
const jobItems = 16

// take checks the caller's credit and starts the work.
func (p *pump) take(items []*verifierv1.VerifyItem) error {
	size := int64(0)
	for _, i := range items {
		size += int64(len(i.GetRollout()))
		if i.GetSeq() == 0 {
			return invalid("items.seq", "an item's seq begins at 1")
		}
	}
	if !p.window.take(len(items), size) {
		return rpc.Errorf(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_CREDIT_EXCEEDED,
			"%d items of %d bytes were sent without credit for them", len(items), size)
	}
	now := p.s.clock.Now()
	at := jobItems
	if p.spec.Waits { // each waits by itself: the sandbox takes as many at once as it has room for
		at = 1
	}
	for chunk := range slices.Chunk(items, at) {
		p.begin(chunk, now)
	}
	return nil
}
