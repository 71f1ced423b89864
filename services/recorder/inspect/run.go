package inspect

import (
	"encoding/json"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/hack"
	"github.com/provenir/provenir/services/recorder/incident"
)

// Tools are what an inspection works with and does not keep. One goroutine has them at a time.
type Tools struct {
	// Failed is told of a rollout at which the inspection itself failed. Policies write what nobody thought of: such a
	// rollout is not inspected, and the recorder lives.
	Failed func(why any)

	inspector *hack.Inspector
	clusters  Clusters
}

// NewTools makes them.
func NewTools() *Tools { return &Tools{inspector: hack.NewInspector()} }

// Run is the inspection of one run. It is not safe for concurrent use.
type Run struct {
	id      string
	tracker *incident.Tracker
	s       state

	open map[string]*rollout // without a verdict yet
	next uint64              // event that is observed next

	// Of the step that is under way.
	step  tally
	pairs Step
	first uint64 // its first rollout's event
}

// state is what is kept between two steps. It is plain data: its JSON is all of it.
type state struct {
	Next    uint64   `json:"next"` // event behind the newest step that was taken
	Totals  Totals   `json:"totals"`
	Begun   bool     `json:"begun,omitempty"`
	Step    uint64   `json:"step,omitempty"`
	Branch  uint32   `json:"branch,omitempty"`
	Stage   uint32   `json:"stage,omitempty"`
	Spans   uint32   `json:"spans,omitempty"` // attempts and stages
	Window  []tally  `json:"window,omitempty"`
	Pairs   Pairs    `json:"pairs"`
	Length  baseline `json:"length"`
	Reuse   baseline `json:"reuse"`
	Related bool     `json:"related,omitempty"` // reward and length could be compared
	Shared  bool     `json:"shared,omitempty"`  // answers to several questions could be
	Off     []string `json:"off,omitempty"`     // kinds that nobody wants to hear of
}

// Totals count over the whole run.
type Totals struct {
	Inspected uint64 `json:"inspected"`
	Hacked    uint64 `json:"hacked"`
}

// tally counts the rollouts of a step.
type tally struct {
	Inspected  uint64 `json:"inspected"`
	Hacked     uint64 `json:"hacked"`
	Degenerate uint64 `json:"degenerate"`
}

// New begins an inspection.
func New(run string) *Run {
	return &Run{id: run, tracker: incident.New(run), open: map[string]*rollout{}}
}

// Disable leaves kinds out; they are unchecked.
func (r *Run) Disable(kinds []string) { r.s.Off = slices.Clone(kinds) }

// Next is the event from which on it has to be given events, after a restart too.
func (r *Run) Next() uint64 { return r.s.Next }

// Skip leaves out the events before seq: there was no time for them. It may only be called between two steps.
func (r *Run) Skip(seq uint64) {
	if seq > r.s.Next {
		r.s.Next, r.next = seq, seq
	}
}

// Drop forgets the step that is under way, where its events cannot be read to the end.
func (r *Run) Drop(t *Tools) {
	r.begin(t)
	r.next = r.s.Next
}

// Totals are the run's counts.
func (r *Run) Totals() Totals { return r.s.Totals }

// Incidents are those that the inspection found.
func (r *Run) Incidents() *incident.Tracker { return r.tracker }

// Adopt takes up incidents from what was told of them, where no replay brings them back.
func (r *Run) Adopt(told []incident.Event) {
	r.tracker = incident.New(r.id)
	r.tracker.Adopt(r.s.Spans, told)
}

// Observe takes an event. Those that were observed change nothing. The events that it returns are valid until the next call.
func (r *Run) Observe(t *Tools, seq uint64, kind ledger.RecordType, payload []byte) []incident.Event {
	if seq < r.next || seq < r.s.Next {
		return nil
	}
	r.next = seq + 1
	switch kind {
	case ledger.Rollout:
		if len(r.open) == 0 && r.step.Inspected == 0 {
			r.first = seq
		}
		if id, x, ok := read(payload); ok {
			r.open[id] = x
		}
	case ledger.Verdict:
		var v corev1.Verdict
		if proto.Unmarshal(payload, &v) != nil {
			return nil // the rollout is inspected without it
		}
		if x, ok := r.open[v.GetRolloutId()]; ok {
			delete(r.open, v.GetRolloutId())
			x.judge(&v)
			r.inspect(t, x)
		}
	case ledger.Step:
		return r.stepped(t, seq, payload)
	case ledger.RunClose:
		return r.closed(t, seq)
	}
	return nil
}

// inspect looks at one rollout.
func (r *Run) inspect(t *Tools, x *rollout) {
	if len(x.row.Response) > hack.MaxRow {
		return
	}
	res, ok := t.inspect(&x.row)
	if !ok {
		return
	}
	r.step.Inspected++
	if res.Hacked {
		r.step.Hacked++
	}
	for i := range res.Findings {
		if res.Findings[i].Kind == hack.DegenerateRepetition {
			r.step.Degenerate++
			break
		}
	}
	if s, ok := NewSketch(x.text); ok {
		t.clusters.Add(x.prompt, &s)
	}
	if x.row.Proxy != nil {
		length := x.tokens
		if length == 0 {
			length = x.bytes
		}
		r.pairs.Add(r.first, *x.row.Proxy, float64(length))
	}
}

func (t *Tools) inspect(row *hack.Row) (res hack.Result, ok bool) {
	defer func() {
		if why := recover(); why != nil {
			t.inspector = hack.NewInspector() // it may hold a half
			if t.Failed != nil {
				t.Failed(why)
			}
		}
	}()
	return t.inspector.Inspect(row), true
}

// Snapshot is the state behind the newest step. Equal states are equal bytes.
func (r *Run) Snapshot() ([]byte, error) {
	tracker, err := json.Marshal(r.tracker)
	if err != nil {
		return nil, fmt.Errorf("snapshot of an inspection: %w", err)
	}
	return json.Marshal(snapshot{State: r.s, Tracker: tracker})
}

type snapshot struct {
	State   state           `json:"state"`
	Tracker json.RawMessage `json:"tracker"`
}

// Restore takes a state up.
func Restore(run string, b []byte) (*Run, error) {
	var s snapshot
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("state of an inspection: %w", err)
	}
	r := New(run)
	if err := json.Unmarshal(s.Tracker, r.tracker); err != nil {
		return nil, fmt.Errorf("state of an inspection: %w", err)
	}
	r.s, r.next = s.State, s.State.Next
	return r, nil
}
