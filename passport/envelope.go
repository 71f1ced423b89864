package passport

import (
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

// base64Any reads standard and URL-safe base64, padded or not: DSSE allows both. The library would pass over line ends.
func base64Any(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("base64 with line ends")
	}
	alphabet := base64.StdEncoding
	if strings.ContainsAny(s, "-_") {
		alphabet = base64.URLEncoding
	}
	if !strings.HasSuffix(s, "=") {
		alphabet = alphabet.WithPadding(base64.NoPadding)
	}
	return alphabet.Strict().DecodeString(s)
}
