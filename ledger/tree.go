package ledger

import (
	"crypto/sha256"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Tree is an RFC 6962 tree that grows by leaves. It keeps the roots of its perfect subtrees only (a compact range, at
// most 64 hashes), so its memory does not grow with the log. The zero value is the empty tree.
type Tree struct {
	size  uint64
	tops  []Hash // roots of the perfect subtrees, largest first: one for each bit of size
	tiles *Tiles // gets the nodes that tiles hold; nil without tiles
}

// Size is the number of leaves.
func (t *Tree) Size() uint64 { return t.size }

// Append adds a leaf. Its amortised cost is one node hash.
func (t *Tree) Append(leaf Hash) {
	if t.tiles != nil {
		t.tiles.add(0, leaf)
	}
	node := leaf
	for level := 1; level <= bits.TrailingZeros64(^t.size); level++ {
		last := len(t.tops) - 1
		node = nodeHash(t.tops[last], node)
		t.tops = t.tops[:last]
		if t.tiles != nil && level%TileHeight == 0 {
			t.tiles.add(level/TileHeight, node)
		}
	}
	t.tops = append(t.tops, node)
	t.size++
}

// Root is the tree's root; that of the empty tree is the hash of the empty string.
func (t *Tree) Root() Hash {
	if t.size == 0 {
		return sha256.Sum256(nil)
	}
	last := len(t.tops) - 1
	root := t.tops[last]
	for i := last - 1; i >= 0; i-- {
		root = nodeHash(t.tops[i], root)
	}
	return root
}

// Clone is a copy that grows on its own and feeds no tiles.
func (t *Tree) Clone() *Tree {
	return &Tree{size: t.size, tops: append([]Hash(nil), t.tops...)}
}

func nodeHash(left, right Hash) Hash { return tlog.NodeHash(left, right) }
