// Package vault keeps the payloads of salted runs readable for as long as nobody has erased their group, and no longer.
//
// A group has a random key and a random salt in the recorder's database, and nowhere else. Its payloads are stored as
// XChaCha20-Poly1305 (RFC 8439 with the 24 byte nonce of draft-irtf-cfrg-xchacha), bound to their entry; an entry's digest is
// HMAC-SHA-256 under a salt of the record, which is HMAC-SHA-256 of the group's salt and the record's number. Without them
// the ciphertext cannot be read and a digest cannot be compared with a guess. So destroying 64 bytes erases every copy of
// every payload of the group, shipped ones too, and changes no byte of a log.
//
// Stored bytes: u64 little-endian length of the payload, 16 bytes number of the group, 24 bytes nonce, ciphertext with tag.
package vault

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"

	rolestore "github.com/provenir/provenir/internal/store"
	"github.com/provenir/provenir/ledger"
)

const (
	idSize   = 16
	keySize  = chacha20poly1305.KeySize
	saltSize = 32
	headSize = 8 + idSize + chacha20poly1305.NonceSizeX
	// maxCached bounds the groups in memory; a run may have one for each person.
	maxCached = 4096
)

// Vault holds keys. It is safe for concurrent use.
type Vault struct {
	db     *rolestore.DB
	random io.Reader

	mu     sync.Mutex
	byName map[name]*group
	byID   map[[idSize]byte]*group
}

type name struct{ tenant, run, group string }

// group is a row; key and salt are nil when it was erased.
type group struct {
	id        [idSize]byte
	key, salt []byte
}

func (g *group) erased() bool { return g.key == nil }

// New makes a vault on a migrated database.
func New(db *rolestore.DB, random io.Reader) *Vault {
	return &Vault{db: db, random: random, byName: map[name]*group{}, byID: map[[idSize]byte]*group{}}
}

// recordSalt keeps equal payloads of a group apart.
func (g *group) recordSalt(seq uint64) []byte {
	h := hmac.New(sha256.New, g.salt)
	h.Write([]byte("provenir/ledger/salt/v1"))
	h.Write(binary.BigEndian.AppendUint64(nil, seq))
	return h.Sum(nil)
}

func (g *group) digest(seq uint64, payload []byte) (d ledger.Hash) {
	h := hmac.New(sha256.New, g.recordSalt(seq))
	h.Write(payload)
	h.Sum(d[:0])
	return d
}

// Digest is what stands for a payload in the tree. It is store.ErrErased for a group that was erased, and makes the keys
// of one that is new.
func (v *Vault) Digest(ctx context.Context, tenant, run, grp string, seq uint64, payload []byte) (ledger.Hash, error) {
	g, err := v.named(ctx, name{tenant, run, grp})
	if err != nil {
		return ledger.Hash{}, err
	}
	return g.digest(seq, payload), nil
}

// Seal encrypts a payload for its entry, whose digest is set.
func (v *Vault) Seal(ctx context.Context, tenant, run, grp string, e ledger.Entry, payload []byte) ([]byte, error) {
	g, err := v.named(ctx, name{tenant, run, grp})
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(g.key)
	if err != nil {
		return nil, fmt.Errorf("seal record %d: %w", e.Seq, err)
	}
	out := make([]byte, headSize, headSize+len(payload)+aead.Overhead())
	binary.LittleEndian.PutUint64(out, uint64(len(payload)))
	copy(out[8:], g.id[:])
	nonce := out[8+idSize : headSize]
	if _, err := io.ReadFull(v.random, nonce); err != nil {
		return nil, fmt.Errorf("seal record %d: %w", e.Seq, err)
	}
	return aead.Seal(out, nonce, payload, e.AppendBinary(nil)), nil
}

var errStored = errors.New("the stored payload does not open under its group's key: it was changed")

// Open gives a frame's payload back: store.ErrErased when its group was erased, store.ErrNoKey when this recorder never
// had the key.
func (v *Vault) Open(ctx context.Context, f *ledger.Frame) ([]byte, error) {
	id, ok := GroupOf(f)
	if !ok || len(f.Stored) < headSize {
		return nil, errStored
	}
	g, err := v.numbered(ctx, id)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(g.key)
	if err != nil {
		return nil, err
	}
	payload, err := aead.Open(nil, f.Stored[8+idSize:headSize], f.Stored[headSize:], f.AppendBinary(nil))
	if err != nil || g.digest(f.Seq, payload) != f.Digest {
		return nil, errStored
	}
	return payload, nil
}

// GroupOf is the number of the group that a frame's payload is encrypted under.
func GroupOf(f *ledger.Frame) (id [idSize]byte, ok bool) {
	if f.Flags&ledger.StoredEncrypted == 0 || len(f.Stored) < 8+idSize {
		return id, false
	}
	copy(id[:], f.Stored[8:])
	return id, true
}
