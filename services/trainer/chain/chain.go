// Package chain is the digest chain of training: one hash that is equal exactly when two runs did the same.
//
// H is SHA-256 over parts, each behind its length as four little-endian bytes, so that no two lists of parts share an
// input. Floats enter by their bits. Only deterministic facts enter.
package chain

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
)

// Digest is a link.
type Digest [32]byte

// Hash is H.
func Hash(parts ...[]byte) Digest {
	h := sha256.New()
	for _, p := range parts {
		write(h, p)
	}
	return Digest(h.Sum(nil))
}

func write(h hash.Hash, p []byte) {
	var n [4]byte
	binary.LittleEndian.PutUint32(n[:], uint32(len(p)))
	h.Write(n[:])
	h.Write(p)
}

// Start is c0 of a stage: the semantic spec, the starting weights, data, tokenizer and seed. before is the chain at the
// end of the stage before, empty for the first.
func Start(before, spec, base, dataset, tokenizer []byte, seed uint64) Digest {
	return Hash([]byte("provenir/train/v1"), before, spec, base, dataset, tokenizer, binary.LittleEndian.AppendUint64(nil, seed))
}

// Next is the link after a step. facts are the deterministic bytes of StepFacts, which hold step, branch, the digests of
// rollouts, verdicts and weights, every hyperparameter and every metric.
func Next(c Digest, facts []byte) Digest { return Hash([]byte("provenir/step/v1"), c[:], facts) }

// Rollouts is H over rollout digests in row order.
func Rollouts(digests [][]byte) Digest { return Hash(digests...) }

// Float is a float by its bits.
func Float(x float64) []byte { return binary.LittleEndian.AppendUint64(nil, math.Float64bits(x)) }
