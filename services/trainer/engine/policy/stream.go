package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"

	"github.com/provenir/provenir/services/trainer/engine"
)

// stream is one row's source of randomness. It depends on the key alone: not on the row's place in a batch, nor on how
// many draws its neighbours took.
type stream struct{ pcg *rand.PCG }

func newStream(k engine.Key) stream {
	b := []byte("provenir/row/v1")
	b = binary.LittleEndian.AppendUint64(b, k.Seed)
	b = binary.LittleEndian.AppendUint32(b, k.Branch)
	b = binary.LittleEndian.AppendUint64(b, k.Step)
	b = binary.LittleEndian.AppendUint64(b, k.Prompt)
	b = binary.LittleEndian.AppendUint32(b, k.Sample)
	d := sha256.Sum256(b)
	return stream{rand.NewPCG(binary.LittleEndian.Uint64(d[:]), binary.LittleEndian.Uint64(d[8:]))}
}

// uniform is the next number in [0, 1), with the 24 bits that a float32 holds exactly.
func (s stream) uniform() float32 { return float32(s.pcg.Uint64()>>40) / (1 << 24) }
