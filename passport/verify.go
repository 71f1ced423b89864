package passport

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"io/fs"
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
	// Optional says that Overall does not wait for it: unchecked, it is shown, and nothing is claimed of it.
	Optional bool `json:"optional,omitempty"`
}

// Input is what a verifier has: the bundle, keys that it trusts, and where they are there the model and the BOM.
type Input struct {
	Bundle []byte
	Keys   []*ecdsa.PublicKey
	Model  fs.FS  // nil leaves subject_files unchecked
	BOM    []byte // nil leaves bom unchecked
	// LogKeys are verifier keys of the recorder's log. Without one the ledger's checkpoints are unchecked: the passport's
	// signer vouches for them, and nobody else.
	LogKeys []string
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
	if s.Tracked() {
		r.tracked(s, in.Model)
	} else {
		r.files(s, in.Model)
	}
	r.bom(s, in.BOM)
	r.ledger(s, in.LogKeys)
	return r.conclude()
}

func (r *Result) add(name string, state State, detail string) {
	r.Checks = append(r.Checks, Check{Name: name, State: state, Detail: detail})
}

// conclude: fails if any fails, else unchecked if a required one is, else holds.
func (r Result) conclude() Result {
	r.Overall = Holds
	for _, c := range r.Checks {
		switch {
		case c.State == Fails:
			r.Overall = Fails
			return r
		case c.State != Holds && !c.Optional:
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
