// Package cursor makes the opaque tokens of pages and streams: a position that only its own store can have issued.
//
// A token is base64url of position bytes and an HMAC over store, stream and position. A token of another store, or of
// another stream of this one, is refused instead of being read as some other position.
package cursor

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
)

// ErrForeign is the answer for a token that this store did not issue for this stream.
var ErrForeign = errors.New("the token is of another store or stream")

const macBytes = 12 // 96 bits: a forged token gains nothing but a read of one's own stream

// Signer issues and reads tokens.
type Signer struct {
	key []byte
}

// NewSigner keeps a copy of key, which must stay the same over restarts of the store.
func NewSigner(key []byte) Signer { return Signer{key: append([]byte(nil), key...)} }

// Token names a position of a stream.
func (s Signer) Token(stream string, position uint64) string {
	raw := binary.BigEndian.AppendUint64(nil, position)
	return base64.RawURLEncoding.EncodeToString(append(raw, s.mac(stream, raw)...))
}

// Position reads a token back.
func (s Signer) Position(stream, token string) (uint64, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != 8+macBytes || !hmac.Equal(raw[8:], s.mac(stream, raw[:8])) {
		return 0, ErrForeign
	}
	return binary.BigEndian.Uint64(raw), nil
}

func (s Signer) mac(stream string, raw []byte) []byte {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(stream))
	h.Write([]byte{0})
	h.Write(raw)
	return h.Sum(nil)[:macBytes]
}
