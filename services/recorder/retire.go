package recorder

import (
	"context"
	"fmt"
	"slices"
	"time"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

// transitTime is how long a payload waits for its record.
const transitTime = 24 * time.Hour

// retainAll applies the rule, and declares holds that are owed, every so often. It waits first: a mesh that lives for one
// verb deletes nothing on the side.
func (s *Service) retainAll(ctx context.Context) error {
	for {
		t := s.d.Clock.NewTimer(s.cfg.RetainEvery)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C():
			s.retainPass(ctx)
		}
	}
}

// retainPass goes over all tenants. What fails is logged and tried again by the next pass.
func (s *Service) retainPass(ctx context.Context) {
	if err := s.declareOwed(ctx); err != nil && ctx.Err() == nil {
		s.d.Log.Warn("legal holds wait to be declared", "error", err.Error())
	}
	if s.d.Transit != nil {
		if err := s.d.Transit.SweepTransit(ctx, s.d.Clock.Now().Add(-transitTime)); err != nil {
			s.d.Log.Warn("payloads that no record took over could not be removed", "error", err.Error())
		}
	}
	runs, err := s.store.Runs()
	var tenants []string
	for _, r := range runs {
		tenants = append(tenants, r[0])
	}
	for _, tenant := range slices.Compact(tenants) {
		var done []*recorderv1.RunRetention
		if done, err = s.retain(ctx, tenant, "", byRule); err != nil {
			break
		}
		for _, r := range done {
			switch r.GetState() {
			case recorderv1.RetentionState_RETENTION_STATE_RETIRED:
				s.d.Log.Info("payloads were retired", "tenant", tenant, "run", r.GetRun(), "rule", s.cfg.Retain.String(), "bytes", r.GetBytes())
			case recorderv1.RetentionState_RETENTION_STATE_BLOCKED:
				s.d.Log.Warn("payloads are due and stay", "tenant", tenant, "run", r.GetRun(), "why", r.GetWhy())
			}
		}
	}
	if err != nil && ctx.Err() == nil {
		s.d.Log.Warn("retention was not applied; the next pass tries again", "error", err.Error())
	}
}

// retire takes the payloads of a run away if they are due still, under its lock: nobody mends, holds or erases meanwhile.
// An error is this recorder's own; what keeps the run is in the answer.
func (s *Service) retire(ctx context.Context, tenant, run, by string) (*recorderv1.RunRetention, error) {
	l, err := s.openRun(ctx, tenant, run, false)
	if err != nil {
		return blocked(&recorderv1.RunRetention{Run: run}, err), ctx.Err()
	}
	l.upkeep.Lock()
	defer l.upkeep.Unlock()
	now := s.d.Clock.Now()
	out, err := l.retention(ctx, now)
	if err != nil || out.GetState() != recorderv1.RetentionState_RETENTION_STATE_DUE {
		return out, err
	}
	segments, err := l.run.Retirable()
	if err != nil {
		return nil, err
	}
	if err := l.sound(ctx); err != nil {
		return blocked(out, err), ctx.Err()
	}
	if err := l.deed(ctx); err != nil {
		return nil, err
	}
	for part := range slices.Chunk(segments, ledger.MaxRetentionSegments) {
		note, err := l.retireSegments(ctx, part, by, now)
		if err != nil {
			return blocked(out, err), ctx.Err()
		}
		took(out, note)
	}
	out.State = recorderv1.RetentionState_RETENTION_STATE_RETIRED
	s.mark(l)
	return out, nil
}

// sound checks the logs that matter when payloads go: what findings says behind damage nobody would believe, and a log that
// somebody rewrote is evidence.
func (l *live) sound(ctx context.Context) error {
	for _, kind := range []ledger.Log{ledger.Findings, ledger.Events} {
		log := l.log(kind)
		if log.Durable() == 0 {
			continue
		}
		report, err := log.Verify(ctx, l.s.verifiers)
		if err != nil {
			return err
		}
		if !report.OK() {
			d := report.Damages[0]
			return &store.Fault{Kind: store.Corrupt, Run: l.run.ID, Log: kind, Segment: uint64(max(d.Segment, 0)), Offset: d.Offset,
				FirstSeq: d.FirstSeq, LastSeq: d.LastSeq, Cause: fmt.Errorf("%s; nothing is taken of a run that does not hold: `provenir ledger repair` first", d.Detail)}
		}
	}
	return nil
}

func (l *live) retireSegments(ctx context.Context, segments []store.Retirable, by string, now time.Time) (*ledger.RetentionNote, error) {
	how := store.Retirement{Rule: l.s.cfg.Retain.String(), By: by, At: now}
	if l.s.shipper != nil {
		how.Confirm = func(ctx context.Context, c store.Candidate) error {
			return l.s.shipper.ConfirmRetired(ctx, c.Dir, c.Segment, c.Size, c.SHA256)
		}
	}
	ns := make([]uint64, len(segments))
	for i, s := range segments {
		if ns[i] = s.Segment; s.Away && l.s.shipper == nil {
			return nil, fmt.Errorf("segment %d lies only in the store that it was shipped to, and none is configured (recorder.ship.*)", s.Segment)
		}
	}
	return l.run.Retire(ctx, ns, how)
}

// took tells what a note took away.
func took(out *recorderv1.RunRetention, note *ledger.RetentionNote) {
	for _, s := range note.Segments {
		if out.FirstSeq == nil || s.FirstSeq < out.GetFirstSeq() {
			out.FirstSeq = &s.FirstSeq
		}
		if out.LastSeq == nil || s.LastSeq > out.GetLastSeq() {
			out.LastSeq = &s.LastSeq
		}
		out.FindingSeq = &note.Seq
	}
}
