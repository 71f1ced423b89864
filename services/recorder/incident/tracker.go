package incident

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/provenir/provenir/services/recorder/detect"
)

const (
	resolveAfter = 10 // steps well inside the limit
	reopenWithin = 20 // steps after the end: the same incident goes on
	updateEvery  = 50 // steps
)

// Tracker holds the incidents of one run.
type Tracker struct {
	run   string
	s     state
	byKey map[key]*entry
	open  map[string]int // by kind
	out   []Event
}

type key struct{ kind, metric string }

// state is all that a snapshot holds.
type state struct {
	Rows     uint64          `json:"rows"`
	Spans    uint32          `json:"spans"`
	Entries  []*entry        `json:"entries"` // sorted by kind and metric
	Counts   []Count         `json:"counts"`  // sorted by kind and severity
	Worst    detect.Severity `json:"worst"`
	Onset    uint64          `json:"onset"` // of the first incident
	HasOnset bool            `json:"has_onset"`
	LastEnd  uint64          `json:"last_end"` // row at which a warn or critical incident last ended
	HasEnd   bool            `json:"has_end"`
}

// entry is a kind and metric that is breached, open, or ended a moment ago.
type entry struct {
	Kind     string          `json:"kind"`
	Metric   string          `json:"metric"`
	Streak   int             `json:"streak"`  // breaches in a row
	From     uint64          `json:"from"`    // step of the first of them
	Higher   int             `json:"higher"`  // breaches in a row above the open severity
	Inside   int             `json:"inside"`  // steps in a row well inside
	Open     bool            `json:"open"`    //
	Ended    bool            `json:"ended"`   // it was open before
	EndRow   uint64          `json:"end_row"` //
	Severity detect.Severity `json:"severity"`
	Incident string          `json:"incident"`
	Onset    uint64          `json:"onset"`
	Told     uint64          `json:"told"` // row of the last event
	Flaps    int             `json:"flaps"`
	Attempt  uint32          `json:"attempt"`
}

// Count is how many incidents of a kind and severity were opened.
type Count struct {
	Kind      string          `json:"kind"`
	Severity  detect.Severity `json:"severity"`
	Incidents uint64          `json:"incidents"`
}

// New tracks a run. Its name is part of every uid.
func New(run string) *Tracker {
	return &Tracker{run: run, byKey: map[key]*entry{}, open: map[string]int{}}
}

// IsOpen tells whether an incident of the kind is open.
func (t *Tracker) IsOpen(kind string) bool { return t.open[kind] > 0 }

// Step takes one step's signals. spans is how many attempts and stages have begun: when it grows, what is open belongs to
// one that is over and is closed as superseded. The events are valid until the next call.
func (t *Tracker) Step(at Place, spans uint32, signals []detect.Signal) []Event {
	t.out = t.out[:0]
	if spans > t.s.Spans {
		t.supersede(at)
		t.s.Spans = spans
	}
	t.s.Rows++
	for i := range signals {
		t.take(at, &signals[i])
	}
	t.purge()
	return t.out
}

func (t *Tracker) take(at Place, s *detect.Signal) {
	e := t.byKey[key{s.Kind, s.Metric}]
	if e == nil {
		if s.Level == detect.None {
			return
		}
		e = t.add(s, at)
	}
	span := max(s.Span, 1)
	if s.Level == detect.None {
		e.Streak, e.Higher = 0, 0
		if e.Inside += span; !s.Clear {
			e.Inside = 0
		}
		if e.Open && e.Inside >= resolveAfter {
			t.end(e, at, s, "back inside its limits")
		}
		return
	}
	need := cmp.Or(s.Need, detect.DefaultNeed)
	if e.Streak == 0 {
		e.From = at.Step
	}
	e.Streak++
	e.Inside = 0
	switch {
	case !e.Open && e.Streak >= need:
		t.begin(e, at, s)
	case e.Open && s.Level > e.Severity:
		if e.Higher++; e.Higher >= need {
			e.Severity, e.Higher = s.Level, 0
			t.count(e)
			t.tell(Escalate, e, at, s, detail(s))
		}
	case e.Open:
		e.Higher = 0
		if t.s.Rows-e.Told >= updateEvery {
			t.tell(Update, e, at, s, detail(s))
		}
	}
}

func (t *Tracker) add(s *detect.Signal, at Place) *entry {
	e := &entry{Kind: s.Kind, Metric: s.Metric, Attempt: at.Attempt}
	t.byKey[key{s.Kind, s.Metric}] = e
	i, _ := slices.BinarySearchFunc(t.s.Entries, e, compareEntries)
	t.s.Entries = slices.Insert(t.s.Entries, i, e)
	return e
}

func compareEntries(a, b *entry) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Metric, b.Metric))
}

func (t *Tracker) begin(e *entry, at Place, s *detect.Signal) {
	e.Onset = e.From
	if s.HasOnset {
		e.Onset = min(s.Onset, at.Step)
	}
	again := e.Ended && t.s.Rows-e.EndRow <= reopenWithin
	if again {
		e.Flaps++
	} else {
		e.Incident = id(t.run, strconv.FormatUint(uint64(at.Attempt), 10), e.Kind, e.Metric, strconv.FormatUint(at.Step, 10))
		e.Flaps = 0
	}
	e.Open, e.Severity, e.Attempt = true, s.Level, at.Attempt
	t.open[e.Kind]++
	t.count(e)
	if !t.s.HasOnset {
		t.s.Onset, t.s.HasOnset = e.Onset, true
	}
	text := detail(s)
	if again {
		text += fmt.Sprintf(" (again, %d times)", e.Flaps)
	}
	t.tell(Open, e, at, s, text)
}

func (t *Tracker) end(e *entry, at Place, s *detect.Signal, why string) {
	e.Open, e.Ended, e.EndRow, e.Streak, e.Inside = false, true, t.s.Rows, 0, 0
	if t.open[e.Kind]--; t.open[e.Kind] == 0 {
		delete(t.open, e.Kind)
	}
	if e.Severity >= detect.Warn {
		t.s.LastEnd, t.s.HasEnd = t.s.Rows, true
	}
	t.tell(Resolve, e, at, s, why)
}

// supersede closes what an attempt or stage that is over left open, and forgets what was about to open.
func (t *Tracker) supersede(at Place) {
	for _, e := range t.s.Entries {
		if e.Open {
			t.end(e, at, &detect.Signal{Kind: e.Kind, Metric: e.Metric}, "superseded by a new attempt or stage")
		}
		delete(t.byKey, key{e.Kind, e.Metric})
	}
	t.s.Entries = nil
}

func (t *Tracker) tell(w What, e *entry, at Place, s *detect.Signal, text string) {
	e.Told = t.s.Rows
	t.out = append(t.out, Event{
		UID: id(t.run, strconv.FormatUint(uint64(e.Attempt), 10), strconv.FormatUint(at.Step, 10), e.Kind, e.Metric, w.String(),
			strconv.Itoa(detect.Version)),
		Incident: e.Incident, What: w, Kind: e.Kind, Metric: e.Metric, Severity: e.Severity, Seq: at.Seq, Step: at.Step,
		Onset: e.Onset, Attempt: e.Attempt, Detail: text, Evidence: s.Evidence,
	})
}

func (t *Tracker) count(e *entry) {
	t.s.Worst = max(t.s.Worst, e.Severity)
	c := Count{Kind: e.Kind, Severity: e.Severity}
	i, found := slices.BinarySearchFunc(t.s.Counts, c, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Severity, b.Severity))
	})
	if !found {
		t.s.Counts = slices.Insert(t.s.Counts, i, c)
	}
	t.s.Counts[i].Incidents++
}

// purge forgets what is neither breached nor open nor ended a moment ago, so that state does not grow.
func (t *Tracker) purge() {
	t.s.Entries = slices.DeleteFunc(t.s.Entries, func(e *entry) bool {
		gone := !e.Open && e.Streak == 0 && (!e.Ended || t.s.Rows-e.EndRow > reopenWithin)
		if gone {
			delete(t.byKey, key{e.Kind, e.Metric})
		}
		return gone
	})
}

// MarshalJSON gives the whole state.
func (t *Tracker) MarshalJSON() ([]byte, error) { return json.Marshal(t.s) }

// UnmarshalJSON takes a state up.
func (t *Tracker) UnmarshalJSON(b []byte) error {
	var s state
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("incident snapshot: %w", err)
	}
	t.s = s
	clear(t.byKey)
	clear(t.open)
	for _, e := range s.Entries {
		t.byKey[key{e.Kind, e.Metric}] = e
		if e.Open {
			t.open[e.Kind]++
		}
	}
	return nil
}
