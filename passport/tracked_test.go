package passport

import (
	"crypto/ecdsa"
	"errors"
	"strings"
	"testing"
)

// trackedStatement is a passport of a tracked run, to be changed by a test before it is signed.
func trackedStatement(t testing.TB, k Key) Statement {
	t.Helper()
	s := statement(t, k)
	s.PredicateType, s.Subject = RunPredicateType, LedgerSubjects(s.Predicate.Ledger)
	s.Predicate.ModelID, s.Predicate.OMSBundle, s.Predicate.RecordedBy, s.Predicate.Partial = "", nil, ByTracker, true
	return s
}

func stateIn(r Result, name string) State {
	for _, c := range r.Checks {
		if c.Name == name {
			return c.State
		}
	}
	return ""
}

// A passport of a tracked run holds without a model. With one it is not checked completely: nothing says that the run made it.
func TestAPassportOfATrackedRun(t *testing.T) {
	k := key(t, "signer")
	_, vkey := logKeys(t)
	in := Input{Bundle: sign(t, k, trackedStatement(t, k)), Keys: []*ecdsa.PublicKey{k.Public()}, BOM: bom, LogKeys: []string{vkey}}
	r := Verify(in)
	if r.Overall != Holds || stateIn(r, "subject_ledger") != Holds || stateIn(r, "subject_files") != "" || stateIn(r, "ledger") != Holds || !r.Statement.Tracked() || !r.Statement.Predicate.Partial {
		t.Errorf("%+v", r)
	}
	in.Model = model()
	if r = Verify(in); r.Overall != Unchecked || stateIn(r, "subject_files") != Unchecked {
		t.Errorf("with a model: %+v", r)
	}
	in.Model, in.BOM = nil, nil
	if r = Verify(in); r.Overall != Unchecked {
		t.Errorf("without the BOM: %+v", r)
	}
	in.BOM = []byte(`{"schema":"other"}`)
	if r = Verify(in); r.Overall != Fails {
		t.Errorf("with another BOM: %+v", r)
	}
	if s := statement(t, k); s.Tracked() {
		t.Error("a passport of a model is taken for a tracked run's")
	}
}

func TestWhatAPassportOfATrackedRunMayNotSay(t *testing.T) {
	k := key(t, "signer")
	for name, change := range map[string]func(*Statement){
		"that nobody recorded it":     func(s *Statement) { s.Predicate.RecordedBy = "" },
		"that the mesh recorded it":   func(s *Statement) { s.Predicate.RecordedBy = "mesh" },
		"a model":                     func(s *Statement) { s.Predicate.ModelID = "org/name" },
		"a model's signature":         func(s *Statement) { s.Predicate.OMSBundle = &s.Predicate.BOM },
		"a parent":                    func(s *Statement) { s.Predicate.Parents = []Parent{{Relation: "base"}} },
		"no ledger":                   func(s *Statement) { s.Predicate.Ledger, s.Subject = map[string]LedgerLog{}, nil },
		"a log that is no subject":    func(s *Statement) { s.Subject = nil },
		"a subject that is no log":    func(s *Statement) { s.Subject[0].Name = "ledger/other" },
		"another root":                func(s *Statement) { s.Subject[0].Digest["merkleRoot"] = strings.Repeat("0", 64) },
		"another digest beside it":    func(s *Statement) { s.Subject[0].Digest["sha256"] = strings.Repeat("0", 64) },
		"files as subjects":           func(s *Statement) { s.Subject = append(s.Subject, Subject{Name: "a", Digest: map[string]string{}}) },
		"that it is of a model":       func(s *Statement) { s.PredicateType = PredicateType },
		"another type":                func(s *Statement) { s.PredicateType = "https://provenir.dev/run-passport/v2" },
		"a state that no run ends in": func(s *Statement) { s.Predicate.RunState = "silent" },
	} {
		s := trackedStatement(t, k)
		change(&s)
		b, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeStatement(b); !errors.Is(err, ErrStatement) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Predicate){
		"recordedBy": func(p *Predicate) { p.RecordedBy = ByTracker }, "partial": func(p *Predicate) { p.Partial = true },
	} {
		s := statement(t, k)
		change(&s.Predicate)
		b, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := DecodeStatement(b); !errors.Is(err, ErrStatement) {
			t.Errorf("%s in a passport of a model: %v", name, err)
		}
	}
}
