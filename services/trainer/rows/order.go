package rows

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// Order gives rows in a shuffled order that depends on seed, stage and epoch only. The position in it is a number, the
// cursor, which is checkpoint state: a resumed run goes on with the next row, not at the start of an epoch.
type Order struct {
	n     uint64
	seed  uint64
	stage uint32
	epoch uint64
	perm  []uint32
}

// NewOrder is over n > 0 rows.
func NewOrder(n int, seed uint64, stage uint32) *Order {
	o := &Order{n: uint64(n), seed: seed, stage: stage}
	o.shuffle(0)
	return o
}

// At gives the row at a cursor.
func (o *Order) At(cursor uint64) int {
	if epoch := cursor / o.n; epoch != o.epoch {
		o.shuffle(epoch)
	}
	return int(o.perm[cursor%o.n])
}

// Epoch is the pass that a cursor is in.
func (o *Order) Epoch(cursor uint64) uint64 { return cursor / o.n }

// Digest names the order of the first epoch.
func (o *Order) Digest() [32]byte {
	if o.epoch != 0 {
		o.shuffle(0)
	}
	h := sha256.New()
	for _, i := range o.perm {
		var b [4]byte
		binary.LittleEndian.PutUint32(b[:], i)
		h.Write(b[:])
	}
	return [32]byte(h.Sum(nil))
}

// shuffle is Fisher and Yates' with a PCG keyed by (seed, stage, epoch).
func (o *Order) shuffle(epoch uint64) {
	b := []byte("provenir/order/v1")
	b = binary.LittleEndian.AppendUint64(b, o.seed)
	b = binary.LittleEndian.AppendUint32(b, o.stage)
	b = binary.LittleEndian.AppendUint64(b, epoch)
	h := sha256.Sum256(b)
	r := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(h[:8]), binary.LittleEndian.Uint64(h[8:16])))
	o.perm = make([]uint32, o.n)
	for i := range o.perm {
		o.perm[i] = uint32(i)
	}
	for i := len(o.perm) - 1; i > 0; i-- {
		j := r.IntN(i + 1)
		o.perm[i], o.perm[j] = o.perm[j], o.perm[i]
	}
	o.epoch = epoch
}
