package recorder

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"

	"google.golang.org/grpc/codes"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/internal/idgen"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/internal/spool"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/monitor"
	"github.com/provenir/provenir/services/recorder/store"
	"github.com/provenir/provenir/services/recorder/tracked"
)

// ofMesh tells whether the caller is a role. People and programs write by rows only.
func ofMesh(ctx context.Context) bool {
	c, ok := identity.FromContext(ctx)
	return ok && c.Role == corev1.Role_ROLE_SERVICE
}

// appendRows takes rows of a tracker. Only runs that a tracker began can be written so: the uid says it, and the
// orchestrator never gives such a one. So nobody but a role can put a reward or a gate into a run of the mesh.
func (s *Service) appendRows(ctx context.Context, req *recorderv1.AppendBatchRequest) (*recorderv1.AppendBatchResponse, error) {
	if err := rowsOnly(req); err != nil {
		return nil, err
	}
	batch, err := convertRows(req.GetRun(), req.GetRows())
	if err != nil {
		return nil, err
	}
	if batch.head != nil { // before a folder is made for it
		if _, err := monitor.New(req.GetRun(), monitor.SpecOf(specOf(&batch.head.Settings))); err != nil {
			return nil, problem(err)
		}
	}
	l, err := s.openTracked(ctx, req, batch)
	if err != nil {
		return nil, problem(err)
	}
	if err := s.checkClaims(ctx, l, batch.records); err != nil {
		return nil, problem(err)
	}
	if l.run.Sealed() {
		resp, err := s.repeatSealed(ctx, l, batch)
		if err == nil && batch.closes {
			err = s.enlist(ctx, l, batch.head)
		}
		return resp, err
	}
	resp, err := l.writeDurably(ctx, l.log(ledger.Events), req.GetEpoch(), batch.records)
	if err != nil {
		return nil, err
	}
	if batch.closes {
		if _, err := s.SealRun(ctx, &recorderv1.SealRunRequest{Run: req.GetRun(), Epoch: req.GetEpoch()}); err != nil {
			return nil, err
		}
		s.leases.end(path.Join(l.tenant, l.run.ID))
	}
	if batch.head != nil { // the rows are durable: whoever sends them again finds them, and comes here again
		if err := s.enlist(ctx, l, batch.head); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

func rowsOnly(req *recorderv1.AppendBatchRequest) error {
	refuse := func(field, why string) error {
		return rpc.Errorf(codes.PermissionDenied, corev1.ErrorReason_ERROR_REASON_PERMISSION_DENIED, "%s: %s", field, why).Field(field, why)
	}
	switch {
	case !idgen.Tracked(req.GetRun()):
		return refuse("run", "only the mesh writes run "+req.GetRun()+"; a tracker makes an id of its own")
	case len(req.GetRecords()) > 0 || req.GetSpec() != nil:
		return refuse("records", "a tracked run is written by rows")
	case req.GetLog() != recorderv1.Log_LOG_EVENTS:
		return refuse("log", "rows belong into LOG_EVENTS")
	}
	return nil
}

// rowBatch is what rows say.
type rowBatch struct {
	records []*recorderv1.Record
	head    *spool.Row // open, where it is among them
	closes  bool
}

func convertRows(run string, rows []string) (*rowBatch, error) {
	b := &rowBatch{}
	var c tracked.Converter
	for i, text := range rows {
		row, err := spool.Parse([]byte(text))
		if err == nil && row.Run != "" && row.Run != run {
			err = fmt.Errorf("it is of run %s", row.Run)
		}
		if err == nil && b.closes {
			err = errors.New("it is behind the row that closes the run")
		}
		var rec *recorderv1.Record
		if err == nil {
			rec, err = c.Record(row)
		}
		if err != nil {
			return nil, rowProblem(fmt.Sprintf("rows[%d]", i), err)
		}
		if rec == nil {
			continue
		}
		b.records = append(b.records, rec)
		if row.Type == spool.Open {
			b.head = row
		}
		b.closes = row.Type == spool.Close
	}
	return b, nil
}

func rowProblem(field string, err error) error {
	reason := corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT
	var metric *spool.MetricError
	if errors.As(err, &metric) {
		reason = corev1.ErrorReason_ERROR_REASON_METRIC_INVALID
	}
	return rpc.Errorf(codes.InvalidArgument, reason, "%s: %w", field, err).Field(field, err.Error())
}

// openTracked opens the run for its writer. It is made by its first row, open, and by nothing else: a writer that asks
// what comes next must not leave an empty run behind.
func (s *Service) openTracked(ctx context.Context, req *recorderv1.AppendBatchRequest, b *rowBatch) (*live, error) {
	l, err := s.get(ctx, tenant(ctx), req.GetRun(), b.head != nil)
	if err != nil {
		return nil, err
	}
	if l.run.Sealed() {
		return l, nil
	}
	if err := s.leases.take(path.Join(l.tenant, l.run.ID), req.GetEpoch(), s.d.Clock.Now()); err != nil {
		return nil, err
	}
	if err := l.run.Claim(req.GetEpoch()); err != nil {
		return nil, err
	}
	if b.head == nil {
		return l, nil
	}
	return l, l.settle(ctx, specOf(&b.head.Settings))
}

func specOf(s *spool.Settings) *recorderv1.RecorderSpec {
	return &recorderv1.RecorderSpec{Method: s.Method, Model: s.Model, KlCoefficient: s.KL, RewardRange: s.RewardRange, NumIterations: s.NumIterations,
		TruncatedSampling: s.Truncated, Limits: s.Limits, Disabled: s.Disabled, Privacy: privacyOf[s.Privacy]}
}

var privacyOf = map[string]recorderv1.Privacy{"": recorderv1.Privacy_PRIVACY_UNSPECIFIED, "plain": recorderv1.Privacy_PRIVACY_PLAIN, "salted": recorderv1.Privacy_PRIVACY_SALTED}

// checkClaims puts rollouts that are too large for a frame into the blob store, durably, and leaves their digests. Those of a
// salted run are left as they are, and the store refuses them: a blob would lie there in plain text. Any other type is
// refused as well, because its readers want it here.
func (s *Service) checkClaims(ctx context.Context, l *live, records []*recorderv1.Record) error {
	l.mu.Lock()
	salted := l.salted
	l.mu.Unlock()
	if salted || s.d.Blobs == nil {
		return nil
	}
	for _, r := range records {
		if len(r.GetPayload()) <= store.MaxInline || r.GetType() != recorderv1.RecordType_RECORD_TYPE_ROLLOUT {
			continue
		}
		d := sha256.Sum256(r.GetPayload())
		if err := s.d.Blobs.Restore(ctx, d, bytes.NewReader(r.GetPayload())); err != nil {
			return fmt.Errorf("keep rollout %d of run %s as a blob: %w", r.GetSeq(), l.run.ID, err)
		}
		r.Blob = &corev1.BlobRef{Digest: d[:], SizeBytes: uint64(len(r.GetPayload())), MediaType: rolloutMedia}
		r.Payload = nil
	}
	return nil
}

// unsalted gives a frame of a salted run the digest that its payload would have in a plain one: its own is under a salt, and
// a writer that repeats itself has none. A payload that is gone can be compared with nothing, and is not taken for equal.
func (l *live) unsalted(log *store.Log, f *ledger.Frame) error {
	l.mu.Lock()
	salted := l.salted
	l.mu.Unlock()
	if !salted {
		return nil
	}
	if err := readable(log, f); err != nil {
		return err
	}
	f.Digest = sha256.Sum256(f.Stored)
	return nil
}

// rolloutMedia is what a rollout's bytes are.
const rolloutMedia = "application/vnd.provenir.rollout+protobuf"

// payloadDigest is the digest of a record's payload, wherever it lies.
func payloadDigest(r *recorderv1.Record) ledger.Hash {
	if b := r.GetBlob(); b != nil {
		return ledger.Hash(b.GetDigest())
	}
	return sha256.Sum256(r.GetPayload())
}

// repeatSealed answers a writer whose last answer was lost, and an import that was made before: rows that are recorded are
// nothing new. Anything else is too late.
func (s *Service) repeatSealed(ctx context.Context, l *live, b *rowBatch) (*recorderv1.AppendBatchResponse, error) {
	log := l.log(ledger.Events)
	if n := len(b.records); n > 0 {
		if b.records[n-1].GetSeq() >= log.Next() {
			return nil, problem(&store.Fault{Kind: store.Sealed, Run: l.run.ID, Log: ledger.Events})
		}
		if first, end := b.records[0].GetSeq(), b.records[n-1].GetSeq()+1; end-first != uint64(n) {
			return nil, problem(&store.Fault{Kind: store.OutOfOrder, Run: l.run.ID, Log: ledger.Events, Seq: end - 1, Want: first + uint64(n) - 1})
		}
		i := 0
		for f, err := range log.Events(ctx, store.Query{From: b.records[0].GetSeq(), To: b.records[n-1].GetSeq() + 1}) {
			if err != nil {
				return nil, problem(err)
			}
			r := b.records[i]
			if err := l.unsalted(log, f); err != nil {
				return nil, problem(err)
			}
			if f.Seq != r.GetSeq() || uint64(f.Type) != uint64(r.GetType()) || f.Digest != payloadDigest(r) {
				return nil, problem(&store.Fault{Kind: store.DivergentReplay, Run: l.run.ID, Log: ledger.Events, Seq: r.GetSeq()})
			}
			i++
		}
	}
	return &recorderv1.AppendBatchResponse{NextSeq: log.Next(), ThroughSeq: last(log.Durable())}, nil
}
