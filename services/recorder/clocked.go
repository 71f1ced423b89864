package recorder

import (
	"context"
	"time"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
)

// stepped notes the time of a step. The caller holds mu.
func (l *live) stepped() {
	if sig, ok := l.stall.Step(l.s.d.Clock.Now()); ok {
		l.clock([]detect.Signal{sig})
	}
}

// clock judges what depends on a clock or on the machine. It is kept apart from what the events say, so that equal runs
// have equal states. The caller holds mu.
func (l *live) clock(signals []detect.Signal) {
	st := l.mon.Stats()
	at := incident.Place{Seq: st.Next - min(st.Next, 1), Step: st.Step}
	l.found(l.clocked.Step(at, clockSpans, signals), true, "")
}

// clockSpans: a clock and a machine know no attempts, so their incidents are never superseded.
const clockSpans = 1

// clockKinds are raised here and nowhere else.
var clockKinds = map[string]bool{detect.KindStall: true, kindDiskLow: true, kindDivergent: true, kindLedger: true}

const (
	kindDiskLow   = "disk_low"
	kindDivergent = "divergent_replay"
	kindLedger    = "ledger" // the log contradicts what its countersigner saw
)

// alarm raises a critical finding at once. The caller holds mu.
func (l *live) alarm(kind, why string) {
	l.clock([]detect.Signal{{Kind: kind, Level: detect.Critical, Need: 1, Evidence: detect.Evidence{Note: why}}})
}

// tick looks at the clock and at the disk until ctx ends.
func (s *Service) tick(ctx context.Context) error {
	for {
		t := s.d.Clock.NewTimer(s.cfg.Tick)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case now := <-t.C():
			s.look(ctx, now)
		}
	}
}

func (s *Service) look(ctx context.Context, now time.Time) {
	space, err := s.store.Space()
	if err != nil {
		s.d.Log.Warn("free disk space is unknown", "error", err.Error())
	}
	low := detect.Signal{Kind: kindDiskLow, Need: 1, Clear: err == nil && !space.Low,
		Evidence: detect.Evidence{Value: float64(space.Free), HasValue: err == nil, Note: "bytes free"}}
	if err == nil && space.Low {
		low.Level = detect.Critical
	}
	s.mu.Lock()
	lives := make([]*live, 0, len(s.live))
	for _, l := range s.live {
		lives = append(lives, l)
	}
	s.mu.Unlock()
	for _, l := range lives {
		l.look(ctx, now, low)
	}
}

func (l *live) look(ctx context.Context, now time.Time, low detect.Signal) {
	if !l.mu.TryLock() {
		return // a writer is at it, perhaps on a stalled disk: the other runs are looked at meanwhile
	}
	defer l.mu.Unlock()
	if l.mon == nil || l.run.Sealed() || l.mon.Next() == 0 {
		return
	}
	signals := []detect.Signal{low}
	if sig, ok := l.stall.Check(now); ok {
		signals = append(signals, sig)
	}
	l.clock(signals)
	if len(l.untold) == 0 {
		return
	}
	if _, err := l.tell(ctx); err != nil {
		l.s.d.Log.Warn("a finding waits for the log", "run", l.run.ID, "error", err.Error())
	}
}
