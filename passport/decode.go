package passport

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
)

// ErrStatement is the refusal of a statement that says something in a form that is not ours.
var ErrStatement = errors.New("the statement is malformed")

// DecodeStatement reads canonical bytes strictly: unknown and duplicate fields, other types and other schemas are refused.
func DecodeStatement(b []byte) (Statement, error) {
	var s Statement
	if err := RequireCanonical(b); err != nil {
		return s, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return Statement{}, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	// What was read must be what was signed: a field left out or spelled in another case would not come back.
	if again, err := s.Encode(); err != nil || !bytes.Equal(again, b) {
		return Statement{}, fmt.Errorf("%w: a field is missing or misspelt", ErrStatement)
	}
	if err := s.check(); err != nil {
		return Statement{}, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	return s, nil
}

// Encode gives the canonical bytes that are signed.
func (s Statement) Encode() ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return Canonical(b)
}

var (
	runStates  = []string{"succeeded", "stopped_by_gate", "cancelled", "failed"}
	riskStates = []string{"raised", "clear", "unknown"}
)

func (s Statement) check() error {
	p := s.Predicate
	switch {
	case s.Type != StatementType:
		return fmt.Errorf("its type is %q, want %q", s.Type, StatementType)
	case s.PredicateType != PredicateType && s.PredicateType != RunPredicateType:
		return fmt.Errorf("its predicate type is %q, want %q or %q", s.PredicateType, PredicateType, RunPredicateType)
	case p.Schema != Schema:
		return fmt.Errorf("its schema is %q, want %q", p.Schema, Schema)
	case p.Ledger == nil || p.Evidence == nil || p.Parents == nil || p.RiskClaims == nil:
		return errors.New("ledger, evidence, parents and riskClaims are lists, empty where there is nothing")
	case !slices.Contains(runStates, p.RunState):
		return fmt.Errorf("run state %q; there are %q", p.RunState, runStates)
	case !digests(p.BOM.Digest, "sha256") || p.OMSBundle != nil && !digests(p.OMSBundle.Digest, "sha256"):
		return errors.New("bom and omsBundle need one sha256 each")
	}
	for i, c := range p.RiskClaims {
		if !slices.Contains(riskStates, c.State) || i > 0 && p.RiskClaims[i-1].Name >= c.Name {
			return fmt.Errorf("risk claim %q: want names in order, once, and a state of %q", c.Name, riskStates)
		}
	}
	for name, l := range p.Ledger {
		if n, err := strconv.ParseUint(l.Size, 10, 64); err != nil || strconv.FormatUint(n, 10) != l.Size || !hex32(l.Root) {
			return fmt.Errorf("ledger %s: want size as decimal text and root as 64 hex characters", name)
		}
	}
	if s.PredicateType == RunPredicateType {
		return s.checkTracked()
	}
	if p.RecordedBy != "" || p.Partial {
		return errors.New("recordedBy and partial are of a passport of a run, and this one is of a model")
	}
	return s.checkSubjects()
}

// checkSubjects wants the root first, then files in name order, each once: of two entries for one file, which one counts
// would depend on the reader.
func (s Statement) checkSubjects() error {
	if len(s.Subject) < 2 {
		return errors.New("a passport needs the model's root and at least one file as subjects")
	}
	if !digests(s.Subject[0].Digest, "dirHash", "sha256") {
		return errors.New("the first subject is the model's root, with sha256 and dirHash")
	}
	last := ""
	for _, f := range s.Subject[1:] {
		if !fs.ValidPath(f.Name) || checkName(f.Name) != nil || f.Name <= last || !digests(f.Digest, "sha256") {
			return fmt.Errorf("subject %q: want file names in order, once, with one sha256 each", f.Name)
		}
		last = f.Name
	}
	return nil
}

// digests says whether there are exactly these digests, each 32 bytes in lower-case hex. A digest of another kind would be
// signed and never checked.
func digests(d map[string]string, names ...string) bool {
	return slices.Equal(slices.Sorted(maps.Keys(d)), names) && !slices.ContainsFunc(names, func(n string) bool { return !hex32(d[n]) })
}

func hex32(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && hex.EncodeToString(b) == s
}
