package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a SHA-256, the same type as tlog's so that its proofs can be used as they are.
type Hash = tlog.Hash

// EntrySize is the length of the bytes that are hashed for a record.
const EntrySize = 8 + 2 + 8 + 32

// First bytes of what is hashed keep leaves, nodes and chain links apart (RFC 6962 section 2.1 for the first two): no
// bytes can be read as two of them.
const (
	leafPrefix  = 0x00
	chainPrefix = 0x02
)

// Entry is what a record is in the tree. It names no run, time or way of storage, so equal runs have equal roots.
type Entry struct {
	Seq    uint64
	Type   RecordType
	Length uint64 // of the content, which is not the stored length when the payload lies in the blob store
	Digest Hash   // SHA-256 of the content
}

// NewEntry hashes a payload that is stored as it is.
func NewEntry(seq uint64, t RecordType, payload []byte) Entry {
	return Entry{Seq: seq, Type: t, Length: uint64(len(payload)), Digest: sha256.Sum256(payload)}
}

// AppendBinary appends the 50 bytes: big-endian seq, type, length, then the digest.
func (e Entry) AppendBinary(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, e.Seq)
	dst = binary.BigEndian.AppendUint16(dst, uint16(e.Type))
	dst = binary.BigEndian.AppendUint64(dst, e.Length)
	return append(dst, e.Digest[:]...)
}

// ParseEntry reads what [Entry.AppendBinary] wrote.
func ParseEntry(b []byte) (Entry, error) {
	if len(b) != EntrySize {
		return Entry{}, fmt.Errorf("ledger: an entry has %d bytes, this one %d", EntrySize, len(b))
	}
	return Entry{
		Seq: binary.BigEndian.Uint64(b), Type: RecordType(binary.BigEndian.Uint16(b[8:])), Length: binary.BigEndian.Uint64(b[10:]), Digest: Hash(b[18:]),
	}, nil
}

// Leaf is the record's leaf of the tree: SHA-256(0x00 ‖ entry).
func (e Entry) Leaf() Hash {
	var b [1 + EntrySize]byte
	b[0] = leafPrefix
	e.AppendBinary(b[:1])
	return sha256.Sum256(b[:])
}

// Chain is the link after the record: SHA-256(0x02 ‖ entry ‖ previous link). The first previous link is all zero.
func (e Entry) Chain(prev Hash) Hash {
	_, chain := e.Hashes(prev)
	return chain
}

// Hashes gives leaf and chain together, writing the entry once: both are on the recorder's hot path.
func (e Entry) Hashes(prev Hash) (leaf, chain Hash) {
	var b [1 + EntrySize + 32]byte
	b[0] = leafPrefix
	e.AppendBinary(b[:1])
	leaf = sha256.Sum256(b[:1+EntrySize])
	b[0] = chainPrefix
	copy(b[1+EntrySize:], prev[:])
	return leaf, sha256.Sum256(b[:])
}
