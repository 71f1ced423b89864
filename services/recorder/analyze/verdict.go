package analyze

import (
	"fmt"
	"slices"

	"github.com/provenir/provenir/services/recorder/detect"
	"github.com/provenir/provenir/services/recorder/incident"
)

// Incident is one fault of a log, from its onset to its end.
type Incident struct {
	UID, Kind, Metric, Detail string
	Severity                  detect.Severity // the worst that it had
	Onset, Opened             uint64          // steps
	Critical                  uint64          // step at which it became critical; 0 where it never did
	Resolved                  *uint64         // nil while it is open
	Attempt                   uint32
	Flaps                     uint32
}

// Verdict is what a log comes to.
type Verdict struct {
	Verdict               incident.Verdict
	Worst                 detect.Severity
	Incidents             []Incident
	FirstOnset            *uint64
	Roles                 Roles
	Engine, Method        string
	Attempts              uint32
	Unchecked             []string
	Rows, Steps, Problems uint64
	Notes                 []string
}

// note keeps an incident for the verdict; the tracker forgets those that have ended.
func (s *Session) note(e incident.Event) {
	i, known := s.open[e.Incident]
	if !known {
		i = len(s.done)
		s.open[e.Incident] = i
		s.done = append(s.done, Incident{UID: e.Incident, Kind: e.Kind, Metric: e.Metric, Onset: e.Onset, Opened: e.Step, Attempt: e.Attempt, Detail: e.Detail})
	}
	x := &s.done[i]
	if x.Severity < detect.Critical && e.Severity == detect.Critical {
		x.Critical = e.Step
	}
	x.Severity = max(x.Severity, e.Severity)
	switch e.What {
	case incident.Resolve:
		step := e.Step
		x.Resolved = &step
	case incident.Open:
		if known {
			x.Flaps++
		}
		x.Resolved = nil
	case incident.Escalate:
		x.Detail = e.Detail
	case incident.Update:
	}
}

// Verdict is valid after [Session.Flush].
func (s *Session) Verdict() Verdict {
	v := Verdict{Verdict: incident.Insufficient, Rows: s.rows, Steps: s.steps, Problems: s.odd, Engine: s.guessed, Method: s.method, Roles: s.roles}
	s.missing(&v)
	if s.engine == nil {
		return v
	}
	v.Verdict, v.Worst = s.tracker.Verdict(s.engine.Reads()), s.tracker.Worst()
	v.Attempts, v.Unchecked = s.engine.Attempts(), append(s.engine.Unchecked(), detect.OfRollouts()...)
	if !s.timed { // no clock watched the run that wrote the log
		v.Unchecked = append(v.Unchecked, detect.KindStall)
	}
	slices.Sort(v.Unchecked)
	v.Unchecked = slices.Compact(v.Unchecked) // a kind may have two detectors
	v.Incidents = s.done
	slices.SortStableFunc(v.Incidents, func(a, b Incident) int {
		if a.Attempt != b.Attempt {
			return int(a.Attempt) - int(b.Attempt)
		}
		return int(min(max(int64(a.Onset)-int64(b.Onset), -1), 1))
	})
	if step, ok := s.tracker.FirstOnset(); ok {
		v.FirstOnset = &step
	}
	v.Notes = append(v.Notes, s.notes...)
	if s.coerced > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("%d numbers were written as text", s.coerced))
	}
	if n := s.mapper.Ambiguous; n > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("%d zeros were taken for absent: %s writes 0 for an empty set as well", n, s.mapper.Engine()))
	}
	if s.stepKey == "" && s.steps > 0 {
		v.Notes = append(v.Notes, "no row names its step: rows were counted")
	}
	if s.guessed == "unknown" {
		v.Notes = append(v.Notes, "no key is known: only values that are not finite or that vanish can be seen")
	}
	return v
}

// missing takes back the roles that the caller named and no row has: a name that was mistyped must not read as a channel
// that was watched.
func (s *Session) missing(v *Verdict) {
	const text = "no row has the key %q, which was named as the %s reward: it was not judged"
	if given := s.opts.Roles.Heldout; given != "" && !s.heard.heldout {
		v.Roles.Heldout = ""
		v.Notes = append(v.Notes, fmt.Sprintf(text, given, "true"))
	}
	if given := s.opts.Roles.Proxy; given != "" && !s.heard.proxy {
		v.Roles.Proxy = ""
		v.Notes = append(v.Notes, fmt.Sprintf(text, given, "paid"))
	}
}
