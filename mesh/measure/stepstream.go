package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/idgen"
)

// stepStream is one writer's Append stream: frames go out as far as the recorder's credit reaches, and acknowledgements
// come when they come, as the orchestrator writes.
type stepStream struct {
	stream recorderv1.RecorderService_AppendClient

	mu     sync.Mutex
	more   sync.Cond
	credit uint64
	acked  uint64 // records that are durable
	end    error
}

func openSteps(ctx context.Context, c recorderv1.RecorderServiceClient) (*stepStream, error) {
	uid, err := idgen.Generator{}.New()
	if err != nil {
		return nil, err
	}
	st, err := c.Append(ctx)
	if err != nil {
		return nil, err
	}
	open := &recorderv1.Open{Run: uid, Epoch: 1, Log: recorderv1.Log_LOG_EVENTS}
	if err := st.Send(&recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Open{Open: open}}); err != nil {
		return nil, err
	}
	s := &stepStream{stream: st}
	s.more.L = &s.mu
	go s.receive()
	return s, nil
}

func (s *stepStream) receive() {
	for {
		m, err := s.stream.Recv()
		if err == nil && m.GetReject() != nil {
			err = fmt.Errorf("rejected: %s", m.GetReject().GetDetail())
		}
		s.mu.Lock()
		s.credit += m.GetCreditBytes()
		if m != nil && m.ThroughSeq != nil {
			s.acked = m.GetThroughSeq() + 1
		}
		s.end = err
		s.mu.Unlock()
		s.more.Broadcast()
		if err != nil {
			return
		}
	}
}

// send waits for credit only.
func (s *stepStream) send(records []*recorderv1.Record) error {
	size := uint64(0)
	for _, r := range records {
		size += uint64(len(r.GetPayload()))
	}
	s.mu.Lock()
	for s.credit < size && s.end == nil {
		s.more.Wait()
	}
	s.credit -= size
	err := s.end
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.stream.Send(&recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Records{Records: &recorderv1.Records{Records: records}}})
}

// finish waits until all n records are durable.
func (s *stepStream) finish(n int) error {
	if err := s.stream.Send(&recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Flush{Flush: &recorderv1.Flush{}}}); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.acked < uint64(n) && s.end == nil {
		s.more.Wait()
	}
	if s.end != nil && !errors.Is(s.end, io.EOF) {
		return s.end
	}
	if s.acked < uint64(n) {
		return fmt.Errorf("%d of %d steps are durable at the stream's end", s.acked, n)
	}
	return s.stream.CloseSend()
}

// streamed writes every run's steps, one run after the other, each by a stream.
func streamed(ctx context.Context, c recorderv1.RecorderServiceClient, batches [][]*recorderv1.Record, first, runs, stride int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for r := first; r < runs; r += stride {
		s, err := openSteps(ctx, c)
		if err != nil {
			return err
		}
		n := 0
		for _, b := range batches {
			if err := s.send(b); err != nil {
				return err
			}
			n += len(b)
		}
		if err := s.finish(n); err != nil {
			return err
		}
	}
	return nil
}
