package recorder

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/internal/rpc"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/inspect"
	"github.com/provenir/provenir/services/recorder/monitor"
	"github.com/provenir/provenir/services/recorder/store"
)

// live is an open run with what is known of it.
type live struct {
	s      *Service
	tenant string
	run    *store.Run

	ready chan struct{} // closed when the state was taken up, or could not be
	err   error         // why it could not; read after ready

	// upkeep is held by whoever changes or destroys what is recorded (repair, retention, erasure) or forbids it (holds), and
	// for reading by who checks all of it. It is taken before mu.
	upkeep sync.RWMutex

	mu      sync.Mutex // records are observed in the order in which they are appended
	mon     *monitor.Monitor
	given   bool              // the run's settings are fixed
	salted  bool              // payloads of events are encrypted
	known   map[string]uint64 // findings that are in the log although their event came (or comes) again, by uid
	untold  []finding         // what is not in the log yet
	stored  uint64            // steps at the last stored state
	looked  inspect.Totals    // and the inspection's counts
	clocked *incident.Tracker // what depends on a clock
	stall   detect.Stall

	insp   *inspection
	cosign cosigning

	place  uint64 // of findings, where the tables are; the projector's alone
	placed bool
}

// finding is an incident's event on its way into the log.
type finding struct {
	incident.Event
	byClock bool // it would not be the same on a repeat, so no gate may decide on it: writers are not told
	trace   string
}

func (l *live) found(events []incident.Event, byClock bool, trace string) {
	for _, e := range events {
		l.untold = append(l.untold, finding{e, byClock, trace})
	}
}

// get opens a run for a caller, or finds it open. With create it is made where it is missing. While the recorder takes up
// what an earlier process left, callers wait a little: a run in the middle of that has half a state.
func (s *Service) get(ctx context.Context, tenant, id string, create bool) (*live, error) {
	if err := s.recovered(ctx); err != nil {
		return nil, err
	}
	return s.openRun(ctx, tenant, id, create)
}

// openRun opens a run, or finds it open.
func (s *Service) openRun(ctx context.Context, tenant, id string, create bool) (*live, error) {
	run, err := s.store.Run(ctx, tenant, id, create)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	key := path.Join(tenant, id)
	l, ok := s.live[key]
	if !ok {
		l = &live{s: s, tenant: tenant, run: run, clocked: incident.New(id), ready: make(chan struct{}), insp: newInspection(id),
			cosign: cosigning{seen: map[ledger.Log]uint64{}, told: map[ledger.Log]bool{}}}
		s.live[key] = l
	}
	s.mu.Unlock()
	if ok {
		select {
		case <-l.ready:
			return l, l.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	l.mu.Lock()
	l.err = l.takeUp(ctx)
	l.mu.Unlock()
	if l.err != nil { // the next caller tries again
		s.mu.Lock()
		delete(s.live, key)
		s.mu.Unlock()
	}
	close(l.ready)
	return l, l.err
}

func (l *live) log(kind ledger.Log) *store.Log { return l.run.Log(kind) }

// settle fixes the run's settings at the first open.
func (l *live) settle(ctx context.Context, spec *recorderv1.RecorderSpec) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.settlePrivacy(ctx, spec.GetPrivacy()); err != nil {
		return err
	}
	if l.given || spec == nil {
		return nil
	}
	mon, err := monitor.New(l.run.ID, monitor.SpecOf(spec))
	if err != nil {
		return err
	}
	if l.mon.Next() > 0 {
		if spec.GetHackingStrict() { // a gate would believe that all was looked at
			return rpc.Errorf(codes.FailedPrecondition, corev1.ErrorReason_ERROR_REASON_INVALID_ARGUMENT,
				"recorder.hacking_strict: run %s has records that were not inspected; a run is strict from its first record or not at all", l.run.ID)
		}
		return nil // records came before settings did: the defaults stay
	}
	l.mon, l.insp.strict = mon, spec.GetHackingStrict()
	l.insp.run.Disable(spec.GetDisabled())
	if err := l.insp.note(); err != nil {
		return err
	}
	return l.storeLocked(ctx)
}

// append writes events and observes those that are new. It returns what they opened or escalated, and how many findings
// must be durable before anybody may be told.
func (l *live) append(ctx context.Context, epoch uint64, recs []store.Record) (told []*recorderv1.Anomaly, findings uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.grouped(recs); err != nil {
		return nil, 0, err
	}
	events := l.log(ledger.Events)
	err = events.Append(ctx, epoch, recs)
	next := events.Next()
	var repeated []uint64 // steps that were observed before
	trace := traceparent(ctx)
	for i := range recs {
		r := &recs[i]
		if r.Seq >= next {
			break
		}
		if r.Seq != l.mon.Next() {
			if r.Type == ledger.Step {
				repeated = append(repeated, r.Seq)
			}
			continue
		}
		l.found(l.mon.ObserveHashed(r.Seq, r.Type, r.Payload, r.Digest), false, trace)
		if failed := l.inspectNow(r.Seq, r.Type, r.Payload, trace); failed != nil && err == nil {
			err = failed
		}
		if r.Type == ledger.Step {
			l.stepped()
		}
		l.insp.loose = l.insp.loose || r.Type == ledger.Rollout
		if r.Type == ledger.Step || r.Type == ledger.RunClose && l.insp.loose {
			l.inspectLater(r.Seq + 1)
		}
	}
	if store.KindOf(err) == store.DivergentReplay {
		l.alarm(kindDivergent, err.Error())
	}
	if err == nil && len(repeated) > 0 {
		if told, err = l.repeat(ctx, repeated); err != nil {
			return nil, 0, err
		}
	}
	if len(l.untold) == 0 && !l.stateDue() {
		return told, 0, err
	}
	news, tellErr := l.tell(ctx)
	told = append(told, news...)
	if tellErr == nil && l.stateDue() {
		tellErr = l.storeLocked(ctx)
	}
	if err == nil {
		err = tellErr
	}
	return told, l.log(ledger.Findings).Next(), err
}

// tell writes findings that are not in the log yet. The caller holds mu.
func (l *live) tell(ctx context.Context) (told []*recorderv1.Anomaly, err error) {
	var recs []store.Record
	for _, e := range l.untold {
		a := monitor.Anomaly(l.run.ID, e.Event)
		a.Traceparent = e.trace
		if !e.byClock && (e.What == incident.Open || e.What == incident.Escalate) {
			told = append(told, a)
		}
		if seq, ok := l.known[e.UID]; ok {
			a.FindingSeq = &seq
			delete(l.known, e.UID)
			continue
		}
		payload, err := proto.MarshalOptions{Deterministic: true}.Marshal(a)
		if err != nil {
			return nil, fmt.Errorf("finding %s: %w", e.UID, err)
		}
		recs = append(recs, store.Record{Type: ledger.Anomaly, Payload: payload})
	}
	if len(recs) > 0 {
		if _, err := l.log(ledger.Findings).AppendNext(ctx, recs); err != nil {
			return nil, err // they stay untold and are tried again with the next append
		}
		l.s.mark(l)
	}
	l.untold = l.untold[:0]
	return told, nil
}

// stateDue tells whether a restart would replay too much. The caller holds mu.
func (l *live) stateDue() bool {
	every := l.s.cfg.SnapshotSteps
	if l.insp.strict {
		every = min(every, strictSteps)
	}
	return l.mon.Stats().Steps >= l.stored+every
}

// store writes the state down when there is something new, and waits for the disk.
func (l *live) store(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mon == nil || !l.given || l.mon.Stats().Steps == l.stored && l.insp.known.totals == l.looked || l.log(ledger.Findings).Broken() != nil {
		return nil
	}
	if err := l.storeLocked(ctx); err != nil {
		return err
	}
	return l.log(ledger.Findings).Sync(ctx)
}

// storeLocked appends a DETECTOR_STATE record. It may be ahead of what is durable of the events: a restart that finds
// fewer events takes an older state.
func (l *live) storeLocked(ctx context.Context) error {
	b, err := l.mon.Snapshot()
	if err != nil {
		return err
	}
	learned, err := json.Marshal(&l.stall)
	if err != nil {
		return err
	}
	// Beside the monitor's state, which is a function of the events, stands what the clock taught.
	b = append(append(b[:len(b)-1], `,"clock":`...), learned...)
	if l.insp.known.state != nil {
		b = fmt.Appendf(b, `,"inspect":{"strict":%t,"run":%s}`, l.insp.strict, l.insp.known.state)
	}
	b = append(b, '}')
	if _, err := l.log(ledger.Findings).AppendNext(ctx, []store.Record{{Type: ledger.DetectorState, Payload: b}}); err != nil {
		return err
	}
	l.stored, l.looked, l.given = l.mon.Stats().Steps, l.insp.known.totals, true
	return nil
}
