package recorder

import (
	"context"
	"errors"
	"fmt"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/hold"
	"github.com/provenir/provenir/services/recorder/store"
)

// declareOwed writes down, in the findings of all runs concerned, what is owed of all holds.
func (s *Service) declareOwed(ctx context.Context) error {
	holds, err := s.holds.All(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, h := range holds {
		_, err := s.declareHold(ctx, h)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// owedRuns are the runs on disk whose findings do not tell of a hold as it is now. A lift is owed where the hold was told.
func (s *Service) owedRuns(ctx context.Context, h hold.Hold) (owed []string, err error) {
	told, err := s.holds.ToldOf(ctx, h.ID, false)
	if err != nil {
		return nil, err
	}
	var lifts map[string]bool
	if h.Lifted != nil {
		if lifts, err = s.holds.ToldOf(ctx, h.ID, true); err != nil {
			return nil, err
		}
		for run := range told {
			if !lifts[run] {
				owed = append(owed, run)
			}
		}
		return owed, nil
	}
	if h.Run != "" {
		if !told[h.Run] {
			owed = append(owed, h.Run)
		}
		return owed, nil
	}
	runs, err := s.store.Runs()
	for _, r := range runs {
		if r[0] == h.Tenant && !told[r[1]] {
			owed = append(owed, r[1])
		}
	}
	return owed, err
}

// declareHold writes a hold, or that it was lifted, into the findings that do not say so yet. A run that cannot be written
// stays owed; the others are done.
func (s *Service) declareHold(ctx context.Context, h hold.Hold) (told []place, err error) {
	owed, err := s.owedRuns(ctx, h)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, run := range owed {
		l, err := s.openRun(ctx, h.Tenant, run, false)
		if err == nil {
			var at []place
			l.upkeep.Lock() // what is being retired or erased of it ends first
			at, err = l.tellHold(ctx, h)
			l.upkeep.Unlock()
			told = append(told, at...)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("hold %s in run %s: %w", h.ID, run, err))
		}
	}
	return told, errors.Join(errs...)
}

// tellHold writes one hold, as it is now, into the run's findings, durably and once, and gives the place of a record that it
// wrote. The caller holds upkeep.
func (l *live) tellHold(ctx context.Context, h hold.Hold) (wrote []place, err error) {
	notes, err := l.holdNotes(ctx)
	if err != nil {
		return nil, err
	}
	scope := ledger.HoldRun
	if h.Run == "" {
		scope = ledger.HoldTenant
	}
	n := ledger.HoldNote{Hold: h.ID, Scope: scope, Set: true, Reason: h.Reason, By: h.By, At: h.At}
	if h.Lifted != nil {
		n = ledger.HoldNote{Hold: h.ID, Scope: scope, Reason: h.Lifted.Reason, By: h.Lifted.By, At: h.Lifted.At}
	}
	if last, ok := notes[h.ID]; !ok && h.Lifted == nil || ok && last.Set != n.Set {
		payload, err := n.Marshal()
		if err != nil {
			return nil, err
		}
		if err := l.deed(ctx); err != nil {
			return nil, err
		}
		findings := l.log(ledger.Findings)
		seq, err := findings.AppendNext(ctx, []store.Record{{Type: ledger.Hold, Payload: payload}})
		if err != nil {
			return nil, err
		}
		wrote = []place{{l, seq}}
		if err := findings.FlushDurably(ctx); err != nil {
			return nil, err
		}
		l.s.mark(l)
	}
	return wrote, l.s.holds.Told(ctx, h.ID, l.run.ID, h.Lifted != nil)
}

// holdNotes is what findings says last of each hold, by its id.
func (l *live) holdNotes(ctx context.Context) (map[string]ledger.HoldNote, error) {
	notes := map[string]ledger.HoldNote{}
	for f, err := range l.log(ledger.Findings).Events(ctx, store.Query{Types: []ledger.RecordType{ledger.Hold}}) {
		if err != nil {
			return nil, fmt.Errorf("read the holds of run %s: %w", l.run.ID, err)
		}
		n, err := ledger.ParseHoldNote(f.Stored)
		if err != nil {
			return nil, fmt.Errorf("finding %d of run %s: %w", f.Seq, l.run.ID, err)
		}
		notes[n.Hold] = n
	}
	return notes, nil
}

// standing are the holds that keep the run: those of the table, and those that only its findings know of, because the
// database was lost; they are taken up, so that somebody can lift them. A lift that findings does not tell of yet leaves
// the run held: what is destroyed must come after it in the log.
func (l *live) standing(ctx context.Context) ([]hold.Hold, error) {
	out, err := l.s.holds.Standing(ctx, l.tenant, l.run.ID)
	if err != nil {
		return nil, err
	}
	notes, err := l.holdNotes(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, h := range out {
		known[h.ID] = true
	}
	for id, n := range notes {
		if !n.Set || known[id] {
			continue
		}
		h, err := l.s.holds.Get(ctx, l.tenant, id)
		if errors.Is(err, hold.ErrUnknown) {
			h = hold.Hold{ID: id, Tenant: l.tenant, Reason: n.Reason, By: n.By, At: n.At}
			if n.Scope == ledger.HoldRun {
				h.Run = l.run.ID
			}
			h, err = l.s.holds.Set(ctx, h)
		}
		if err == nil {
			err = l.s.holds.Told(ctx, id, l.run.ID, false) // so that its lift is owed here
		}
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}
