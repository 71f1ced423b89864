package ledger

import (
	"fmt"
	"io/fs"
)

// away passes over a segment that was moved away. Its records are not checked, and the report says so. The stored tiles
// know its leaves: with them the tree goes on, so that signed checkpoints still vouch for what comes after, and for the
// leaves themselves. Without them no later root can be recomputed.
func (v *verifier) away(n uint64) error {
	b, err := fs.ReadFile(v.folder, AwayName(n))
	if err != nil {
		return fmt.Errorf("segment %d: %w", n, err)
	}
	v.size, v.sealed = 0, true
	a, err := ParseAway(b)
	if err != nil {
		v.broken, v.relocate = true, true
		v.damage(MissingSegment, int(n), 0, v.next, v.next, "the file is gone and %v", err)
		return nil
	}
	if !v.belongs(a.Header, n) {
		return nil
	}
	v.report.Away = append(v.report.Away, AwaySegment{Segment: n, FirstSeq: a.Trailer.FirstSeq, LastSeq: a.Trailer.LastSeq, SHA256: a.Trailer.File})
	if !v.broken && !v.blind {
		v.blind = !v.leavesFromTiles(a.Trailer.LastSeq + 1)
	}
	v.next, v.chain = a.Trailer.LastSeq+1, a.Trailer.Chain
	return nil
}

// leavesFromTiles grows the tree to a size. It is false where a leaf is not stored.
func (v *verifier) leavesFromTiles(size uint64) bool {
	for v.tree.Size() < size {
		at := v.tree.Size()
		t := Tile{Index: at / TileWidth, Width: int(min(TileWidth, size-at/TileWidth*TileWidth))}
		data, err := v.tiles.read(t)
		if err != nil {
			return false
		}
		leaves, err := ParseTile(data)
		if err != nil {
			return false
		}
		for _, leaf := range leaves[at%TileWidth:] {
			if leaf == (Hash{}) { // a hole that a power cut left
				return false
			}
			v.tree.Append(leaf)
			v.compareRoots()
		}
	}
	return true
}
