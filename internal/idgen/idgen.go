// Package idgen makes the ids of things that people and stores name: runs, operations, requests.
//
// An id is 26 characters of lower-case base32 (RFC 4648 without padding): 48 bits of milliseconds and 80 random bits,
// so ids sort by the time they were made and fit into NATS subjects, paths and URLs. They never enter the ledger's tree.
package idgen

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"io"

	"github.com/provenir/provenir/internal/clock"
)

// Alphabet keeps the order of the bytes: digits before letters, unlike RFC 4648's own.
var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Generator makes ids. Its zero value uses the system's clock and randomness.
type Generator struct {
	Clock clock.Clock
	Rand  io.Reader
}

// New makes one id.
func (g Generator) New() (string, error) {
	c, r := g.Clock, g.Rand
	if c == nil {
		c = clock.System{}
	}
	if r == nil {
		r = rand.Reader
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(c.Now().UnixMilli())<<16)
	if _, err := io.ReadFull(r, b[6:]); err != nil {
		return "", err
	}
	return encoding.EncodeToString(b[:]), nil
}

// Bytes gives the 16 bytes behind an id.
func Bytes(id string) ([16]byte, bool) {
	var b [16]byte
	raw, err := encoding.DecodeString(id)
	if err != nil || len(raw) != 16 {
		return b, false
	}
	return [16]byte(raw), true
}
