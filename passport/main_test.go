package passport

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"testing"
	"testing/fstest"

	"golang.org/x/mod/sumdb/note"
)

// key is the same one for a seed, so that what is signed in a test repeats.
func key(t testing.TB, seed string) Key {
	t.Helper()
	h := sha256.Sum256([]byte(seed))
	d := new(big.Int).SetBytes(h[:])
	d.Mod(d, new(big.Int).Sub(elliptic.P256().Params().N, big.NewInt(1)))
	k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d.Add(d, big.NewInt(1)).FillBytes(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return Key{k}
}

func model() fstest.MapFS {
	return fstest.MapFS{
		"config.json":                {Data: []byte(`{"a":1}`)},
		"model.safetensors":          {Data: []byte("weights")},
		"tokenizer/vocabulary.txt":   {Data: []byte("a\nb\n")},
		"tokenizer.json":             {Data: nil},
		"model.sig":                  {Data: []byte("its own signature is no part of it")},
		".git/HEAD":                  {Data: []byte("ref")},
		"sub/.git/kept":              {Data: []byte("only the top level is left out")},
		"Weights with spaces é.bin":  {Data: []byte("names are text")},
		"tokenizer/merges-001.final": {Data: []byte("m")},
	}
}

var bom = []byte(`{"schema":"provenir.bom/v1"}`)

// logKeys are those of a log that signs the checkpoints of the fixture.
func logKeys(t testing.TB) (note.Signer, string) {
	t.Helper()
	skey, vkey, err := note.GenerateKey(zeros{}, "log")
	if err != nil {
		t.Fatal(err)
	}
	s, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	return s, vkey
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// statement is a passport's over model() and bom, to be changed by a test before it is signed.
func statement(t testing.TB, k Key) Statement {
	t.Helper()
	files, err := Files(model())
	if err != nil {
		t.Fatal(err)
	}
	id, err := KeyID(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	root := sha256.Sum256([]byte("root"))
	signer, _ := logKeys(t)
	signed, err := note.Sign(&note.Note{Text: "origin/of/events\n812\n" + base64.StdEncoding.EncodeToString(root[:]) + "\n"}, signer)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.Sum256(bom)
	return Statement{Type: StatementType, PredicateType: PredicateType, Subject: Subjects("org/name", files), Predicate: Predicate{
		Schema: Schema, ModelID: "org/name", RunID: "06e8k", RunState: "succeeded",
		Issuance: Issuance{Algorithm: Algorithm, KeyID: id, SignedAt: "2026-01-02T03:04:05Z", Issuer: "test"},
		BOM:      Document{Digest: map[string]string{"sha256": hex.EncodeToString(h[:])}, MediaType: "application/vnd.provenir.bom+json"},
		Ledger:   map[string]LedgerLog{"events": {Origin: "origin/of/events", Size: "812", Root: hex.EncodeToString(root[:]), Note: string(signed)}},
		Evidence: []Evidence{}, Parents: []Parent{},
		RiskClaims: []RiskClaim{{Name: "partial_run", State: "clear", Evidence: []string{}}, {Name: "pii_found", State: "unknown", Evidence: []string{}}},
	}}
}

func sign(t testing.TB, k Key, s Statement) []byte {
	t.Helper()
	b, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := SignEnvelope(k, PayloadType, b)
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}
