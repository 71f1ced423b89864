package recorder

import (
	"context"
	"fmt"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

// maxBatchBytes bounds the records of one frame.
const maxBatchBytes = 4 << 20

// notEvents are types of the logs that the recorder writes, or that do not repeat: in events they would make equal runs
// unequal.
var notEvents = map[ledger.RecordType]bool{
	ledger.EngineEvent: true, ledger.Resume: true, ledger.Gap: true, ledger.Erasure: true, ledger.Anomaly: true,
	ledger.Retention: true, ledger.Hold: true, ledger.Repair: true, ledger.Incident: true, ledger.Ack: true, ledger.DetectorState: true, ledger.Commit: true,
}

// openWriter checks a writer's claim and answers with its log.
func (s *Service) openWriter(ctx context.Context, run string, epoch uint64, log recorderv1.Log, spec *recorderv1.RecorderSpec) (*live, *store.Log, error) {
	kind := ledger.Log(log)
	if kind != ledger.Events && kind != ledger.Timing {
		return nil, nil, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
			"writers open events or timing; findings are the recorder's own").Field("log", "LOG_EVENTS or LOG_TIMING")
	}
	l, err := s.get(ctx, tenant(ctx), run, true)
	if err != nil {
		return nil, nil, err
	}
	if err := l.run.Claim(epoch); err != nil {
		return nil, nil, err
	}
	if err := l.settle(ctx, spec); err != nil {
		return nil, nil, err
	}
	return l, l.log(kind), nil
}

// write takes records into a log. It returns what they opened or escalated and the number of records and findings that
// must be durable for them.
func (l *live) write(ctx context.Context, log *store.Log, epoch uint64, in []*recorderv1.Record, buf []store.Record) (w written, err error) {
	recs, size, err := convert(log.Kind(), in, buf)
	if err != nil {
		return written{}, err
	}
	w = written{bytes: size, recs: recs}
	if log.Kind() == ledger.Timing {
		clearGroups(recs) // it holds no payloads of people
		if err := l.run.Check(epoch); err != nil {
			return w, err
		}
		var first uint64
		first, err = log.AppendNext(ctx, recs)
		w.through = first + uint64(len(recs))
		return w, err
	}
	w.findings, w.findingsNext, err = l.append(ctx, epoch, recs)
	if len(recs) > 0 {
		w.through = recs[len(recs)-1].Seq + 1
	}
	return w, err
}

// written is what one frame of records became.
type written struct {
	recs         []store.Record
	bytes        int64
	through      uint64 // records of the log that must be durable
	findings     []*recorderv1.Anomaly
	findingsNext uint64 // records of findings that must be durable
}

// convert reads the contract's records. buf is used again from frame to frame.
func convert(kind ledger.Log, in []*recorderv1.Record, buf []store.Record) ([]store.Record, int64, error) {
	recs, size := buf[:0], int64(0)
	for i, r := range in {
		size += int64(len(r.GetPayload()) + len(r.GetVolatile()))
		t := ledger.RecordType(r.GetType())
		refuse := func(format string, args ...any) error {
			return rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT, "record %d: %s", r.GetSeq(), fmt.Sprintf(format, args...)).
				Field(fmt.Sprintf("records[%d]", i), fmt.Sprintf(format, args...))
		}
		switch {
		case int64(r.GetType()) != int64(t) || !t.Valid():
			return nil, 0, refuse("type %d is no record type", r.GetType())
		case kind == ledger.Events && notEvents[t]:
			return nil, 0, refuse("%s does not belong into the log events", t)
		case kind == ledger.Timing && t != ledger.EngineEvent && t != ledger.Resume && t < ledger.PrivateTypes:
			return nil, 0, refuse("%s does not belong into the log timing", t)
		case len(r.GetErasureGroup()) > maxGroupName:
			return nil, 0, refuse("an erasure group's name has at most %d bytes, this one %d", maxGroupName, len(r.GetErasureGroup()))
		}
		rec := store.Record{Seq: r.GetSeq(), Type: t, Payload: r.GetPayload(), Volatile: r.GetVolatile(), Group: r.GetErasureGroup()}
		if b := r.GetBlob(); b != nil {
			if len(b.GetDigest()) != len(ledger.Hash{}) {
				return nil, 0, refuse("a blob's digest has 32 bytes, this one %d", len(b.GetDigest()))
			}
			rec.Blob = &store.Blob{Digest: ledger.Hash(b.GetDigest()), Size: b.GetSizeBytes(), MediaType: b.GetMediaType()}
		}
		recs = append(recs, rec)
	}
	if size > maxBatchBytes {
		return nil, 0, rpc.Errorf(codes.InvalidArgument, corev1.ErrorReason_ERROR_REASON_FRAME_TOO_LARGE, "%d bytes of records in one frame, at most %d", size, maxBatchBytes)
	}
	return recs, size, nil
}

// AppendBatch writes records and answers when they are durable.
func (s *Service) AppendBatch(ctx context.Context, req *recorderv1.AppendBatchRequest) (*recorderv1.AppendBatchResponse, error) {
	if idgen.Tracked(req.GetRun()) || len(req.GetRows()) > 0 || !ofMesh(ctx) {
		return s.appendRows(ctx, req)
	}
	l, log, err := s.openWriter(ctx, req.GetRun(), req.GetEpoch(), req.GetLog(), req.GetSpec())
	if err != nil {
		return nil, problem(err)
	}
	return l.writeDurably(ctx, log, req.GetEpoch(), req.GetRecords())
}

// writeDurably takes records into a log and answers when they, and what they opened, are on disk.
func (l *live) writeDurably(ctx context.Context, log *store.Log, epoch uint64, in []*recorderv1.Record) (*recorderv1.AppendBatchResponse, error) {
	w, err := l.write(ctx, log, epoch, in, nil)
	if err == nil {
		err = log.Sync(ctx)
	}
	if err == nil {
		err = l.log(ledger.Findings).Wait(ctx, w.findingsNext)
	}
	if err != nil {
		return nil, problem(err)
	}
	return &recorderv1.AppendBatchResponse{Findings: w.findings, NextSeq: log.Next(), ThroughSeq: last(log.Durable())}, nil
}

// last is the number of the last of n records, absent when there is none.
func last(n uint64) *uint64 {
	if n == 0 {
		return nil
	}
	n--
	return &n
}
