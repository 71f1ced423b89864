package loop

import (
	"context"
	"errors"
	"io"
	"sync"

	trainerv1 "github.com/provenir/provenir/gen/provenir/trainer/v1"
)

// trainer is the orchestrator's end of a Train stream. One goroutine receives; sends may come from anywhere.
type trainer struct {
	stream trainerv1.TrainerService_TrainClient
	cancel context.CancelFunc
	epoch  uint64
	frames chan *trainerv1.TrainResponse

	mu  sync.Mutex
	seq uint64
	err error // set before frames is closed
}

// rolloutWindow is how many bytes of rollouts may be under way; recorder and verifier open with the same.
const rolloutWindow = 8 << 20

func startTrainer(ctx context.Context, c trainerv1.TrainerServiceClient, epoch uint64, start *trainerv1.Start) (*trainer, error) {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := c.Train(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	t := &trainer{stream: stream, cancel: cancel, epoch: epoch, frames: make(chan *trainerv1.TrainResponse, 64)}
	start.Credit = &trainerv1.Credit{Bytes: rolloutWindow}
	go t.receive(ctx)
	if err := t.send(&trainerv1.TrainRequest{Body: &trainerv1.TrainRequest_Start{Start: start}}); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *trainer) send(m *trainerv1.TrainRequest) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	m.Seq, m.Epoch = t.seq, t.epoch
	err := t.stream.Send(m)
	if err == io.EOF {
		return nil // the receiver has the reason, and the owner is about to read it
	}
	return err
}

// Pay sends rewards that are on disk.
func (t *trainer) Pay(_ context.Context, v *trainerv1.VerdictBatch) error {
	return t.send(&trainerv1.TrainRequest{Body: &trainerv1.TrainRequest_Verdicts{Verdicts: v}})
}

// Credit allows more rollout bytes.
func (t *trainer) Credit(n uint64) error {
	return t.send(&trainerv1.TrainRequest{Body: &trainerv1.TrainRequest_Credit{Credit: &trainerv1.Credit{Bytes: n}}})
}

func (t *trainer) decide(d *trainerv1.StepDecision) error {
	return t.send(&trainerv1.TrainRequest{Body: &trainerv1.TrainRequest_Decision{Decision: d}})
}

func (t *trainer) receive(ctx context.Context) {
	defer close(t.frames)
	for {
		m, err := t.stream.Recv()
		if err != nil {
			t.fail(err)
			return
		}
		select {
		case t.frames <- m:
		case <-ctx.Done():
			t.fail(context.Cause(ctx))
			return
		}
	}
}

func (t *trainer) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err = err; err == io.EOF {
		t.err = errors.New("the trainer ended the stream without finishing the stage")
	}
}

// next gives the next frame, or why there is none.
func (t *trainer) next(ctx context.Context) (*trainerv1.TrainResponse, error) {
	select {
	case m, ok := <-t.frames:
		if ok {
			return m, nil
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		return nil, t.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// close ends the stream and its receiver.
func (t *trainer) close() {
	t.cancel()
	for range t.frames {
	}
}
