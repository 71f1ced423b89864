package loop

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
)

// diary is what happened at all peers, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, what)
}

func (d *diary) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.lines)
}

// mood makes a call fail a number of times, or for ever.
type mood struct {
	mu   sync.Mutex
	errs map[string][]error // by call, taken one by one
	ever map[string]error   // by call
}

func (m *mood) fail(call string, times int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.errs == nil {
		m.errs, m.ever = map[string][]error{}, map[string]error{}
	}
	if times < 0 {
		m.ever[call] = err
		return
	}
	m.errs[call] = slices.Repeat([]error{err}, times)
}

func (m *mood) at(call string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.ever[call]; err != nil {
		return err
	}
	left := m.errs[call]
	if len(left) == 0 {
		return nil
	}
	m.errs[call] = left[1:]
	return left[0]
}

// recorder keeps events and timing, refuses old epochs, other bytes and gaps, and tells findings of STEP records.
type recorder struct {
	recorderv1.UnimplementedRecorderServiceServer
	*diary
	mood
	finds func(step uint64) *recorderv1.Anomaly

	lock   sync.Mutex
	log    []*recorderv1.Record
	timing []*recorderv1.Record
	epoch  uint64
	sealed bool
	room   int // 0 is unlimited
}

func (r *recorder) claim(epoch uint64) error {
	if epoch < r.epoch {
		return rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_LOST, "epoch %d after %d", epoch, r.epoch)
	}
	r.epoch = epoch
	return nil
}

func (r *recorder) Append(stream recorderv1.RecorderService_AppendServer) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	if err := r.at("open"); err != nil {
		return err
	}
	r.lock.Lock()
	err = r.claim(first.GetOpen().GetEpoch())
	next := uint64(len(r.log))
	r.lock.Unlock()
	if err != nil {
		return err
	}
	r.note("recorder open")
	answer := &recorderv1.AppendResponse{NextSeq: &next, CreditBytes: 8 << 20}
	for {
		if next > 0 {
			answer.ThroughSeq = proto.Uint64(next - 1)
		}
		if err := stream.Send(answer); err != nil {
			return err
		}
		m, err := stream.Recv()
		if err != nil {
			return nil //nolint:nilerr // the writer has gone
		}
		if answer, next, err = r.write(first.GetOpen().GetEpoch(), m.GetRecords().GetRecords(), next); err != nil {
			var p *rpc.Problem
			if errors.As(err, &p) {
				reject := &recorderv1.Reject{Reason: rpc.Reason(err), Detail: rpc.Message(err), Seq: next}
				return errors.Join(stream.Send(&recorderv1.AppendResponse{Reject: reject}), err)
			}
			return err
		}
	}
}

func (r *recorder) write(epoch uint64, records []*recorderv1.Record, through uint64) (*recorderv1.AppendResponse, uint64, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	out := &recorderv1.AppendResponse{}
	for _, rec := range records {
		at := int(rec.GetSeq())
		switch {
		case epoch < r.epoch:
			return nil, rec.GetSeq(), rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_LEASE_LOST, "another owner writes")
		case r.sealed:
			return nil, rec.GetSeq(), rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_SEALED, "sealed")
		case at > len(r.log):
			return nil, rec.GetSeq(), rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_OUT_OF_ORDER, "record %d came where %d was expected", at, len(r.log))
		case at < len(r.log):
			if was := r.log[at]; was.GetType() != rec.GetType() || !bytes.Equal(was.GetPayload(), rec.GetPayload()) {
				return nil, rec.GetSeq(), rpc.Errorf(codes.Aborted, corev1.ErrorReason_ERROR_REASON_DIVERGENT_REPLAY, "%s where %s is recorded", rec.GetType(), was.GetType())
			}
		case r.room > 0 && at >= r.room:
			r.note("disk full")
			return nil, rec.GetSeq(), rpc.Errorf(codes.ResourceExhausted, corev1.ErrorReason_ERROR_REASON_LEDGER_DISK_FULL, "no room")
		default:
			if err := r.at(name(rec)); err != nil {
				return nil, rec.GetSeq(), err
			}
			r.log = append(r.log, rec)
			r.note(name(rec))
		}
		out.CreditBytes += uint64(len(rec.GetPayload()) + len(rec.GetVolatile()))
		through = max(through, rec.GetSeq()+1)
		if rec.GetType() == recorderv1.RecordType_RECORD_TYPE_STEP && r.finds != nil {
			if f := factsOf(rec); f.GetBranch() == 0 { // the branch after a rollback is well
				if a := r.finds(f.GetStep()); a != nil {
					a.Seq = rec.GetSeq()
					out.Findings = append(out.Findings, a)
				}
			}
		}
	}
	return out, through, nil
}

func factsOf(rec *recorderv1.Record) *corev1.StepFacts {
	var s corev1.StepRecord
	f := &corev1.StepFacts{}
	if proto.Unmarshal(rec.GetPayload(), &s) != nil || proto.Unmarshal(s.GetFacts(), f) != nil {
		return nil
	}
	return f
}

// name is a record's type as it stands in the diary.
func name(r *recorderv1.Record) string { return r.GetType().String()[len("RECORD_TYPE_"):] }

func (r *recorder) AppendBatch(_ context.Context, req *recorderv1.AppendBatchRequest) (*recorderv1.AppendBatchResponse, error) {
	if err := r.at("timing"); err != nil {
		return nil, err
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	r.timing = append(r.timing, req.GetRecords()...)
	return &recorderv1.AppendBatchResponse{}, r.claim(req.GetEpoch())
}

// ListEvents gives three events a page, so that paging is always in play.
func (r *recorder) ListEvents(_ context.Context, req *recorderv1.ListEventsRequest) (*recorderv1.ListEventsResponse, error) {
	if err := r.at("list"); err != nil {
		return nil, err
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	from, to := int(req.GetFromSeq()), int(req.GetToSeq())
	if to == 0 {
		to = len(r.log)
	}
	if t := req.GetPageToken(); t != "" {
		var err error
		if from, err = strconv.Atoi(t); err != nil {
			return nil, err
		}
	}
	out := &recorderv1.ListEventsResponse{}
	for seq := from; seq < min(to, len(r.log)); seq++ {
		if len(out.GetEvents()) == 3 {
			out.NextPageToken = strconv.Itoa(seq)
			break
		}
		if rec := r.log[seq]; len(req.GetTypes()) == 0 || slices.Contains(req.GetTypes(), rec.GetType()) {
			out.Events = append(out.Events, event(seq, rec))
		}
	}
	return out, nil
}

func event(seq int, r *recorderv1.Record) *recorderv1.Event {
	return &recorderv1.Event{Log: recorderv1.Log_LOG_EVENTS, Seq: uint64(seq), Type: r.GetType(), Payload: r.GetPayload(), Volatile: r.GetVolatile()}
}

// ListAnomalies gives what the steps that are recorded raised.
func (r *recorder) ListAnomalies(context.Context, *recorderv1.ListAnomaliesRequest) (*recorderv1.ListAnomaliesResponse, error) {
	r.lock.Lock()
	defer r.lock.Unlock()
	out := &recorderv1.ListAnomaliesResponse{}
	for _, rec := range r.log {
		if f := factsOf(rec); rec.GetType() == recorderv1.RecordType_RECORD_TYPE_STEP && r.finds != nil && f.GetBranch() == 0 {
			if a := r.finds(f.GetStep()); a != nil {
				out.Anomalies = append(out.Anomalies, a)
			}
		}
	}
	return out, r.at("anomalies")
}

func (r *recorder) SealRun(_ context.Context, req *recorderv1.SealRunRequest) (*recorderv1.SealRunResponse, error) {
	if err := r.at("seal"); err != nil {
		return nil, err
	}
	r.lock.Lock()
	defer r.lock.Unlock()
	if err := r.claim(req.GetEpoch()); err != nil {
		return nil, err
	}
	if n := len(r.log); n == 0 || r.log[n-1].GetType() != recorderv1.RecordType_RECORD_TYPE_RUN_CLOSE {
		return nil, rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_RUN_NOT_FINISHED, "no RUN_CLOSE")
	}
	r.sealed = true
	r.note("seal ledger")
	return &recorderv1.SealRunResponse{Vkey: "key", Checkpoints: []*recorderv1.LogCheckpoint{
		{Log: recorderv1.Log_LOG_EVENTS, Size: uint64(len(r.log)), Root: []byte("root"), Note: "note"}}}, nil
}

func (r *recorder) GetRunSummary(context.Context, *recorderv1.GetRunSummaryRequest) (*recorderv1.GetRunSummaryResponse, error) {
	return &recorderv1.GetRunSummaryResponse{Summary: &recorderv1.RunSummary{}}, r.at("summary")
}

func (r *recorder) types() []string {
	r.lock.Lock()
	defer r.lock.Unlock()
	var out []string
	for _, x := range r.log {
		out = append(out, name(x))
	}
	return out
}

// all gives the records of events, and beside those of timing.
func (r *recorder) all() []*recorderv1.Record {
	r.lock.Lock()
	defer r.lock.Unlock()
	return slices.Clone(r.log)
}

func (r *recorder) beside() []*recorderv1.Record {
	r.lock.Lock()
	defer r.lock.Unlock()
	return slices.Clone(r.timing)
}

// find gives the payloads of a type.
func (r *recorder) find(t recorderv1.RecordType) [][]byte {
	r.lock.Lock()
	defer r.lock.Unlock()
	var out [][]byte
	for _, x := range r.log {
		if x.GetType() == t {
			out = append(out, x.GetPayload())
		}
	}
	return out
}
