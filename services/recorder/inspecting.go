package recorder

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	recorderv1 "github.com/provenir/provenir/gen/provenir/recorder/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/inspect"
	"github.com/provenir/provenir/services/recorder/monitor"
	"github.com/provenir/provenir/services/recorder/store"
)

// inspection is the look at a run's rollouts. A strict one sees every rollout before its step is acknowledged. The other
// reads the log behind the writer, in the time that it is given, and leaves out what it cannot keep up with.
type inspection struct {
	strict bool
	tools  *inspect.Tools // of a strict one; the others share those of the worker

	mu  sync.Mutex // held while rollouts are looked at; live.mu may be taken under it, never the other way round
	run *inspect.Run

	// What is known, under live.mu.
	ends  []uint64 // events behind the two newest steps, older first
	loose bool     // rollouts may have come behind the newest of them
	known looked
}

// looked is what an inspection knows behind a step.
type looked struct {
	state     []byte
	totals    inspect.Totals
	unchecked []string
	verdict   incident.Verdict
	worst     detect.Severity
	counts    []incident.Count
	onset     *uint64
}

// strictSteps bounds what a restart inspects again.
const strictSteps = 32

func newInspection(run string) *inspection {
	i := &inspection{run: inspect.New(run)}
	i.known.unchecked = detect.OfRollouts()
	return i
}

// note takes down what the inspection knows. The caller holds live.mu, and mu where the inspection is not strict.
func (i *inspection) note() error {
	state, err := i.run.Snapshot()
	if err != nil {
		return err
	}
	tr := i.run.Incidents()
	i.known = looked{state: state, totals: i.run.Totals(), unchecked: i.run.Unchecked(), verdict: tr.Verdict(true), worst: tr.Worst(), counts: slices.Clone(tr.Counts())}
	if step, ok := tr.FirstOnset(); ok {
		i.known.onset = &step
	}
	return nil
}

func (s *Service) newTools() *inspect.Tools {
	t := inspect.NewTools()
	t.Failed = func(why any) {
		s.d.Log.Error("a rollout could not be inspected, and is not counted as inspected; please report this", "error", fmt.Sprint(why), "stack", string(debug.Stack()))
	}
	return t
}

// inspectNow shows an event to a strict inspection. The caller holds mu.
func (l *live) inspectNow(seq uint64, kind ledger.RecordType, payload []byte, trace string) error {
	i := l.insp
	if !i.strict {
		return nil
	}
	if i.tools == nil {
		i.tools = l.s.newTools()
	}
	l.found(i.run.Observe(i.tools, seq, kind, payload), false, trace)
	if !endsStep(kind) {
		return nil
	}
	return i.note()
}

// endsStep tells a record behind which the rollouts before it are judged together.
func endsStep(kind ledger.RecordType) bool { return kind == ledger.Step || kind == ledger.RunClose }

// inspectLater says that a step, or the rest of a run, is there to be inspected. The caller holds mu.
func (l *live) inspectLater(next uint64) {
	i := l.insp
	i.loose = false
	if i.strict || l.s.cfg.InspectShare < 0 || l.mon.Stats().Rollouts == 0 {
		return
	}
	if len(i.ends) == 2 {
		i.ends = append(i.ends[:0], i.ends[1])
	}
	i.ends = append(i.ends, next)
	l.s.looks.add(l)
}

// inspectStep looks at the next step that is on disk, and tells whether there may be more. tools are the caller's.
func (l *live) inspectStep(ctx context.Context, tools *inspect.Tools) (more bool, err error) {
	i := l.insp
	i.mu.Lock()
	defer i.mu.Unlock()
	l.mu.Lock()
	ends := slices.Clone(i.ends)
	l.mu.Unlock()
	run, events := i.run, l.log(ledger.Events)
	if len(ends) == 0 || run.Next() >= ends[len(ends)-1] {
		return false, nil
	}
	if len(ends) == 2 && ends[1]-run.Next() > l.s.cfg.InspectBehind {
		run.Skip(ends[0])
	}
	want := store.Query{From: run.Next(), To: ends[len(ends)-1], Types: []ledger.RecordType{ledger.Rollout, ledger.Verdict, ledger.Step, ledger.RunClose}}
	late := events.Durable() < want.To
	for f, err := range events.Events(ctx, want) {
		if err != nil {
			run.Drop(tools)
			if store.KindOf(err) == store.Corrupt { // the log says so itself; what is behind the damage can be looked at
				run.Skip(ends[len(ends)-1])
				return false, nil
			}
			return false, fmt.Errorf("read rollouts of run %s: %w", l.run.ID, err)
		}
		payload := f.Stored
		if !f.Inline() {
			payload = nil // it lies in the blob store and is larger than what is looked at, or it was erased
		}
		found := run.Observe(tools, f.Seq, f.Type, payload)
		if endsStep(f.Type) {
			return true, l.tellLooked(ctx, found)
		}
	}
	run.Drop(tools)
	return late, nil
}

// tellLooked writes down what an inspection found in its own time. The caller holds the inspection's mu.
func (l *live) tellLooked(ctx context.Context, found []incident.Event) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.insp.note(); err != nil {
		return err
	}
	if l.log(ledger.Findings).Broken() != nil {
		return nil // it can be read, and nothing can be added
	}
	l.found(found, true, "")
	if len(l.untold) == 0 {
		return nil
	}
	_, err := l.tell(ctx)
	return err
}

// inspectRest looks at what is left of a run that is over, without a rest.
func (l *live) inspectRest(ctx context.Context) error {
	if l.insp.strict || l.s.cfg.InspectShare < 0 {
		return nil
	}
	tools := l.s.newTools()
	for {
		more, err := l.inspectStep(ctx, tools)
		if err != nil || !more {
			return err
		}
	}
}

// inspectAll looks at rollouts until ctx ends, with a share of one processor: it rests in proportion to what it worked.
func (s *Service) inspectAll(ctx context.Context) error {
	tools := s.newTools()
	for {
		l, err := s.looks.take(ctx)
		if err != nil {
			return err
		}
		began := s.d.Clock.Now()
		more, err := l.inspectStep(ctx, tools)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.d.Log.Warn("rollouts were not inspected", "run", l.run.ID, "error", err.Error())
		} else if more {
			s.looks.add(l)
		}
		took := s.d.Clock.Now().Sub(began)
		t := s.d.Clock.NewTimer(max(time.Duration(float64(took)*(1/s.cfg.InspectShare-1)), leastRest))
		select {
		case <-t.C():
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		}
	}
}

// leastRest keeps a step that is not on disk yet from being looked for all the time.
const leastRest = time.Millisecond

// takeUpInspection takes up the state; the events behind it follow. The caller holds mu.
func (l *live) takeUpInspection(ctx context.Context, state []byte) error {
	var kept struct {
		Inspect *struct {
			Strict bool            `json:"strict"`
			Run    json.RawMessage `json:"run"`
		} `json:"inspect"`
	}
	l.insp = newInspection(l.run.ID)
	if state != nil && json.Unmarshal(state, &kept) == nil && kept.Inspect != nil {
		l.insp.strict = kept.Inspect.Strict
		if run, err := inspect.Restore(l.run.ID, kept.Inspect.Run); err == nil {
			l.insp.run = run
		} // a state of other rules: it begins anew
	}
	if !l.insp.strict { // what was left out the last time would be found this time: only what was told counts
		var told []incident.Event
		err := l.eachAnomaly(ctx, 0, func(a *recorderv1.Anomaly, _ uint64) {
			if slices.Contains(detect.OfRollouts(), a.GetKind()) {
				told = append(told, monitor.EventOf(a))
			}
		})
		if err != nil {
			return err
		}
		l.insp.run.Adopt(told)
	}
	return l.insp.note()
}
