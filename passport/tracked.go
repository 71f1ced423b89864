package passport

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// LedgerSubjects are what a passport of a tracked run speaks of: each of its logs, by the root of its tree (RFC 6962). The
// digest has a name of its own, because no file has it.
func LedgerSubjects(logs map[string]LedgerLog) []Subject {
	var out []Subject
	for _, name := range slices.Sorted(maps.Keys(logs)) {
		out = append(out, Subject{Name: "ledger/" + name, Digest: map[string]string{"merkleRoot": logs[name].Root}})
	}
	return out
}

// Tracked tells whether a tracker recorded the run, and nobody here trained a model in it.
func (s Statement) Tracked() bool { return s.PredicateType == RunPredicateType }

// checkTracked wants a statement that speaks of the ledger and of no model.
func (s Statement) checkTracked() error {
	p := s.Predicate
	switch {
	case p.RecordedBy != ByTracker:
		return fmt.Errorf("recordedBy is %q, want %q in a passport of a run", p.RecordedBy, ByTracker)
	case p.ModelID != "" || p.OMSBundle != nil || len(p.Parents) > 0:
		return errors.New("a passport of a run names no model")
	case len(p.Ledger) == 0:
		return errors.New("a passport of a run needs its ledger")
	}
	want := LedgerSubjects(p.Ledger)
	if len(want) != len(s.Subject) {
		return fmt.Errorf("%d subjects for %d logs", len(s.Subject), len(want))
	}
	for i, w := range want {
		if s.Subject[i].Name != w.Name || !maps.Equal(s.Subject[i].Digest, w.Digest) {
			return fmt.Errorf("subject %q: want %q with the root of that log", s.Subject[i].Name, w.Name)
		}
	}
	return nil
}

// tracked says what a passport of a run is of. A model that is held beside it stays unchecked, and with it the whole:
// nothing in the passport says that the run made it.
func (r *Result) tracked(s Statement, model fs.FS) {
	r.add("subject_ledger", Holds, fmt.Sprintf("%d logs; what they hold is what a tracker reported", len(s.Subject)))
	if model != nil {
		r.add("subject_files", Unchecked, "the passport is of a run and of no model: nothing says that these files came of it")
	}
}
