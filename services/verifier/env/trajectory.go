package env

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"io"
	"math"
)

// trajectory is what happened, turn by turn, each hashed onto the last: whoever has the texts can check that none was
// changed, left out or added. It keeps digests and not texts: a thousand episodes of megabytes would not fit.
type trajectory struct {
	head     [sha256.Size]byte
	progress []float64
}

// begin hashes what the episode is. Its id is not part of it: the same episode again has the same digests.
func (t *trajectory) begin(e *Environment, s Setting, about Task) {
	h := sha256.New()
	for _, part := range []string{"provenir/episode/v1", e.Name, e.Version, string(s.Split), about.ID, about.Prompt} {
		writePart(h, part)
	}
	writeNumber(h, s.Seed)
	writeNumber(h, uint64(s.Difficulty))
	h.Sum(t.head[:0])
	t.progress = t.progress[:0]
}

// add hashes a turn onto the last.
func (t *trajectory) add(action []byte, o *Observation, progress float64) {
	h := sha256.New()
	h.Write(t.head[:])
	writePart(h, string(action))
	writePart(h, o.Text)
	writePart(h, o.Error)
	writePart(h, string(o.phase))
	writeNumber(h, uint64(o.Turn))
	writeNumber(h, math.Float64bits(progress))
	h.Sum(t.head[:0])
	t.progress = append(t.progress, progress)
}

// writePart writes a part with its length before it: ("ab", "c") and ("a", "bc") must not hash alike.
func writePart(h hash.Hash, s string) {
	writeNumber(h, uint64(len(s)))
	_, _ = io.WriteString(h, s) // a hash never fails to write
}

func writeNumber(h hash.Hash, n uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n)
	h.Write(b[:])
}
