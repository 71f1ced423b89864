// Package oms signs a model folder in the format of OpenSSF Model Signing v1.0, so that its public verifiers read it.
package oms

import (
	"encoding/hex"
	"encoding/json"

	"github.com/provenir/provenir/passport"
)

// PredicateType of a signature.
const PredicateType = "https://model_signing/signature/v1.0"

type statement struct {
	Type          string             `json:"_type"`
	Subject       []passport.Subject `json:"subject"`
	PredicateType string             `json:"predicateType"`
	Predicate     predicate          `json:"predicate"`
}

type predicate struct {
	Resources     []resource    `json:"resources"`
	Serialization serialization `json:"serialization"`
}

type resource struct {
	Name      string `json:"name"`
	Digest    string `json:"digest"`
	Algorithm string `json:"algorithm"`
}

type serialization struct {
	Method        string   `json:"method"`
	HashType      string   `json:"hash_type"`
	AllowSymlinks bool     `json:"allow_symlinks"`
	IgnorePaths   []string `json:"ignore_paths,omitempty"`
}

// ignored are excluded from signing at the top level, and said so in the predicate.
var ignored = []string{".git", ".gitattributes", ".github", ".gitignore", "model.sig"}

// Sign gives model.sig over the files of a model, which are in name order.
func Sign(s passport.Signer, model string, files []passport.File) ([]byte, error) {
	st := statement{Type: passport.StatementType, PredicateType: PredicateType,
		Subject:   passport.Subjects(model, files)[:1],
		Predicate: predicate{Serialization: serialization{Method: "files", HashType: "sha256", IgnorePaths: ignored}}}
	for _, f := range files {
		st.Predicate.Resources = append(st.Predicate.Resources, resource{f.Name, hex.EncodeToString(f.Digest[:]), "sha256"})
	}
	b, err := json.Marshal(st)
	if err != nil {
		return nil, err
	}
	payload, err := passport.Canonical(b)
	if err != nil {
		return nil, err
	}
	return passport.SignEnvelope(s, passport.PayloadType, payload)
}
