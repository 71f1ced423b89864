package seal

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/provenir/provenir/passport"
)

// Facts are what a statement says beside the document.
type Facts struct {
	ModelID  string // empty of a tracked run, as are Files and OMS
	RunID    string
	KeyID    string
	SignedAt time.Time
	Files    []passport.File
	BOM      []byte
	OMS      []byte
	Evidence []EvidenceEntry
	Flags    []Flag
}

func digestOf(b []byte) map[string]string {
	h := sha256.Sum256(b)
	return map[string]string{"sha256": hex.EncodeToString(h[:])}
}

// Statement builds the statement's canonical bytes.
func Statement(d Document, f Facts) ([]byte, error) {
	s := passport.Statement{Type: passport.StatementType, PredicateType: passport.PredicateType,
		Predicate: passport.Predicate{Schema: passport.Schema, ModelID: f.ModelID, RunID: f.RunID, RunState: d.State(),
			Issuance: passport.Issuance{Algorithm: passport.Algorithm, KeyID: f.KeyID, SignedAt: f.SignedAt.UTC().Format(time.RFC3339), Issuer: "provenir governance"},
			BOM:      passport.Document{Digest: digestOf(f.BOM), MediaType: "application/vnd.provenir.bom+json"},
			Ledger:   map[string]passport.LedgerLog{}, Evidence: []passport.Evidence{}, Parents: []passport.Parent{}, RiskClaims: []passport.RiskClaim{}}}
	for _, c := range d.Ledger.Checkpoints {
		origin, _, _ := strings.Cut(c.Note, "\n")
		s.Predicate.Ledger[logName(c)] = passport.LedgerLog{Origin: origin, Size: strconv.FormatUint(c.Size, 10),
			Root: strings.TrimPrefix(c.Root, "sha256:"), Note: c.Note}
	}
	if d.Tracked() {
		s.PredicateType, s.Subject = passport.RunPredicateType, passport.LedgerSubjects(s.Predicate.Ledger)
		s.Predicate.RecordedBy, s.Predicate.Partial = d.Run.RecordedBy, d.Run.Partial
	} else {
		s.Subject = passport.Subjects(f.ModelID, f.Files)
		s.Predicate.OMSBundle = &passport.Document{Digest: digestOf(f.OMS), MediaType: passport.BundleType}
	}
	for _, e := range f.Evidence {
		algorithm, value, _ := strings.Cut(e.Result, ":")
		s.Predicate.Evidence = append(s.Predicate.Evidence, passport.Evidence{Kind: e.Kind, Digest: map[string]string{algorithm: value},
			Subjects: e.Subjects, ObservedAt: e.ObservedAt})
	}
	for _, fl := range f.Flags {
		s.Predicate.RiskClaims = append(s.Predicate.RiskClaims, passport.RiskClaim{Name: fl.Name, State: fl.State, Evidence: fl.Evidence})
	}
	return s.Encode()
}
