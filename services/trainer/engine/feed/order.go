package feed

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Order is a Fisher–Yates shuffle of n rows keyed by (seed, epoch): each epoch sees every row once, in an order that
// anyone can compute again.
func Order(n int, seed, epoch uint64) []int {
	b := binary.LittleEndian.AppendUint64([]byte("provenir/order/v1"), seed)
	d := sha256.Sum256(binary.LittleEndian.AppendUint64(b, epoch))
	rng := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(d[:]), binary.LittleEndian.Uint64(d[8:])))
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := int(rng.Uint64N(uint64(i) + 1))
		out[i], out[j] = out[j], out[i]
	}
	return out
}

// Cursor is how far the rows were read; it is part of a checkpoint.
type Cursor struct {
	Epoch uint64
	Next  int // position in the epoch's order
}

// Reader hands rows out by their index.
type Reader struct {
	n     int
	seed  uint64
	at    Cursor
	order []int // of at.Epoch
}

// NewReader goes on at the cursor. n is the number of rows and must be positive.
func NewReader(n int, seed uint64, at Cursor) *Reader {
	return &Reader{n: n, seed: seed, at: at, order: Order(n, seed, at.Epoch)}
}

// Take gives the next k rows, over epoch ends where needed, and moves the cursor.
func (r *Reader) Take(k int) []int {
	out := make([]int, 0, k)
	for len(out) < k {
		if r.at.Next >= r.n {
			r.at = Cursor{Epoch: r.at.Epoch + 1}
			r.order = Order(r.n, r.seed, r.at.Epoch)
		}
		out = append(out, r.order[r.at.Next])
		r.at.Next++
	}
	return out
}

// Cursor is where the next Take begins.
func (r *Reader) Cursor() Cursor { return r.at }
