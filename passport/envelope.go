package passport

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// PAE is DSSE's pre-authentication encoding: what is signed binds the payload's type and length.
func PAE(payloadType string, payload []byte) []byte {
	return fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(payloadType), payloadType, len(payload), payload)
}

// Envelope is a DSSE envelope with one signature. Its keyid is left out and never used.
type Envelope struct {
	Payload     string      `json:"payload"`
	PayloadType string      `json:"payloadType"`
	Signatures  []Signature `json:"signatures"`
}

// Signature of an envelope.
type Signature struct {
	Sig   string  `json:"sig"`
	KeyID *string `json:"keyid,omitempty"`
}

// BundleType is the media type of the bundles that we write.
const BundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// Bundle is a Sigstore bundle with a public key: a DSSE envelope, or a signature over a file.
type Bundle struct {
	MediaType            string            `json:"mediaType"`
	VerificationMaterial Material          `json:"verificationMaterial"`
	DSSEEnvelope         *Envelope         `json:"dsseEnvelope,omitempty"`
	MessageSignature     *MessageSignature `json:"messageSignature,omitempty"`
}

// Material says which key. The lists are Sigstore's and stay empty for a key.
type Material struct {
	PublicKey struct {
		Hint string `json:"hint"`
	} `json:"publicKey"`
	TlogEntries []json.RawMessage `json:"tlogEntries,omitempty"`
	Timestamps  json.RawMessage   `json:"timestampVerificationData,omitempty"`
}

// MessageSignature signs the bytes of a file.
type MessageSignature struct {
	MessageDigest struct {
		Algorithm string `json:"algorithm"`
		Digest    string `json:"digest"`
	} `json:"messageDigest"`
	Signature string `json:"signature"`
}

// ErrBundle is the refusal of a bundle that is not one.
var ErrBundle = errors.New("the bundle is malformed")

// DecodeBundle reads a bundle strictly: one of envelope and message signature, exactly one signature, no unknown field.
func DecodeBundle(b []byte) (Bundle, error) {
	var out Bundle
	if err := check(b); err != nil {
		return out, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&out); err != nil {
		return out, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	switch {
	case !strings.HasPrefix(out.MediaType, "application/vnd.dev.sigstore.bundle"):
		return out, fmt.Errorf("%w: media type %q", ErrBundle, out.MediaType)
	case (out.DSSEEnvelope == nil) == (out.MessageSignature == nil):
		return out, fmt.Errorf("%w: want one of dsseEnvelope and messageSignature", ErrBundle)
	case out.DSSEEnvelope != nil && len(out.DSSEEnvelope.Signatures) != 1:
		return out, fmt.Errorf("%w: %d signatures, want exactly one", ErrBundle, len(out.DSSEEnvelope.Signatures))
	}
	return out, nil
}

// Open gives payload and signature of an envelope.
func (e Envelope) Open() (payload, sig []byte, err error) {
	if payload, err = base64Any(e.Payload); err != nil {
		return nil, nil, fmt.Errorf("%w: payload: %w", ErrBundle, err)
	}
	if len(e.Signatures) != 1 {
		return nil, nil, fmt.Errorf("%w: %d signatures, want exactly one", ErrBundle, len(e.Signatures))
	}
	if sig, err = base64Any(e.Signatures[0].Sig); err != nil {
		return nil, nil, fmt.Errorf("%w: signature: %w", ErrBundle, err)
	}
	return payload, sig, nil
}

// base64Any reads standard and URL-safe base64, padded or not: DSSE allows both.
func base64Any(s string) ([]byte, error) {
	s = strings.TrimRight(s, "=")
	if strings.ContainsAny(s, "-_") {
		return base64.RawURLEncoding.Strict().DecodeString(s)
	}
	return base64.RawStdEncoding.Strict().DecodeString(s)
}
