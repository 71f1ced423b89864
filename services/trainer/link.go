package trainer

import (
	"context"
	"io"
	"sync"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
	"github.com/provenir/provenir/internal/credit"
	"github.com/provenir/provenir/internal/rpc"
)

// link is runner.Link over a Train stream.
type link struct {
	grpc   trainerv1.TrainerService_TrainServer
	epoch  uint64
	window *credit.Window

	mu  sync.Mutex // orders seq and Send
	seq uint64

	verdicts  *inbox[*trainerv1.VerdictBatch]
	decisions *inbox[*trainerv1.StepDecision]
}

func newLink(s trainerv1.TrainerService_TrainServer, epoch, window uint64) *link {
	l := &link{grpc: s, epoch: epoch, window: credit.NewWindow(),
		verdicts: newInbox[*trainerv1.VerdictBatch](), decisions: newInbox[*trainerv1.StepDecision]()}
	l.window.Grant(int64(window))
	return l
}

// Send numbers a frame and sends it; rollouts wait for byte credit first.
func (l *link) Send(ctx context.Context, m *trainerv1.TrainResponse) error {
	if r := m.GetRollouts(); r != nil {
		var size int64
		for _, f := range r.GetRollouts() {
			size += int64(len(f.GetBody()))
		}
		if err := l.window.Take(ctx, size); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seq++
	m.Seq = l.seq
	return l.grpc.Send(m)
}

// Rewards gives the next batch.
func (l *link) Rewards(ctx context.Context) (*trainerv1.VerdictBatch, error) {
	return l.verdicts.take(ctx)
}

// Decision gives the next decision.
func (l *link) Decision(ctx context.Context) (*trainerv1.StepDecision, error) {
	return l.decisions.take(ctx)
}

// receive sorts what the orchestrator sends until the stream ends; it never waits for the stage.
func (l *link) receive() error {
	for want := uint64(2); ; want++ {
		m, err := l.grpc.Recv()
		if err == io.EOF {
			return context.Canceled // the orchestrator has gone; another stream will come
		}
		if err != nil {
			return err
		}
		if m.GetEpoch() != l.epoch {
			return rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_LOST, "a frame of epoch %d came on a stream of epoch %d", m.GetEpoch(), l.epoch)
		}
		if m.GetSeq() != want {
			return rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_OUT_OF_ORDER, "frame %d came where %d was expected", m.GetSeq(), want)
		}
		switch b := m.GetBody().(type) {
		case *trainerv1.TrainRequest_Verdicts:
			err = l.verdicts.put(b.Verdicts)
		case *trainerv1.TrainRequest_Decision:
			err = l.decisions.put(b.Decision)
		case *trainerv1.TrainRequest_Credit:
			l.window.Grant(int64(b.Credit.GetBytes()))
		case *trainerv1.TrainRequest_Ack:
		default:
			return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "frame %d has no body that fits here", m.GetSeq())
		}
		if err != nil {
			return err
		}
	}
}
