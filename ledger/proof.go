package ledger

import (
	"errors"
	"fmt"
	"math"

	"golang.org/x/mod/sumdb/tlog"
)

// ErrProof tells that a proof does not hold.
var ErrProof = errors.New("ledger: the proof does not hold")

// TileSource reads the first Width hashes of a tile.
type TileSource func(Tile) ([]byte, error)

// Prover makes the proofs of one tree. It checks every tile it reads against the tree's root, so a changed tile gives an
// error and never a wrong proof.
type Prover struct {
	size   uint64
	hashes tlog.HashReader
}

// NewProver takes the size and root of the tree and where its tiles lie.
func NewProver(size uint64, root Hash, read TileSource) *Prover {
	return &Prover{size: size, hashes: tlog.TileHashReader(tlog.Tree{N: int64(size), Hash: root}, tileReader(read))}
}

// Inclusion proves that record seq is in the tree: its audit path, leaf to root (RFC 6962 section 2.1.1).
func (p *Prover) Inclusion(seq uint64) ([]Hash, error) {
	if seq >= p.size || p.size > math.MaxInt64 {
		return nil, fmt.Errorf("ledger: record %d is not in a tree of %d records", seq, p.size)
	}
	proof, err := tlog.ProveRecord(int64(p.size), int64(seq), p.hashes)
	if err != nil {
		return nil, fmt.Errorf("prove record %d in a tree of %d: %w", seq, p.size, err)
	}
	return proof, nil
}

// Consistency proves that the tree continues the one that had old records (RFC 6962 section 2.1.2).
func (p *Prover) Consistency(old uint64) ([]Hash, error) {
	if old == 0 || old > p.size || p.size > math.MaxInt64 {
		return nil, fmt.Errorf("ledger: a tree of %d records continues one of 1 to %d, not of %d", p.size, p.size, old)
	}
	proof, err := tlog.ProveTree(int64(p.size), int64(old), p.hashes)
	if err != nil {
		return nil, fmt.Errorf("prove that a tree of %d continues one of %d: %w", p.size, old, err)
	}
	return proof, nil
}

// CheckInclusion checks the proof that leaf is record seq of the tree.
func CheckInclusion(proof []Hash, size uint64, root Hash, seq uint64, leaf Hash) error {
	if seq >= size || size > math.MaxInt64 {
		return fmt.Errorf("%w: record %d is not in a tree of %d records", ErrProof, seq, size)
	}
	if err := tlog.CheckRecord(proof, int64(size), root, int64(seq), leaf); err != nil {
		return fmt.Errorf("%w: inclusion of record %d in a tree of %d", ErrProof, seq, size)
	}
	return nil
}

// CheckConsistency checks the proof that the newer tree continues the older one.
func CheckConsistency(proof []Hash, size uint64, root Hash, oldSize uint64, oldRoot Hash) error {
	if oldSize == 0 || oldSize > size || size > math.MaxInt64 {
		return fmt.Errorf("%w: a tree of %d records cannot continue one of %d", ErrProof, size, oldSize)
	}
	if err := tlog.CheckTree(proof, int64(size), root, int64(oldSize), oldRoot); err != nil {
		return fmt.Errorf("%w: consistency of %d and %d records", ErrProof, oldSize, size)
	}
	return nil
}

// tileReader lets tlog read our tiles.
type tileReader TileSource

// Height is the tiles' height.
func (tileReader) Height() int { return TileHeight }

// ReadTiles reads each of the tiles that tlog asks for.
func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	out := make([][]byte, len(tiles))
	for i, t := range tiles {
		data, err := r(Tile{Level: t.L, Index: uint64(t.N), Width: t.W})
		if err != nil {
			return nil, err
		}
		if len(data) < t.W*tlog.HashSize {
			return nil, fmt.Errorf("ledger: tile %s is short", t.Path())
		}
		out[i] = data[:t.W*tlog.HashSize]
	}
	return out, nil
}

// SaveTiles has nothing to do: the tiles are ours.
func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
