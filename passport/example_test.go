package passport_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log"
	"testing/fstest"

	"github.com/provenir/provenir/passport"
)

// A passport from signing to verification. Governance does the first half; the second is what a stranger does, with the
// public key that they trust and nothing of ours.
func Example() {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	signer := passport.Key{PrivateKey: private}
	model := fstest.MapFS{"config.json": {Data: []byte("{}")}, "model.safetensors": {Data: []byte("weights")}}
	bom := []byte(`{"schema":"provenir.bom/v1"}`)

	files, err := passport.Files(model)
	if err != nil {
		log.Fatal(err)
	}
	id, err := passport.KeyID(signer.Public())
	if err != nil {
		log.Fatal(err)
	}
	digest := sha256.Sum256(bom)
	statement, err := passport.Statement{Type: passport.StatementType, PredicateType: passport.PredicateType,
		Subject: passport.Subjects("org/name", files),
		Predicate: passport.Predicate{Schema: passport.Schema, ModelID: "org/name", RunID: "06e8k", RunState: "succeeded",
			Issuance:   passport.Issuance{Algorithm: passport.Algorithm, KeyID: id, SignedAt: "2026-01-02T03:04:05Z", Issuer: "me"},
			BOM:        passport.Document{Digest: map[string]string{"sha256": hex.EncodeToString(digest[:])}, MediaType: "application/vnd.provenir.bom+json"},
			Ledger:     map[string]passport.LedgerLog{},
			Evidence:   []passport.Evidence{},
			Parents:    []passport.Parent{},
			RiskClaims: []passport.RiskClaim{{Name: "pii_found", State: "unknown", Evidence: []string{}}}}}.Encode()
	if err != nil {
		log.Fatal(err)
	}
	bundle, err := passport.SignEnvelope(signer, passport.PayloadType, statement)
	if err != nil {
		log.Fatal(err)
	}

	trusted := []*ecdsa.PublicKey{signer.Public()}
	result := passport.Verify(passport.Input{Bundle: bundle, Keys: trusted, Model: model, BOM: bom})
	for _, c := range result.Checks {
		fmt.Println(c.State, c.Name)
	}
	fmt.Println("overall:", result.Overall)

	model["model.safetensors"].Data = []byte("other weights")
	fmt.Println("with other weights:", passport.Verify(passport.Input{Bundle: bundle, Keys: trusted, Model: model, BOM: bom}).Overall)
	// Output:
	// holds bundle_form
	// holds signature
	// holds payload_form
	// holds issuance
	// holds subject_files
	// holds bom
	// unchecked ledger
	// overall: holds
	// with other weights: fails
}
