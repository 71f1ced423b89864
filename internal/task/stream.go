package task

import (
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/rand/v2"
)

// stream is the random source of one instance. Every instance has its own, so that instance 1,000 does not depend on
// how many draws the 999 before it took.
func stream(pack, version string, seed, index uint64) *rand.Rand {
	h := sha256.New()
	writePart(h, pack)
	writePart(h, version)
	var n [16]byte
	binary.BigEndian.PutUint64(n[:8], seed)
	binary.BigEndian.PutUint64(n[8:], index)
	h.Write(n[:])
	return rand.New(rand.NewChaCha8([32]byte(h.Sum(nil))))
}

// writePart writes a part with its length before it: ("ab", "c") and ("a", "bc") must not hash alike.
func writePart(w io.Writer, s string) {
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(s)))
	// A hash never fails to write.
	_, _ = w.Write(n[:])
	_, _ = io.WriteString(w, s)
}
