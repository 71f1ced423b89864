package policy

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"sync"
)

// chunk is how many floats are hashed apart: 4 MiB.
const chunk = 4 << 20 / 4

// Digest is SHA-256 over the SHA-256 of each 4 MiB of the vector's little-endian bytes. Chunks are hashed side by side;
// the result does not depend on how many at a time.
func Digest(flat []float32) [32]byte {
	n := (len(flat) + chunk - 1) / chunk
	parts := make([][32]byte, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			w := flat[i*chunk : min((i+1)*chunk, len(flat))]
			b := make([]byte, 0, 4*len(w))
			for _, x := range w {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
			}
			parts[i] = sha256.Sum256(b)
		})
	}
	wg.Wait()
	h := sha256.New()
	for _, p := range parts {
		h.Write(p[:]) // never fails
	}
	return [32]byte(h.Sum(nil))
}
