package recorder

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/identity"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

// RepairRun checks a run's logs, puts shipped copies in the place of damaged segments, and declares what is lost for good: a
// GAP record in findings for each damaged range that no copy mends, once. A damaged file keeps a name of its own.
func (s *Service) RepairRun(ctx context.Context, req *recorderv1.RepairRunRequest) (*recorderv1.RepairRunResponse, error) {
	l, err := s.get(ctx, tenant(ctx), req.GetRun(), false)
	if err != nil {
		return nil, problem(err)
	}
	kinds := ledger.Logs[:]
	if req.GetLog() != recorderv1.Log_LOG_UNSPECIFIED {
		kinds = []ledger.Log{ledger.Log(req.GetLog())}
	}
	l.upkeep.Lock()
	defer l.upkeep.Unlock()
	resp := &recorderv1.RepairRunResponse{}
	var mended []ledger.RepairNote
	for _, kind := range kinds {
		report, restored, err := s.mend(ctx, l, kind)
		if errors.Is(err, ledger.ErrNoLog) {
			continue
		}
		if err != nil {
			return nil, problem(err)
		}
		var names []string
		for { // a report names so many damages, and no more
			blobs, err := s.mendBlobs(ctx, l, kind, report)
			if err != nil {
				return nil, problem(err)
			}
			if len(blobs) == 0 {
				break
			}
			resp.RestoredBlobs = append(resp.RestoredBlobs, blobs...)
			for _, b := range blobs {
				names = append(names, "sha256:"+hex.EncodeToString(b))
			}
			if report, err = l.log(kind).Verify(ctx, s.verifiers); err != nil {
				return nil, problem(err)
			}
		}
		resp.Restored = append(resp.Restored, restored...)
		if n := (ledger.RepairNote{Log: kind.String(), Segments: restored, Blobs: names}); len(restored)+len(names) > 0 {
			mended = append(mended, n)
		}
		for _, d := range report.Damages {
			resp.Losses = append(resp.Losses, &recorderv1.Loss{Log: recorderv1.Log(kind), FirstSeq: d.FirstSeq, LastSeq: d.LastSeq})
		}
	}
	if len(mended)+len(resp.GetLosses()) == 0 {
		return resp, nil
	}
	if err := l.deed(ctx); err != nil {
		return nil, err
	}
	if err := s.noteRepairs(ctx, l, mended); err != nil {
		return nil, problem(err)
	}
	if len(resp.GetLosses()) > 0 {
		if err := s.declare(ctx, l, resp.GetLosses()); err != nil {
			return nil, problem(err)
		}
	}
	s.mark(l)
	if n := l.log(ledger.Findings).Durable(); n > 0 {
		s.awaitAudit(ctx, place{l, n - 1})
	}
	return resp, nil
}

// mend checks a log, mends what can be mended, and gives what is wrong with it after that.
func (s *Service) mend(ctx context.Context, l *live, kind ledger.Log) (*ledger.Report, []uint64, error) {
	report, err := l.log(kind).Verify(ctx, s.verifiers)
	if c, note := l.log(kind).Checkpoint(); errors.Is(err, ledger.ErrNoLog) && note != nil && c.Size > 0 {
		report, err = everySegmentGone(c), nil
	}
	if err != nil || report.OK() {
		return report, nil, err
	}
	restored, err := l.log(kind).Mend(ctx, report, s.verifiers)
	if e := s.reopen(ctx, l, kind, len(restored) > 0); e != nil {
		return nil, nil, errors.Join(err, e)
	}
	if err != nil || len(restored) == 0 {
		return report, nil, err
	}
	s.mark(l)
	report, err = l.log(kind).Verify(ctx, s.verifiers)
	return report, restored, err
}

// everySegmentGone is the report of a log of which only its checkpoint is left.
func everySegmentGone(c ledger.Checkpoint) *ledger.Report {
	return &ledger.Report{Damages: []ledger.Damage{{Kind: ledger.MissingSegment, File: ledger.SegmentName(0), LastSeq: c.Size - 1,
		Detail: "a checkpoint covers records and there is no segment"}}}
}

// reopen takes a log up again after a repair, which may have closed it.
func (s *Service) reopen(ctx context.Context, l *live, kind ledger.Log, mended bool) error {
	if !mended && !l.log(kind).Closed() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	again, err := l.run.Reopen(ctx, kind)
	if err != nil || !again {
		return err
	}
	l.untold = nil
	return l.takeUp(ctx) // it had judged the log without the records that are back
}

// noteRepairs writes into findings what was mended. Where findings is what cannot be written, its own loss is the answer.
func (s *Service) noteRepairs(ctx context.Context, l *live, mended []ledger.RepairNote) error {
	c, _ := identity.FromContext(ctx)
	var records []store.Record
	for _, n := range mended {
		n.By, n.At = c.Name, s.d.Clock.Now()
		payload, err := n.Marshal()
		if err != nil {
			return fmt.Errorf("note a repair: %w", err)
		}
		records = append(records, store.Record{Type: ledger.Repair, Payload: payload})
	}
	if len(records) == 0 {
		return nil
	}
	findings := l.log(ledger.Findings)
	if _, err := findings.AppendNext(ctx, records); err != nil {
		return err
	}
	return findings.Sync(ctx)
}

// declare writes the losses that findings does not hold yet, durably.
func (s *Service) declare(ctx context.Context, l *live, losses []*recorderv1.Loss) error {
	findings := l.log(ledger.Findings)
	var known [][]byte
	for f, err := range findings.Events(ctx, store.Query{Types: []ledger.RecordType{ledger.Gap}}) {
		if err != nil {
			return err
		}
		known = append(known, bytes.Clone(f.Stored))
	}
	var records []store.Record
	for _, loss := range losses {
		payload, err := proto.MarshalOptions{Deterministic: true}.Marshal(loss)
		if err != nil {
			return fmt.Errorf("declare a loss: %w", err)
		}
		told := false
		for _, k := range known {
			told = told || bytes.Equal(k, payload)
		}
		if !told {
			known = append(known, payload)
			records = append(records, store.Record{Type: ledger.Gap, Payload: payload})
		}
	}
	if len(records) == 0 {
		return nil
	}
	if _, err := findings.AppendNext(ctx, records); err != nil {
		return err
	}
	return findings.Sync(ctx)
}
