package ledger

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	// TileHeight is the height of a tile: it holds up to 256 neighbouring hashes of one level.
	TileHeight = 8
	// TileWidth is the number of hashes in a full tile.
	TileWidth = 1 << TileHeight
	// maxTileLevel bounds what a path may say; level 7 begins at 2^56 records.
	maxTileLevel = 7
)

// Tile names a tile as C2SP tlog-tiles does. Width is 256 for a full one.
type Tile struct {
	Level int
	Index uint64
	Width int
}

// Path is the tile's file below the log's folder: tile/<level>/<index>[.p/<width>].
func (t Tile) Path() string {
	p := tlog.Tile{H: TileHeight, L: t.Level, N: int64(t.Index), W: t.Width}.Path()
	return "tile/" + strings.TrimPrefix(p, "tile/8/") // tlog names the height, tlog-tiles fixes it
}

// ParseTilePath is the inverse of [Tile.Path].
func ParseTilePath(p string) (Tile, error) {
	rest, ok := strings.CutPrefix(p, "tile/")
	if !ok {
		return Tile{}, fmt.Errorf("ledger: %q is not the path of a tile", p)
	}
	t, err := tlog.ParseTilePath("tile/8/" + rest)
	if err != nil || t.L < 0 || t.L > maxTileLevel {
		return Tile{}, fmt.Errorf("ledger: %q is not the path of a tile", p)
	}
	return Tile{Level: t.L, Index: uint64(t.N), Width: t.W}, nil
}

// ParseTile splits a tile's bytes into hashes.
func ParseTile(data []byte) ([]Hash, error) {
	if len(data) == 0 || len(data)%tlog.HashSize != 0 || len(data) > TileWidth*tlog.HashSize {
		return nil, fmt.Errorf("ledger: a tile of %d bytes; want 1 to %d hashes of 32 bytes", len(data), TileWidth)
	}
	hashes := make([]Hash, len(data)/tlog.HashSize)
	for i := range hashes {
		copy(hashes[i][:], data[i*tlog.HashSize:])
	}
	return hashes, nil
}

// Tiles is the right edge of a tree's tiles: for each level the hashes of its last, unfinished tile (at most 8 KiB each).
// Full tiles are handed out once and forgotten.
type Tiles struct {
	edge [][]byte // per level
	done []uint64 // per level: number of full tiles
	full func(Tile, []byte)
}

// NewTiledTree is an empty tree that hands every full tile to full. The bytes are valid during the call only.
func NewTiledTree(full func(Tile, []byte)) *Tree {
	return &Tree{tiles: &Tiles{full: full}}
}

// Tiles is the tree's right edge, nil for a tree without tiles.
func (t *Tree) Tiles() *Tiles { return t.tiles }

func (e *Tiles) add(level int, h Hash) {
	if level == len(e.edge) {
		e.edge, e.done = append(e.edge, nil), append(e.done, 0)
	}
	e.edge[level] = append(e.edge[level], h[:]...)
	if len(e.edge[level]) == TileWidth*tlog.HashSize {
		e.full(Tile{Level: level, Index: e.done[level], Width: TileWidth}, e.edge[level])
		e.done[level]++
		e.edge[level] = e.edge[level][:0]
	}
}

// Partial calls yield for the unfinished tile of each level that has one.
func (e *Tiles) Partial(yield func(Tile, []byte)) {
	for level, data := range e.edge {
		if len(data) > 0 {
			yield(Tile{Level: level, Index: e.done[level], Width: len(data) / tlog.HashSize}, data)
		}
	}
}

// Read copies the first width hashes of a tile when it is on the edge.
func (e *Tiles) Read(t Tile) ([]byte, bool) {
	if t.Level < 0 || t.Level >= len(e.edge) || t.Index != e.done[t.Level] || t.Width*tlog.HashSize > len(e.edge[t.Level]) {
		return nil, false
	}
	return slices.Clone(e.edge[t.Level][:t.Width*tlog.HashSize]), true
}

// RestoreTree rebuilds a tree of the given size from its tiles. It reads at most one tile a level; the caller compares
// the root with a signed checkpoint before it trusts it.
func RestoreTree(size uint64, read func(Tile) ([]byte, error), full func(Tile, []byte)) (*Tree, error) {
	t := NewTiledTree(full)
	t.size = size
	for level := 0; size>>(TileHeight*level) > 0; level++ {
		nodes := size >> (TileHeight * level)
		tile := Tile{Level: level, Index: nodes / TileWidth, Width: int(nodes % TileWidth)}
		t.tiles.done = append(t.tiles.done, tile.Index)
		t.tiles.edge = append(t.tiles.edge, nil)
		if tile.Width == 0 {
			continue
		}
		data, err := read(tile)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", tile.Path(), err)
		}
		hashes, err := ParseTile(data)
		if err != nil || len(hashes) != tile.Width {
			return nil, fmt.Errorf("ledger: %s does not hold %d hashes", tile.Path(), tile.Width)
		}
		t.tiles.edge[level] = slices.Clone(data)
		t.tops = append(subtreeRoots(hashes), t.tops...) // a higher level holds larger subtrees, which come first
	}
	return t, nil
}

// subtreeRoots gives the roots of the perfect subtrees over a row of nodes, largest first.
func subtreeRoots(row []Hash) []Hash {
	var roots []Hash
	for len(row) > 0 {
		n := 1 << (bits.Len(uint(len(row))) - 1)
		roots, row = append(roots, perfectRoot(row[:n])), row[n:]
	}
	return roots
}

func perfectRoot(row []Hash) Hash {
	if len(row) == 1 {
		return row[0]
	}
	half := len(row) / 2
	return nodeHash(perfectRoot(row[:half]), perfectRoot(row[half:]))
}
