package vault

import (
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/store"
)

// A payload that is too large for a frame is encrypted in chunks (STREAM of Hoang, Reyhanitabar, Rogaway and Vizár, 2015):
// the nonce of a chunk is 19 random bytes, its number as u32 big-endian, and 1 for the last one. So chunks cannot be left
// out, swapped or cut off, and no payload has to fit into memory. Each is bound to the entry.
const (
	chunkSize   = 1 << 20
	noncePrefix = chacha20poly1305.NonceSizeX - 5
)

// chunks seals or opens the chunks of one payload in order.
type chunks struct {
	aead  cipher.AEAD
	nonce [chacha20poly1305.NonceSizeX]byte
	entry []byte
	n     uint32
}

func newChunks(g *group, prefix []byte, e ledger.Entry) (*chunks, error) {
	aead, err := chacha20poly1305.NewX(g.key)
	if err != nil {
		return nil, err
	}
	c := &chunks{aead: aead, entry: e.AppendBinary(nil)}
	copy(c.nonce[:], prefix)
	return c, nil
}

// next is the nonce of the next chunk.
func (c *chunks) next(last bool) ([]byte, error) {
	if c.n == 1<<32-1 {
		return nil, errors.New("a payload of more than 4 PiB")
	}
	binary.BigEndian.PutUint32(c.nonce[noncePrefix:], c.n)
	c.n++
	if last {
		c.nonce[len(c.nonce)-1] = 1
	}
	return c.nonce[:], nil
}

// DigestBlob is what stands for a large payload in the tree: the same function of its bytes as for a small one.
func (v *Vault) DigestBlob(ctx context.Context, tenant, run, grp string, seq uint64, plain io.Reader) (d ledger.Hash, err error) {
	g, err := v.named(ctx, name{tenant, run, grp})
	if err != nil {
		return d, err
	}
	h := hmac.New(sha256.New, g.recordSalt(seq))
	if _, err := io.Copy(h, plain); err != nil {
		return d, err
	}
	h.Sum(d[:0])
	return d, nil
}

// SealBlob encrypts a large payload for its entry, and gives what the frame must hold to open it: the group's number and
// the nonce's beginning.
func (v *Vault) SealBlob(ctx context.Context, tenant, run, grp string, e ledger.Entry, plain io.Reader, to io.Writer) (id [16]byte, prefix []byte, err error) {
	g, err := v.named(ctx, name{tenant, run, grp})
	if err != nil {
		return id, nil, err
	}
	prefix = make([]byte, noncePrefix)
	if _, err := io.ReadFull(v.random, prefix); err != nil {
		return id, nil, fmt.Errorf("seal record %d: %w", e.Seq, err)
	}
	c, err := newChunks(g, prefix, e)
	if err != nil {
		return id, nil, fmt.Errorf("seal record %d: %w", e.Seq, err)
	}
	err = eachChunk(plain, chunkSize, func(chunk []byte, last bool) error {
		nonce, err := c.next(last)
		if err != nil {
			return err
		}
		_, err = to.Write(c.aead.Seal(nil, nonce, chunk, c.entry))
		return err
	})
	return g.id, prefix, err
}

// eachChunk reads chunks; the last one may be short, or empty.
func eachChunk(r io.Reader, size int, visit func(chunk []byte, last bool) error) error {
	buf, ahead := make([]byte, size), make([]byte, size)
	n, err := io.ReadFull(r, buf)
	for {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		if n < size {
			return visit(buf[:n], true)
		}
		var m int
		m, err = io.ReadFull(r, ahead)
		if m == 0 && errors.Is(err, io.EOF) {
			return visit(buf, true)
		}
		if err := visit(buf, false); err != nil {
			return err
		}
		buf, ahead, n = ahead, buf, m
	}
}

// OpenBlob decrypts a large payload of a frame. Bytes that were written before an error count for nothing.
func (v *Vault) OpenBlob(ctx context.Context, f *ledger.Frame, sealed io.Reader, to io.Writer) error {
	id, _, prefix, ok := f.SealedBlob()
	if !ok {
		return errStored
	}
	g, err := v.numbered(ctx, id)
	if err != nil {
		return err
	}
	c, err := newChunks(g, prefix, f.Entry)
	if err != nil {
		return err
	}
	h, length := hmac.New(sha256.New, g.recordSalt(f.Seq)), uint64(0)
	err = eachChunk(sealed, chunkSize+c.aead.Overhead(), func(chunk []byte, last bool) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		nonce, err := c.next(last)
		if err != nil {
			return err
		}
		plain, err := c.aead.Open(nil, nonce, chunk, c.entry)
		if err != nil {
			return errStored
		}
		length += uint64(len(plain))
		h.Write(plain)
		_, err = to.Write(plain)
		return err
	})
	if err == nil && (length != f.Length || ledger.Hash(h.Sum(nil)) != f.Digest) {
		err = errStored
	}
	return err
}

// Readable tells whether a frame's key is here: nil, store.ErrErased or store.ErrNoKey.
func (v *Vault) Readable(ctx context.Context, f *ledger.Frame) error {
	id, ok := GroupOf(f)
	if !ok {
		return errStored
	}
	_, err := v.numbered(ctx, id)
	return err
}

var _ store.Vault = (*Vault)(nil)
