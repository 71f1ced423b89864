// Package holdout draws the rollouts that get a second, stricter verdict.
//
// The draw is a keyed hash of the rollout's id: a policy cannot guess whether it is watched, and a replay watches the
// same ones. The second verdict goes to the recorder and never into a reward.
package holdout

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"math"
)

// Draw decides for one run. The zero value draws nothing.
type Draw struct {
	key   []byte
	below uint64
	all   bool
}

// New makes the draw of a seed. fraction is above 0 and at most 1.
func New(seed uint64, fraction float64) Draw {
	h := sha256.New()
	h.Write([]byte("provenir/heldout/v1"))
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], seed)
	h.Write(b[:])
	return Draw{key: h.Sum(nil), below: uint64(math.Ldexp(min(max(fraction, 0), 1-0x1p-53), 64)), all: fraction >= 1}
}

// Takes says whether a rollout is drawn: the first 8 bytes of HMAC-SHA256(key, id) lie below fraction·2⁶⁴.
func (d *Draw) Takes(id string) bool {
	if d.all || d.key == nil {
		return d.all
	}
	m := hmac.New(sha256.New, d.key)
	m.Write([]byte(id))
	var sum [sha256.Size]byte
	return binary.BigEndian.Uint64(m.Sum(sum[:0])) < d.below
}

// StandardError is that of the gap between visible and held-out pass rates, given the gap and the number of draws.
func StandardError(gap float64, n int) float64 {
	if n <= 0 {
		return math.NaN()
	}
	return math.Sqrt(gap * (1 - gap) / float64(n))
}
