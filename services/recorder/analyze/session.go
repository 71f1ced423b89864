package analyze

import (
	"fmt"
	"slices"
	"strings"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
	"github.com/provenir/provenir/services/recorder/metric"
)

// Options say what is known of a log; everything may be empty and is then inferred.
type Options struct {
	Engine string // auto or empty infers
	Roles  Roles
	Detect detect.Config // Method may be empty
}

// lookAhead is how many rows are read before the engine is guessed: some keys come only with the first evaluation or
// every few steps.
const lookAhead = 64

// EngineError says that the engine is not known, or that the keys fit several that read them differently.
type EngineError struct {
	Given      string
	Candidates []string
}

func (e *EngineError) Error() string {
	if e.Given != "" {
		return fmt.Sprintf("no engine is called %q; one of %s, or auto", e.Given, strings.Join(metric.Engines(), ", "))
	}
	return fmt.Sprintf("the keys fit several engines that mean different things by them; name one: %s", strings.Join(e.Candidates, ", "))
}

// Session reads one log. It is not safe for concurrent use.
type Session struct {
	opts    Options
	mapper  *metric.Mapper // nil until the engine is known
	engine  *detect.Engine
	tracker *incident.Tracker
	roles   Roles
	method  string
	guessed string // the engine, for the verdict

	waiting []*record // until the engine is known
	last    *record   // its step may go on in the next row
	heldout *float64  // of an evaluation row, until the next step takes it
	attempt uint32    // a log directory that is used again holds several
	notes   []string

	stepKey string
	out     Findings
	done    []Incident
	open    map[string]int // incident: index in done
	rows    uint64
	steps   uint64
	coerced uint64
	odd     uint64 // problems
	told    map[string]bool
	timed   bool                          // some step said how long it took
	heard   struct{ proxy, heldout bool } // some row had the key of the role
}

// Findings are what a row brought. They are valid until the next call.
type Findings struct {
	Events   []incident.Event
	Problems []Problem
}

// New begins a log. Settings that cannot be are a *detect.ConfigError, an unknown engine is an *EngineError.
func New(o Options) (*Session, error) {
	if o.Engine == "auto" {
		o.Engine = ""
	}
	s := &Session{opts: o, open: map[string]int{}, told: map[string]bool{}}
	if o.Engine != "" {
		if _, ok := metric.Engine(o.Engine); !ok {
			return nil, &EngineError{Given: o.Engine}
		}
	}
	_, err := detect.NewProfile(o.Detect)
	return s, err
}

// Row takes the next row.
func (s *Session) Row(line uint64, text []byte) (Findings, error) {
	s.out = Findings{Events: s.out.Events[:0], Problems: s.out.Problems[:0]}
	s.rows++
	r, problems := s.parse(line, text)
	for _, p := range problems {
		s.problem(p)
	}
	if r == nil {
		return s.out, nil
	}
	if s.mapper == nil {
		if s.waiting = append(s.waiting, r); len(s.waiting) < lookAhead {
			return s.out, nil
		}
		return s.out, s.decide()
	}
	s.row(r)
	return s.out, nil
}

// Flush takes the rows that were held back. Call it once, behind the last row.
func (s *Session) Flush() (Findings, error) {
	s.out = Findings{Events: s.out.Events[:0], Problems: s.out.Problems[:0]}
	if s.mapper == nil {
		if err := s.decide(); err != nil {
			return s.out, err
		}
	}
	s.judge()
	return s.out, nil
}

// problem is told once a key and code, and counted always: a log of a million rows with one wrong column is one fault.
func (s *Session) problem(p Problem) {
	s.odd++
	if id := p.Code + "\x00" + p.Key; p.Key != "" {
		if s.told[id] {
			return
		}
		s.told[id] = true
	}
	s.out.Problems = append(s.out.Problems, p)
}

// known tells whether a key is a metric of the engine; before it is known, of any.
func (s *Session) known(key string) bool {
	if s.mapper != nil {
		_, ok := s.mapper.Name(key)
		return ok
	}
	for _, t := range metric.Tables() {
		if _, ok := metric.NewMapper(t).Name(key); ok {
			return true
		}
	}
	return false
}

// decide chooses engine, method and roles from the rows so far, and judges them.
func (s *Session) decide() error {
	var keys []string
	for _, r := range s.waiting {
		for _, k := range slices.Concat(keysOf(r), r.nulls) {
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	name := s.opts.Engine
	if name == "" {
		guess, candidates, ok := metric.Guess(keys)
		if !ok {
			return &EngineError{Candidates: candidates}
		}
		name = guess
	}
	s.guessed = name
	if name == "" { // no key is known: what is not finite or vanishes can still be seen
		name, s.guessed = "provenir", "unknown"
	}
	table, _ := metric.Engine(name)
	s.mapper = metric.NewMapper(table)
	s.method = s.opts.Detect.Method
	if s.method == "" {
		s.method = inferMethod(s.mapper, s.waiting)
	}
	s.roles = inferRoles(s.opts.Roles, s.mapper, keys)
	config := s.opts.Detect
	config.Method = s.method
	profile, err := detect.NewProfile(config)
	if err != nil {
		return err
	}
	s.engine, s.tracker = detect.NewEngine(profile), incident.New("log")
	rows := s.waiting
	s.waiting = nil
	for _, r := range rows {
		s.row(r)
	}
	return nil
}
