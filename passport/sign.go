package passport

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
)

// SignEnvelope puts a payload into a bundle with a DSSE envelope.
func SignEnvelope(s Signer, payloadType string, payload []byte) ([]byte, error) {
	sig, err := s.Sign(PAE(payloadType, payload))
	if err != nil {
		return nil, err
	}
	b, err := newBundle(s)
	if err != nil {
		return nil, err
	}
	b.DSSEEnvelope = &Envelope{Payload: base64.StdEncoding.EncodeToString(payload), PayloadType: payloadType,
		Signatures: []Signature{{Sig: base64.StdEncoding.EncodeToString(sig)}}}
	return json.Marshal(b)
}

// SignMessage puts a signature over a file's bytes into a bundle, as `cosign verify-blob` reads it.
func SignMessage(s Signer, message []byte) ([]byte, error) {
	sig, err := s.Sign(message)
	if err != nil {
		return nil, err
	}
	b, err := newBundle(s)
	if err != nil {
		return nil, err
	}
	h := sha256.Sum256(message)
	m := &MessageSignature{Signature: base64.StdEncoding.EncodeToString(sig)}
	m.MessageDigest.Algorithm, m.MessageDigest.Digest = "SHA2_256", base64.StdEncoding.EncodeToString(h[:])
	b.MessageSignature = m
	return json.Marshal(b)
}

func newBundle(s Signer) (Bundle, error) {
	b := Bundle{MediaType: BundleType}
	id, err := KeyID(s.Public())
	b.VerificationMaterial.PublicKey.Hint = id
	return b, err
}
