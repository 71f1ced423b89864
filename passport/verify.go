package passport

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// State is a tri-state: what was not checked is never a pass.
type State string

// States.
const (
	Holds     State = "holds"
	Fails     State = "fails"
	Unchecked State = "unchecked"
)

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	State  State  `json:"state"`
	Detail string `json:"detail,omitempty"`
}

// Input is what a verifier has: the bundle, keys that it trusts, and where they are there the model and the BOM.
type Input struct {
	Bundle []byte
	Keys   []*ecdsa.PublicKey
	Model  fs.FS  // nil leaves subject_files unchecked
	BOM    []byte // nil leaves bom unchecked
}

// Result is what was found. Statement is set only when the signature holds.
type Result struct {
	Overall   State      `json:"overall"`
	Checks    []Check    `json:"checks"`
	Statement *Statement `json:"statement,omitempty"`
	Payload   []byte     `json:"-"` // the verified bytes
}

// Verify checks a passport offline. The payload is parsed only after the signature holds: bytes that nobody vouches for
// reach no parser but the bundle's.
func Verify(in Input) Result {
	r := Result{}
	payload, key, ok := r.signature(in)
	if !ok {
		return r.conclude()
	}
	s, err := DecodeStatement(payload)
	if err != nil {
		r.add("payload_form", Fails, err.Error())
		return r.conclude()
	}
	r.add("payload_form", Holds, "")
	r.Statement, r.Payload = &s, payload
	r.issuance(s, key)
	r.files(s, in.Model)
	r.bom(s, in.BOM)
	return r.conclude()
}

func (r *Result) add(name string, state State, detail string) {
	r.Checks = append(r.Checks, Check{name, state, detail})
}

// conclude: fails if any fails, else unchecked if any is, else holds.
func (r Result) conclude() Result {
	r.Overall = Holds
	for _, c := range r.Checks {
		switch {
		case c.State == Fails:
			r.Overall = Fails
			return r
		case c.State == Unchecked:
			r.Overall = Unchecked
		}
	}
	return r
}

func (r *Result) signature(in Input) ([]byte, *ecdsa.PublicKey, bool) {
	b, err := DecodeBundle(in.Bundle)
	if err == nil && b.DSSEEnvelope == nil {
		err = errors.New("a passport bundle holds a dsseEnvelope")
	}
	var payload, sig []byte
	if err == nil {
		payload, sig, err = b.DSSEEnvelope.Open()
	}
	if err == nil && b.DSSEEnvelope.PayloadType != PayloadType {
		err = fmt.Errorf("payload type %q, want %q", b.DSSEEnvelope.PayloadType, PayloadType)
	}
	if err != nil {
		r.add("bundle_form", Fails, err.Error())
		return nil, nil, false
	}
	r.add("bundle_form", Holds, "")
	if len(in.Keys) == 0 {
		r.add("signature", Unchecked, "no trusted key was given")
		return nil, nil, false
	}
	hint := b.VerificationMaterial.PublicKey.Hint
	for _, k := range in.Keys {
		if !verifies(k, PAE(PayloadType, payload), sig) {
			continue
		}
		if id, err := KeyID(k); err != nil || id != hint {
			r.add("signature", Fails, "the bundle names another key than the one that verifies it")
			return nil, nil, false
		}
		r.add("signature", Holds, "key "+hint)
		return payload, k, true
	}
	r.add("signature", Fails, "no trusted key verifies it; the bundle names key "+hint)
	return nil, nil, false
}

// issuance compares what the signed bytes say of the signature with the signature.
func (r *Result) issuance(s Statement, key *ecdsa.PublicKey) {
	id, err := KeyID(key)
	i := s.Predicate.Issuance
	switch {
	case err != nil || i.KeyID != id || i.Algorithm != Algorithm:
		r.add("issuance", Fails, "algorithm or key inside the signed bytes are not those of the signature")
		return
	}
	if _, err := time.Parse(time.RFC3339, i.SignedAt); err != nil {
		r.add("issuance", Fails, "signedAt is no time")
		return
	}
	r.add("issuance", Holds, "signed at "+i.SignedAt+" by the signer's own clock")
}

// files demands every digest of every subject, and no file beside them.
func (r *Result) files(s Statement, model fs.FS) {
	if model == nil {
		r.add("subject_files", Unchecked, "no model folder was given")
		return
	}
	files, err := Files(model)
	if err != nil {
		r.add("subject_files", Fails, err.Error())
		return
	}
	want := map[string]string{}
	for _, f := range s.Subject[1:] {
		want[f.Name] = f.Digest["sha256"]
	}
	for _, f := range files {
		digest, named := want[f.Name]
		delete(want, f.Name)
		switch {
		case !named:
			r.add("subject_files", Fails, f.Name+" is in the folder and not in the passport")
			return
		case digest != hex.EncodeToString(f.Digest[:]):
			r.add("subject_files", Fails, f.Name+" has other bytes")
			return
		}
	}
	for name := range want {
		r.add("subject_files", Fails, name+" is in the passport and not in the folder")
		return
	}
	root := s.Subject[0].Digest
	if root["sha256"] != Root(files) || root["dirHash"] != DirHash(files) {
		r.add("subject_files", Fails, "the model's root digests are not those of its files")
		return
	}
	r.add("subject_files", Holds, fmt.Sprintf("%d files", len(files)))
}

func (r *Result) bom(s Statement, bom []byte) {
	if bom == nil {
		r.add("bom", Unchecked, "bom.json was not given")
		return
	}
	h := sha256.Sum256(bom)
	if err := RequireCanonical(bom); err != nil || s.Predicate.BOM.Digest["sha256"] != hex.EncodeToString(h[:]) {
		r.add("bom", Fails, "bom.json is not the one that was signed")
		return
	}
	r.add("bom", Holds, "")
}
