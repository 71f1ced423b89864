package detect

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/provenir/provenir/services/recorder/metric"
)

// Engine runs the detectors of one run. It is not safe for concurrent use.
type Engine struct {
	profile   *Profile
	detectors []detector
	reads     [][]string // by detector, asked once
	trend     *rewardTrend
	frame     frame
	shape     *metric.Shape // of the step before
	place     place
}

// place is where in the run the last sample was.
type place struct {
	Seen    bool   `json:"seen"`
	Attempt uint32 `json:"attempt"`
	Stage   uint32 `json:"stage"`
	Step    uint64 `json:"step"`
	Row     uint64 `json:"row"`   // steps in this attempt and stage
	Rows    uint64 `json:"rows"`  // steps of the run
	Began   uint32 `json:"began"` // attempts so far, declared or not
	Spans   uint32 `json:"spans"` // attempts and stages so far
	Spoke   []bool `json:"spoke"` // by detector: whether it ever had something to read
}

// NewEngine begins a run.
func NewEngine(p *Profile) *Engine {
	e := &Engine{profile: p, detectors: registry()}
	for _, d := range e.detectors {
		e.reads = append(e.reads, d.reads())
		switch d := d.(type) {
		case *rewardTrend:
			e.trend = d
		case *configMismatch:
			d.compared = p.compared
		}
	}
	e.place.Spoke = make([]bool, len(e.detectors))
	return e
}

// Step judges one sample. isOpen says which kinds have an open incident, from steps before this one. The signals are
// appended to out: a process of a thousand runs has room for those of one step and not of a thousand.
func (e *Engine) Step(out []Signal, s *Sample, isOpen func(kind string) bool) []Signal {
	e.enter(s)
	f := &e.frame
	*f = frame{Sample: s, profile: e.profile, method: e.profile.of(s), row: e.place.Row, isOpen: isOpen, reward: e.trend,
		sane: s.Shape != nil && s.Shape.Sane(s.Values), out: out, retagged: f.retagged[:0]}
	imitated := imitates(f.method)
	for i, d := range e.detectors {
		if imitated && ofRL(d) {
			continue // not read either: what it finds stays unknown until a stage of RL comes
		}
		if len(f.retagged) > 0 && slices.ContainsFunc(e.reads[i], func(name string) bool { return slices.Contains(f.retagged, name) }) {
			d.reset()
		}
		d.step(f)
		if !e.place.Spoke[i] {
			e.place.Spoke[i] = e.hears(i)
		}
	}
	if e.shape = f.Shape; imitated {
		e.shape = nil // not every detector has read it
	}
	e.place.Row++
	e.place.Rows++
	had := len(out)
	out, f.Sample, f.out = f.out, nil, nil
	if len(e.profile.disabled) > 0 {
		kept := slices.DeleteFunc(out[had:], func(s Signal) bool { return e.profile.disabled[s.Kind] })
		out = out[:had+len(kept)]
	}
	return out
}

// enter forgets what belongs to another attempt or stage. A new branch is a declared new attempt; a step that goes back
// on the same branch is an undeclared one, which the step counter's own detector must still see.
func (e *Engine) enter(s *Sample) {
	p := &e.place
	declared := !p.Seen || s.Attempt != p.Attempt
	back := p.Seen && !declared && s.Stage == p.Stage && s.Step < p.Step
	if declared || back {
		p.Began++
	}
	if declared || back || s.Stage != p.Stage {
		p.Spans++
	}
	if p.Seen && (declared || back || s.Stage != p.Stage) {
		p.Row = 0
		for _, d := range e.detectors {
			if _, counter := d.(*steps); counter && back {
				continue
			}
			d.reset()
		}
	}
	p.Seen, p.Attempt, p.Stage, p.Step = true, s.Attempt, s.Stage, s.Step
}

// Attempts is how many there were: branches, and restarts that nobody declared.
func (e *Engine) Attempts() uint32 { return e.place.Began }

// Spans is how many attempts and stages have begun. Windows and baselines are of one span; when it grows, open incidents
// belong to one that is over, and nothing that comes could end them.
func (e *Engine) Spans() uint32 { return e.place.Spans }

// hears tells whether a detector had something to judge. One that needs several things at once says so itself; a family
// that reads no metric hears every step.
func (e *Engine) hears(i int) bool {
	if h, ok := e.detectors[i].(interface{ heard() bool }); ok {
		return h.heard()
	}
	if e.shape != nil && e.shape == e.frame.Shape && len(e.reads[i]) > 0 {
		return false // it read nothing of the step before, and this one has the same metrics
	}
	return len(e.reads[i]) == 0 || slices.ContainsFunc(e.reads[i], func(name string) bool {
		_, ok := e.frame.find(name)
		return ok
	})
}

// Rows is the number of steps seen in the run.
func (e *Engine) Rows() uint64 { return e.place.Rows }

// Unchecked lists the kinds that no step so far gave anything to read for: they are unknown, not clean.
func (e *Engine) Unchecked() []string {
	var kinds []string
	for i, d := range e.detectors {
		m, can := d.(interface{ muted() bool })
		if !e.place.Spoke[i] || can && m.muted() {
			kinds = append(kinds, d.kinds()...)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// Reads tells whether any detector that needs a metric has had one: without that a run cannot be called healthy.
func (e *Engine) Reads() bool {
	for i := range e.detectors {
		if len(e.reads[i]) > 0 && e.place.Spoke[i] {
			return true
		}
	}
	return false
}

// snapshot is the engine's state. Detectors are in registry order, so equal states are equal bytes.
type snapshot struct {
	Version int               `json:"version"`
	Place   place             `json:"place"`
	State   []json.RawMessage `json:"state"`
	Names   []string          `json:"names"`
}

// MarshalJSON gives the whole state.
func (e *Engine) MarshalJSON() ([]byte, error) {
	s := snapshot{Version: Version, Place: e.place}
	for _, d := range e.detectors {
		b, err := json.Marshal(d.state())
		if err != nil {
			return nil, fmt.Errorf("snapshot of detector %s: %w", d.name(), err)
		}
		s.State, s.Names = append(s.State, b), append(s.Names, d.name())
	}
	return json.Marshal(s)
}

// UnmarshalJSON takes a state up. One of other rules is refused: the caller replays the run instead.
func (e *Engine) UnmarshalJSON(b []byte) error {
	var s snapshot
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("detector snapshot: %w", err)
	}
	if s.Version != Version || len(s.State) != len(e.detectors) || len(s.Names) != len(e.detectors) || len(s.Place.Spoke) != len(e.detectors) {
		return fmt.Errorf("detector snapshot is of version %d with %d detectors, these are version %d with %d; replay the run",
			s.Version, len(s.State), Version, len(e.detectors))
	}
	for i, d := range e.detectors {
		if s.Names[i] != d.name() {
			return fmt.Errorf("detector snapshot holds %s where %s is; replay the run", s.Names[i], d.name())
		}
		if err := json.Unmarshal(s.State[i], d.state()); err != nil {
			return fmt.Errorf("snapshot of detector %s: %w", d.name(), err)
		}
	}
	e.place = s.Place
	return nil
}
