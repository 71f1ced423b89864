package passport

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// Algorithm is the one of every passport.
const Algorithm = "ecdsa-p256-sha256"

// Signer signs messages; the private key may lie in a file, an agent or a module.
type Signer interface {
	Public() *ecdsa.PublicKey
	// Sign gives an ASN.1 DER signature over SHA-256 of the message.
	Sign(message []byte) ([]byte, error)
}

// Key signs with a private key in memory. The nonce follows RFC 6979, so the same message gives the same bytes.
type Key struct{ *ecdsa.PrivateKey }

// Public is the public half.
func (k Key) Public() *ecdsa.PublicKey { return &k.PrivateKey.PublicKey }

// Sign signs deterministically.
func (k Key) Sign(message []byte) ([]byte, error) {
	h := sha256.Sum256(message)
	return k.PrivateKey.Sign(nil, h[:], crypto.SHA256)
}

// PublicPEM is the key in the form that its id is computed from: SPKI PEM with 64 columns and a final newline.
func PublicPEM(k *ecdsa.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// KeyID is the hint of a bundle: hex SHA-256 of the re-encoded PEM, never of the file's bytes.
func KeyID(k *ecdsa.PublicKey) (string, error) {
	b, err := PublicPEM(k)
	if err != nil {
		return "", err
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:]), nil
}

// ParsePublicKey reads a PEM public key on P-256.
func ParsePublicKey(b []byte) (*ecdsa.PublicKey, error) {
	block, rest := pem.Decode(b)
	switch {
	case block == nil:
		return nil, errors.New("want a PEM file with a PUBLIC KEY")
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return nil, errors.New("this is a private key; give the public half: openssl pkey -in KEY -pubout")
	case block.Type != "PUBLIC KEY":
		return nil, fmt.Errorf("want a PEM file with a PUBLIC KEY, not %s", block.Type)
	case len(bytes.TrimSpace(rest)) > 0 || !bytes.HasPrefix(bytes.TrimSpace(b), []byte("-----BEGIN")):
		// of two keys, which one is trusted would depend on the reader
		return nil, errors.New("want one PUBLIC KEY and nothing else in the file")
	}
	k, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("public key: %w", err)
	}
	ec, ok := k.(*ecdsa.PublicKey)
	if !ok || ec.Curve != elliptic.P256() {
		return nil, errors.New("public key: want ECDSA on P-256")
	}
	return ec, nil
}

// verifies takes P-256 only: another curve would hold under the algorithm that the statement does not name.
func verifies(k *ecdsa.PublicKey, message, sig []byte) bool {
	if k == nil || k.Curve != elliptic.P256() {
		return false
	}
	h := sha256.Sum256(message)
	return ecdsa.VerifyASN1(k, h[:], sig)
}
