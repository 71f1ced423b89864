package pump

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/credit"
	"github.com/provenir/provenir/internal/rpc"
)

// Ledger writes a run's events and knows what of them is on disk.
//
// Below Recorded the log has records already: what is written there is a repetition, which the recorder acknowledges
// when it is the same and refuses (DIVERGENT_REPLAY) when it is not.
type Ledger struct {
	stream recorderv1.RecorderService_AppendClient
	cancel context.CancelFunc
	window *credit.Window
	bell   *Bell

	next     uint64 // seq of the next record; the owner's alone
	recorded uint64

	mu       sync.Mutex
	through  uint64 // number of records on disk
	findings []*recorderv1.Anomaly
	err      error
	done     chan struct{}
}

// OpenLedger opens events for writing as the owner of epoch.
func OpenLedger(ctx context.Context, c recorderv1.RecorderServiceClient, run string, epoch uint64, spec *recorderv1.RecorderSpec, b *Bell) (*Ledger, error) {
	ctx, cancel := context.WithCancel(ctx)
	stream, err := c.Append(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	l := &Ledger{stream: stream, cancel: cancel, window: credit.NewWindow(), bell: b, done: make(chan struct{})}
	open := &recorderv1.Open{Run: run, Epoch: epoch, Log: recorderv1.Log_LOG_EVENTS, Spec: spec}
	if err = stream.Send(&recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Open{Open: open}}); err == nil || err == io.EOF {
		var first *recorderv1.AppendResponse
		if first, err = stream.Recv(); err == nil {
			err = l.opened(first)
		}
	}
	if err != nil {
		cancel()
		return nil, err
	}
	go l.receive()
	return l, nil
}

func (l *Ledger) opened(first *recorderv1.AppendResponse) error {
	if r := first.GetReject(); r != nil {
		return rejected(r)
	}
	if first.NextSeq == nil {
		return errors.New("the recorder answered open without next_seq")
	}
	l.recorded = first.GetNextSeq()
	if first.ThroughSeq != nil { // what is there is not on disk by being there: nothing is paid on the strength of next_seq
		l.through = first.GetThroughSeq() + 1
	}
	l.window.Grant(int64(first.GetCreditBytes()))
	return nil
}

// Recorded is the number of records that were there when the ledger was opened.
func (l *Ledger) Recorded() uint64 { return l.recorded }

// Next is the seq of the next record.
func (l *Ledger) Next() uint64 { return l.next }

// Seek goes to the first record that will be written (again).
func (l *Ledger) Seek(seq uint64) { l.next = seq }

// recordsBytes bounds one frame.
const recordsBytes = 256 << 10

// Append writes records in order. It returns when they are on their way; Durable waits for the disk.
func (l *Ledger) Append(ctx context.Context, records ...*recorderv1.Record) error {
	for len(records) > 0 {
		n, size := 0, 0
		for n < len(records) && (n == 0 || size+weight(records[n]) <= recordsBytes) {
			records[n].Seq = l.next
			l.next++
			size += weight(records[n])
			n++
		}
		if err := l.window.Take(ctx, int64(size)); err != nil {
			return errors.Join(err, l.failure())
		}
		frame := &recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Records{Records: &recorderv1.Records{Records: records[:n]}}}
		if err := l.stream.Send(frame); err != nil {
			return l.sendError(err)
		}
		records = records[n:]
	}
	return nil
}

// weight is what a record costs of the credit: its payload; 0 for an empty one.
func weight(r *recorderv1.Record) int { return len(r.GetPayload()) + len(r.GetVolatile()) }

// Flush closes the commit batch, so that what was appended does not wait for more.
func (l *Ledger) Flush() error {
	err := l.stream.Send(&recorderv1.AppendRequest{Frame: &recorderv1.AppendRequest_Flush{Flush: &recorderv1.Flush{}}})
	if err != nil {
		return l.sendError(err)
	}
	return nil
}

// sendError finds out why a send failed: gRPC says EOF and the receiver has the status.
func (l *Ledger) sendError(err error) error {
	if err != io.EOF {
		return err
	}
	<-l.done
	return l.failure()
}

// Durable waits until every record before seq is on disk.
func (l *Ledger) Durable(ctx context.Context, seq uint64) error {
	for {
		wait := l.bell.wait()
		l.mu.Lock()
		through, err := l.through, l.err
		l.mu.Unlock()
		if through >= seq {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Findings gives what the recorder opened or escalated since the last call.
func (l *Ledger) Findings() []*recorderv1.Anomaly {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.findings
	l.findings = nil
	return f
}

func (l *Ledger) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// receive takes acks until the stream ends. It never waits for the owner, so the owner's sends can never wait for it.
func (l *Ledger) receive() {
	defer close(l.done)
	for {
		m, err := l.stream.Recv()
		if err == nil && m.GetReject() != nil {
			err = rejected(m.GetReject())
		}
		l.mu.Lock()
		if err != nil {
			if l.err = err; err == io.EOF {
				l.err = errors.New("the recorder ended the stream")
			}
			l.mu.Unlock()
			l.window.Grant(1 << 40) // nobody may wait for credit that will never come; the next send fails
			l.bell.ring()
			return
		}
		if m.ThroughSeq != nil {
			l.through = max(l.through, m.GetThroughSeq()+1)
		}
		l.findings = append(l.findings, m.GetFindings()...)
		l.mu.Unlock()
		if c := m.GetCreditBytes(); c > 0 {
			l.window.Grant(int64(c))
		}
		l.bell.ring()
	}
}

// Close ends the stream and waits for its receiver.
func (l *Ledger) Close() {
	_ = l.stream.CloseSend() // the stream may have ended; nothing that matters is unacknowledged here
	l.cancel()
	<-l.done
}

func rejected(r *recorderv1.Reject) error {
	value, ok := corev1.ErrorReason_value["ERROR_REASON_"+r.GetReason()]
	if !ok {
		return fmt.Errorf("the recorder refused record %d: %s: %s", r.GetSeq(), r.GetReason(), r.GetDetail())
	}
	code := codes.Aborted
	switch r.GetReason() { // the frame has no code, and who waits for what passes looks at the code
	case "LEDGER_DISK_FULL":
		code = codes.ResourceExhausted
	case "LEDGER_WRITE_FAILED", "NOT_READY", "PEER_UNAVAILABLE", "OVERLOADED":
		code = codes.Unavailable
	}
	return rpc.Errorf(code, corev1.ErrorReason(value), "record %d: %s", r.GetSeq(), r.GetDetail()).With("seq", fmt.Sprint(r.GetSeq()))
}
