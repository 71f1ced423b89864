package passport

// Types of a passport.
const (
	StatementType = "https://in-toto.io/Statement/v1"
	PredicateType = "https://provenir.dev/model-passport/v1"
	// RunPredicateType is of a run that a tracker recorded: nobody here made a model of it, so its ledger is the subject.
	RunPredicateType = "https://provenir.dev/run-passport/v1"
	PayloadType      = "application/vnd.in-toto+json"
	Schema           = "provenir.passport/v1"
)

// ByTracker says in a predicate that the records are what a tracker reported. Whoever issued the passport vouches that they
// were recorded so, and not that they are true.
const ByTracker = "tracker"

// Statement is an in-toto Statement v1 over the files of a model or, of a tracked run, over its ledger. It is a struct of our own, so that who embeds this
// package does not embed a protobuf runtime.
type Statement struct {
	Type          string    `json:"_type"`
	Subject       []Subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     Predicate `json:"predicate"`
}

// Subject is the model's root, first, then each file. Of a tracked run it is each log, in name order.
type Subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"` // every digest must match, not any
}

// Predicate is what is claimed of the model.
type Predicate struct {
	Schema     string               `json:"schema"`
	ModelID    string               `json:"modelId"` // empty of a tracked run
	RunID      string               `json:"runId"`
	RecordedBy string               `json:"recordedBy,omitempty"` // tracker; missing where the issuer's own mesh trained the model
	Partial    bool                 `json:"partial,omitempty"`    // of a tracked run: not all of it was made, or recorded
	RunState   string               `json:"runState"`             // succeeded, stopped_by_gate, cancelled, failed
	Issuance   Issuance             `json:"issuance"`
	BOM        Document             `json:"bom"`
	OMSBundle  *Document            `json:"omsBundle,omitempty"`
	Ledger     map[string]LedgerLog `json:"ledger"`
	Evidence   []Evidence           `json:"evidence"`
	Parents    []Parent             `json:"parents"`
	RiskClaims []RiskClaim          `json:"riskClaims"`
	AuditLog   *AuditLog            `json:"auditLog,omitempty"`
}

// Issuance is inside the signed bytes, so that algorithm, key and time cannot be exchanged.
type Issuance struct {
	Algorithm string `json:"algorithm"` // ecdsa-p256-sha256
	KeyID     string `json:"keyId"`
	SignedAt  string `json:"signedAt"` // RFC 3339, UTC; the signer's claim
	Issuer    string `json:"issuer"`
}

// Document points at a file of the passport's folder.
type Document struct {
	Digest    map[string]string `json:"digest"`
	MediaType string            `json:"mediaType"`
}

// LedgerLog is the final checkpoint of a log. Size is a text: it may pass 2^53.
type LedgerLog struct {
	Origin string `json:"origin"`
	Size   string `json:"size"`
	Root   string `json:"root"` // hex
	Note   string `json:"note"` // the signed checkpoint
}

// Evidence is a result that the passport cites.
type Evidence struct {
	Kind       string            `json:"kind"`
	Digest     map[string]string `json:"digest"`
	Subjects   []string          `json:"subjects"`
	ObservedAt string            `json:"observedAt"`
}

// Parent is a model that this one was made from.
type Parent struct {
	Relation  string `json:"relation"`
	Passport  string `json:"passport,omitempty"`
	ModelRoot string `json:"modelRoot"`
}

// RiskClaim is a flag as the issuer derived it.
type RiskClaim struct {
	Name     string   `json:"name"`
	State    string   `json:"state"` // raised, clear, unknown
	Evidence []string `json:"evidence"`
}

// AuditLog names the log that the statement's digest is a leaf of.
type AuditLog struct {
	Origin   string `json:"origin"`
	VKeyHash string `json:"vkeyHash"`
}
