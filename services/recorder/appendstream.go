package recorder

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

type appendStream = interface {
	Recv() (*recorderv1.AppendRequest, error)
	Send(*recorderv1.AppendResponse) error
	Context() context.Context
}

// writer is one Append stream: a goroutine reads frames into the log, the handler answers what became durable.
type writer struct {
	s     *Service
	l     *live
	log   *store.Log
	epoch uint64

	mu    sync.Mutex
	queue []written // oldest first; what is not acknowledged
	under int64     // bytes of it
	told  uint64    // records that were acknowledged
	end   error     // why reading ended: io.EOF for a clean end
	news  chan struct{}
}

// Append serves a run's writer.
func (s *Service) Append(stream recorderv1.RecorderService_AppendServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	open := first.GetOpen()
	if open == nil {
		return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "the first frame must be open")
	}
	ctx := stream.Context()
	l, log, err := s.openWriter(ctx, open.GetRun(), open.GetEpoch(), open.GetLog(), open.GetSpec())
	if err == nil {
		err = log.Sync(ctx) // what an earlier stream left under way counts
	}
	if err != nil {
		return s.reject(stream, err)
	}
	next := log.Next()
	if err := stream.Send(&recorderv1.AppendResponse{NextSeq: &next, ThroughSeq: last(log.Durable()), CreditBytes: uint64(s.cfg.CreditBytes)}); err != nil {
		return err
	}
	w := &writer{s: s, l: l, log: log, epoch: open.GetEpoch(), told: log.Durable(), news: make(chan struct{}, 1)}
	go w.receive(stream) // ends when the handler has returned, at the latest
	if err := w.answer(stream); err != nil {
		return s.reject(stream, err)
	}
	return nil
}

// reject says why a stream ends: first in the contract's own frame, then as its status.
func (s *Service) reject(stream appendStream, err error) error {
	err = problem(err)
	r := &recorderv1.Reject{Reason: rpc.Reason(err), Detail: rpc.Message(err)}
	var f *store.Fault
	if errors.As(err, &f) {
		r.Seq = f.Seq
	}
	if r.Reason != "" {
		_ = stream.Send(&recorderv1.AppendResponse{Reject: r}) // the status says the same to those who miss it
	}
	return err
}

// receive reads frames until the stream ends.
func (w *writer) receive(stream appendStream) {
	var buf []store.Record
	ctx := stream.Context()
	for {
		err := w.frame(ctx, stream, &buf)
		if err != nil {
			w.mu.Lock()
			w.end = err
			w.mu.Unlock()
			w.signal()
			return
		}
	}
}

func (w *writer) frame(ctx context.Context, stream appendStream, buf *[]store.Record) error {
	m, err := stream.Recv()
	if err != nil {
		return err
	}
	switch f := m.GetFrame().(type) {
	case *recorderv1.AppendRequest_Records:
		return w.records(ctx, f.Records.GetRecords(), buf)
	case *recorderv1.AppendRequest_Flush:
		return w.log.Flush(ctx)
	case *recorderv1.AppendRequest_Close:
		if err := w.log.Flush(ctx); err != nil {
			return err
		}
		return io.EOF
	}
	return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "after open a frame is records, flush or close")
}

func (w *writer) records(ctx context.Context, in []*recorderv1.Record, buf *[]store.Record) error {
	size := int64(0)
	for _, r := range in {
		size += int64(len(r.GetPayload()) + len(r.GetVolatile()))
	}
	w.mu.Lock()
	over := w.under+size > w.s.cfg.CreditBytes
	w.under += size
	w.mu.Unlock()
	if over {
		return rpc.Errorf(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_CREDIT_EXCEEDED,
			"more than %d bytes are under way; send no more than was granted", w.s.cfg.CreditBytes)
	}
	got, err := w.l.write(ctx, w.log, w.epoch, in, *buf)
	if err != nil {
		return err
	}
	*buf, got.recs = got.recs[:0], nil
	w.mu.Lock()
	w.queue = append(w.queue, got)
	w.mu.Unlock()
	w.signal()
	return nil
}

func (w *writer) signal() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

// answer acknowledges what is durable until the stream has ended and everything is answered.
func (w *writer) answer(stream appendStream) error {
	ctx := stream.Context()
	for {
		changed := w.log.Changed() // before looking, so that no change is missed
		resp, wait, err := w.due()
		if err != nil {
			return err
		}
		if resp != nil {
			if err := w.l.log(ledger.Findings).Wait(ctx, wait); err != nil {
				return err
			}
			if err := stream.Send(resp); err != nil {
				return err
			}
			continue
		}
		ended, err := w.ended()
		if ended {
			return err
		}
		select {
		case <-changed:
		case <-w.news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// due takes what is durable off the queue: the answer, and the findings that must be durable first.
func (w *writer) due() (resp *recorderv1.AppendResponse, findings uint64, err error) {
	durable := w.log.Durable()
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for n < len(w.queue) && w.queue[n].through <= durable {
		q := &w.queue[n]
		if resp == nil {
			resp = &recorderv1.AppendResponse{}
		}
		resp.CreditBytes += uint64(q.bytes)
		resp.Findings = append(resp.Findings, q.findings...)
		findings = max(findings, q.findingsNext)
		w.under -= q.bytes
		w.told = max(w.told, q.through) // never more than whole frames: the findings of the next one are not in this answer
		n++
	}
	if n > 0 {
		w.queue = append(w.queue[:0], w.queue[n:]...)
		resp.ThroughSeq = last(w.told)
		return resp, findings, nil
	}
	if len(w.queue) > 0 {
		return nil, 0, w.log.Lost(w.queue[0].through)
	}
	return nil, 0, nil
}

// ended tells whether reading has ended and nothing is left to answer.
func (w *writer) ended() (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.end == nil:
		return false, nil
	case errors.Is(w.end, io.EOF):
		return len(w.queue) == 0, nil
	}
	return true, w.end
}
