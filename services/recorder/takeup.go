package recorder

import (
	"context"
	"encoding/json"
	"fmt"
	"path"

	"google.golang.org/protobuf/proto"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/monitor"
	"github.com/provenir/provenir/services/recorder/publish"
	"github.com/provenir/provenir/services/recorder/store"
)

// takeUp finds the newest state that the events bear out and replays what came after. Findings of the replay that are in
// the log already are recognised by their uid. The caller holds mu.
func (l *live) takeUp(ctx context.Context) error {
	state, from, err := l.newestState(ctx)
	if err != nil {
		return err
	}
	if l.salted, err = l.s.vault.Salted(ctx, l.tenant, l.run.ID); err != nil {
		return err
	}
	mon, err := monitor.New(l.run.ID, monitor.Spec{})
	if state != nil {
		mon, err = monitor.Restore(l.run.ID, state)
		l.given = true
	}
	if err == nil {
		err = l.takeUpClock(ctx, state)
	}
	if err == nil {
		err = l.takeUpInspection(ctx, state)
	}
	if err != nil {
		return fmt.Errorf("take up the state of run %s: %w", l.run.ID, err)
	}
	if l.known, err = l.knownSince(ctx, from); err != nil {
		return err
	}
	l.stored, l.looked = mon.Stats().Steps, l.insp.known.totals
	replay := mon.Next()
	if l.insp.strict {
		replay = min(replay, l.insp.run.Next()) // it stands behind a step, the monitor behind any event
	}
	for f, err := range l.log(ledger.Events).Events(ctx, store.Query{From: replay}) {
		if store.KindOf(err) == store.Corrupt {
			break // what is behind the damage cannot be judged; the log says so itself
		}
		if err != nil {
			return fmt.Errorf("replay run %s: %w", l.run.ID, err)
		}
		if store.Unreadable(f) != "" && monitor.Reads(f.Type) {
			mon.Pass(f.Seq, f.Type)
			continue
		}
		payload := f.Stored
		if !f.Inline() {
			payload = nil
		}
		l.found(mon.Observe(f.Seq, f.Type, payload), false, "")
		if err := l.inspectNow(f.Seq, f.Type, payload, ""); err != nil {
			return err
		}
	}
	l.mon = mon
	if !l.run.Sealed() {
		l.inspectLater(mon.Next())
		l.insp.loose = true // what an earlier process saw behind the last step is not known
	}
	if mon.Stats().LastType == ledger.RunClose {
		l.stall.End()
	}
	if l.log(ledger.Findings).Broken() != nil {
		return nil // it can be read, and nothing can be added
	}
	_, err = l.tell(ctx)
	return err
}

// takeUpClock takes up what a replay cannot give: incidents that a clock or the machine raised, from the log findings, and
// how long steps take, from the state. A run that stalled before a restart is not well after it.
func (l *live) takeUpClock(ctx context.Context, state []byte) error {
	var told []incident.Event
	err := l.eachAnomaly(ctx, 0, func(a *recorderv1.Anomaly, _ uint64) {
		if clockKinds[a.GetKind()] {
			told = append(told, monitor.EventOf(a))
		}
	})
	if err != nil {
		return err
	}
	l.clocked = incident.New(l.run.ID)
	l.clocked.Adopt(clockSpans, told)
	var learned struct {
		Clock json.RawMessage `json:"clock"`
	}
	if state == nil || json.Unmarshal(state, &learned) != nil || len(learned.Clock) == 0 {
		return nil // it is learned anew
	}
	return l.stall.Resume(learned.Clock, l.s.d.Clock.Now())
}

// stateWindow is how many findings are read at once, from the end, in search of a state.
const stateWindow = 512

// newestState gives the newest DETECTOR_STATE whose events are all there, and its place in findings.
func (l *live) newestState(ctx context.Context) (state []byte, at uint64, err error) {
	findings, events := l.log(ledger.Findings), l.log(ledger.Events).Durable()
	for to := findings.Durable(); to > 0; {
		from := to - min(to, stateWindow)
		for f, err := range findings.Events(ctx, store.Query{From: from, To: to, Types: []ledger.RecordType{ledger.DetectorState}}) {
			if store.KindOf(err) == store.Corrupt {
				break
			}
			if err != nil {
				return nil, 0, fmt.Errorf("look for the state of run %s: %w", l.run.ID, err)
			}
			var head struct {
				Stats struct {
					Next uint64 `json:"next"`
				} `json:"stats"`
			}
			if json.Unmarshal(f.Stored, &head) == nil && head.Stats.Next <= events {
				state, at = append([]byte(nil), f.Stored...), f.Seq
			}
		}
		if state != nil {
			return state, at, nil
		}
		to = from
	}
	return nil, 0, nil
}

// knownSince lists the findings from a place on, by uid.
func (l *live) knownSince(ctx context.Context, from uint64) (map[string]uint64, error) {
	known := map[string]uint64{}
	err := l.eachAnomaly(ctx, from, func(a *recorderv1.Anomaly, seq uint64) { known[a.GetUid()] = seq })
	return known, err
}

// eachAnomaly reads findings from a place on. What is behind damage is left out; the log says so itself.
func (l *live) eachAnomaly(ctx context.Context, from uint64, visit func(a *recorderv1.Anomaly, seq uint64)) error {
	for f, err := range l.log(ledger.Findings).Events(ctx, store.Query{From: from, Types: []ledger.RecordType{ledger.Anomaly}}) {
		if store.KindOf(err) == store.Corrupt {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the findings of run %s: %w", l.run.ID, err)
		}
		a := &recorderv1.Anomaly{}
		if err := proto.Unmarshal(f.Stored, a); err != nil {
			return fmt.Errorf("finding %d of run %s: %w", f.Seq, l.run.ID, err)
		}
		visit(a, f.Seq)
	}
	return nil
}

// recover opens the runs that have something left to do.
func (s *Service) recover(ctx context.Context) error {
	runs, err := s.store.Runs()
	if err != nil {
		return err
	}
	for _, r := range runs {
		_, complete, err := publish.Next(ctx, s.d.DB, r[0], r[1])
		if err != nil {
			return err
		}
		unlisted, err := s.unlisted(ctx, r[0], r[1])
		if err != nil {
			return err
		}
		if complete && !unlisted {
			continue
		}
		l, err := s.openRun(ctx, r[0], r[1], false)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			s.d.Log.Error("a run could not be taken up", "run", path.Join(r[0], r[1]), "error", err.Error())
			continue
		}
		if unlisted && l.log(ledger.Events).Durable() > 0 {
			if err := s.enlist(ctx, l, nil); err != nil {
				s.d.Log.Error("a tracked run could not be listed", "run", path.Join(r[0], r[1]), "error", err.Error())
			}
		}
		s.mark(l)
	}
	return nil
}
