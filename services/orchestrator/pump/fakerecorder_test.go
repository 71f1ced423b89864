package pump

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// recorder keeps one log as the real one does: gapless; the same bytes again change nothing and other bytes are refused; a
// lower epoch is refused; acks are cumulative and only for what is on disk; credit comes back with them.
type recorder struct {
	recorderv1.UnimplementedRecorderServiceServer
	window uint64
	bell   *Bell
	silent bool // answers open without next_seq

	mu     sync.Mutex
	log    []*recorderv1.Record
	synced int // on disk
	told   int // acknowledged
	limit  int // records from here on do not become durable: the disk has stalled
	room   int // records from here on find the disk full
	hangup bool
	epoch  uint64
	rng    *rand.Rand // chooses how much a commit takes; nil takes all
}

const plenty = 1 << 30

func newRecorder() *recorder {
	return &recorder{window: 1 << 20, bell: NewBell(), limit: plenty, room: plenty}
}

// set changes the disk's mood.
func (r *recorder) set(f func(*recorder)) {
	r.mu.Lock()
	f(r)
	r.mu.Unlock()
	r.bell.ring()
}

func (r *recorder) records() []*recorderv1.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*recorderv1.Record(nil), r.log...)
}

// crash loses what was not on disk, at most.
func (r *recorder) crash() {
	r.set(func(r *recorder) {
		keep := len(r.log)
		if r.rng != nil {
			keep = r.synced + r.rng.IntN(len(r.log)-r.synced+1)
		}
		r.log = r.log[:keep]
		r.synced, r.told = keep, keep // what a restart finds is on disk
	})
}

func (r *recorder) Append(stream recorderv1.RecorderService_AppendServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	r.mu.Lock()
	next, epoch := uint64(len(r.log)), first.GetOpen().GetEpoch()
	old := epoch < r.epoch
	r.epoch = max(r.epoch, epoch)
	answer := &recorderv1.AppendResponse{NextSeq: &next, CreditBytes: r.window}
	if r.synced > 0 {
		answer.ThroughSeq = proto.Uint64(uint64(r.synced) - 1)
	}
	r.mu.Unlock()
	if old {
		return refuse(stream, corev1.ErrorReason_ERROR_REASON_LEASE_LOST, next, "an owner of a newer epoch writes")
	}
	if r.silent {
		answer.NextSeq = nil
	}
	if err := stream.Send(answer); err != nil {
		return err
	}
	w := &writing{r: r, epoch: epoch}
	go w.receive(stream) // ends with the stream, which ends when this returns
	return w.answer(stream)
}

func refuse(stream recorderv1.RecorderService_AppendServer, why corev1.ErrorReason, seq uint64, detail string) error {
	return errors.Join(stream.Send(&recorderv1.AppendResponse{Reject: &recorderv1.Reject{Reason: rpc.Short(why), Seq: seq, Detail: detail}}),
		rpc.Errorf(codes.Aborted, why, "%s", detail))
}

// writing is one stream of a recorder.
type writing struct {
	r     *recorder
	epoch uint64
	queue []taken // not acknowledged
	bad   *recorderv1.Reject
	end   bool
}

type taken struct {
	through int
	bytes   uint64
}

func (w *writing) receive(stream recorderv1.RecorderService_AppendServer) {
	for {
		m, err := stream.Recv()
		w.r.set(func(*recorder) {
			if err != nil {
				w.end = true
				return
			}
			w.take(m.GetRecords().GetRecords())
		})
		if err != nil {
			return
		}
	}
}

// take writes a frame. The caller holds the recorder's lock.
func (w *writing) take(records []*recorderv1.Record) {
	if len(records) == 0 { // a flush: this disk commits at once anyway
		return
	}
	t := taken{}
	for _, rec := range records {
		seq := rec.GetSeq()
		reject := func(why corev1.ErrorReason) {
			if w.bad == nil {
				w.bad = &recorderv1.Reject{Reason: rpc.Short(why), Seq: seq, Detail: rec.GetType().String()}
			}
		}
		switch at := int(seq); {
		case w.bad != nil:
		case w.epoch < w.r.epoch:
			reject(corev1.ErrorReason_ERROR_REASON_LEASE_LOST)
		case at > len(w.r.log):
			reject(corev1.ErrorReason_ERROR_REASON_OUT_OF_ORDER)
		case at < len(w.r.log):
			if was := w.r.log[at]; was.GetType() != rec.GetType() || !bytes.Equal(was.GetPayload(), rec.GetPayload()) {
				reject(corev1.ErrorReason_ERROR_REASON_DIVERGENT_REPLAY)
			}
		case at >= w.r.room:
			reject(corev1.ErrorReason_ERROR_REASON_LEDGER_DISK_FULL)
		default:
			w.r.log = append(w.r.log, rec)
		}
		t.through, t.bytes = int(seq)+1, t.bytes+uint64(len(rec.GetPayload())+len(rec.GetVolatile()))
	}
	w.queue = append(w.queue, t)
	under := uint64(0)
	for _, q := range w.queue {
		under += q.bytes
	}
	if under > w.r.window && len(w.queue) > 1 {
		w.bad = &recorderv1.Reject{Reason: "CREDIT_EXCEEDED"}
	}
}

func (w *writing) answer(stream recorderv1.RecorderService_AppendServer) error {
	for {
		wait := w.r.bell.wait()
		m, bad, over := w.due()
		switch {
		case bad != nil:
			return refuse(stream, corev1.ErrorReason(corev1.ErrorReason_value["ERROR_REASON_"+bad.GetReason()]), bad.GetSeq(), bad.GetDetail())
		case m != nil:
			if err := stream.Send(m); err != nil {
				return err
			}
			continue
		case over:
			return nil
		}
		select {
		case <-wait:
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// due commits some of what is there and gives the ack, if there is one.
func (w *writing) due() (m *recorderv1.AppendResponse, bad *recorderv1.Reject, over bool) {
	r := w.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if w.bad != nil {
		return nil, w.bad, false
	}
	for to := min(len(r.log), r.limit); to > r.synced; {
		n := to - r.synced
		if r.rng != nil {
			n = 1 + r.rng.IntN(n)
		}
		if r.synced += n; len(w.queue) > 0 && w.queue[0].through <= r.synced {
			break
		}
	}
	m = &recorderv1.AppendResponse{}
	for len(w.queue) > 0 && w.queue[0].through <= r.synced {
		m.CreditBytes += w.queue[0].bytes
		m.ThroughSeq = proto.Uint64(uint64(w.queue[0].through) - 1)
		r.told = max(r.told, w.queue[0].through)
		w.queue = w.queue[1:]
	}
	if m.ThroughSeq != nil {
		return m, nil, false
	}
	return nil, nil, r.hangup || w.end
}

// ListEvents reads, at most three a page, so that paging is always in play.
func (r *recorder) list(_ context.Context, from, to uint64) ([]*recorderv1.Event, error) {
	log := r.records()
	if to > uint64(len(log)) {
		return nil, io.ErrUnexpectedEOF
	}
	var out []*recorderv1.Event
	for seq := from; seq < to; seq++ {
		out = append(out, &recorderv1.Event{Seq: seq, Type: log[seq].GetType(), Payload: log[seq].GetPayload(), Volatile: log[seq].GetVolatile()})
	}
	return out, nil
}
