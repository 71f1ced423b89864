package ledger

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

const (
	cosignatureAlgorithm = 0x04 // C2SP signed-note: timestamped Ed25519 checkpoint cosignature
	cosignatureSize      = 8 + ed25519.SignatureSize
)

// ErrCosigner tells that a text is not the key of a cosigner.
var ErrCosigner = errors.New("ledger: not a cosigner key of the form name+hash+key")

// Cosigner is a witness: it signs checkpoints of others with the time at which it saw them (C2SP tlog-cosignature v1).
// Without a second key whoever holds the first can rewrite everything.
type Cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

// NewCosigner takes a witness's name and public key.
func NewCosigner(name string, key ed25519.PublicKey) (*Cosigner, error) {
	if name == "" || strings.ContainsAny(name, "+ \n") || len(key) != ed25519.PublicKeySize {
		return nil, ErrCosigner
	}
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write([]byte{cosignatureAlgorithm})
	h.Write(key)
	return &Cosigner{name: name, hash: binary.BigEndian.Uint32(h.Sum(nil)), key: key}, nil
}

// ParseCosigner reads name+hash+base64(0x04 ‖ key).
func ParseCosigner(vkey string) (*Cosigner, error) {
	name, rest, _ := strings.Cut(strings.TrimSpace(vkey), "+")
	hash, key64, ok := strings.Cut(rest, "+")
	key, err := base64.StdEncoding.DecodeString(key64)
	if !ok || err != nil || len(key) != 1+ed25519.PublicKeySize || key[0] != cosignatureAlgorithm {
		return nil, ErrCosigner
	}
	c, err := NewCosigner(name, key[1:])
	if err != nil {
		return nil, err
	}
	if want, err := strconv.ParseUint(hash, 16, 32); err != nil || uint32(want) != c.hash {
		return nil, fmt.Errorf("%w: the hash does not fit the key", ErrCosigner)
	}
	return c, nil
}

// String is the key's text, as ParseCosigner reads it.
func (c *Cosigner) String() string {
	var h [4]byte
	binary.BigEndian.PutUint32(h[:], c.hash)
	key := append([]byte{cosignatureAlgorithm}, c.key...)
	return c.name + "+" + hex.EncodeToString(h[:]) + "+" + base64.StdEncoding.EncodeToString(key)
}

// Name, KeyHash and Verify make it a note.Verifier.
func (c *Cosigner) Name() string { return c.name }

// KeyHash is the key's id in a signature line.
func (c *Cosigner) KeyHash() uint32 { return c.hash }

// Verify checks a cosignature of a checkpoint's text.
func (c *Cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != cosignatureSize {
		return false
	}
	at := binary.BigEndian.Uint64(sig)
	return ed25519.Verify(c.key, cosigned(at, msg), sig[8:])
}

// Time is when the witness says it saw the checkpoint. Call it on a verified signature only.
func (c *Cosigner) Time(sig note.Signature) (time.Time, error) {
	raw, err := base64.StdEncoding.DecodeString(sig.Base64)
	if err != nil || len(raw) != 4+cosignatureSize {
		return time.Time{}, fmt.Errorf("ledger: cosignature of %s is malformed", sig.Name)
	}
	return time.Unix(int64(binary.BigEndian.Uint64(raw[4:])), 0).UTC(), nil
}

// Cosign adds a witness's signature to a signed checkpoint.
func Cosign(signed []byte, c *Cosigner, key ed25519.PrivateKey, at time.Time) ([]byte, error) {
	text, _, ok := strings.Cut(string(signed), "\n\n")
	if !ok {
		return nil, ErrCheckpoint
	}
	sec := uint64(at.Unix())
	raw := binary.BigEndian.AppendUint32(nil, c.hash)
	raw = binary.BigEndian.AppendUint64(raw, sec)
	raw = append(raw, ed25519.Sign(key, cosigned(sec, []byte(text+"\n")))...)
	line := "— " + c.name + " " + base64.StdEncoding.EncodeToString(raw) + "\n"
	return append(append([]byte(nil), signed...), line...), nil
}

func cosigned(at uint64, msg []byte) []byte {
	head := "cosignature/v1\ntime " + strconv.FormatUint(at, 10) + "\n"
	return append([]byte(head), msg...)
}
