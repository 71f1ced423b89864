package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/provenir/provenir/ledger"
)

func leafOf(i uint64) ledger.Hash {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], i)
	return tlog.RecordHash(b[:])
}

// mth is the definition of RFC 6962 section 2.1, written down as it stands there.
func mth(leaves []ledger.Hash) ledger.Hash {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return leaves[0]
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	return tlog.NodeHash(mth(leaves[:k]), mth(leaves[k:]))
}

func TestTreeRoot(t *testing.T) {
	var tree ledger.Tree
	var leaves []ledger.Hash
	for n := uint64(0); n <= 600; n++ {
		if tree.Size() != n || tree.Root() != mth(leaves) {
			t.Fatalf("root of %d leaves differs from the definition", n)
		}
		leaves = append(leaves, leafOf(n))
		tree.Append(leafOf(n))
	}
	clone := tree.Clone()
	clone.Append(leafOf(601))
	if tree.Size() != 601 || tree.Root() != mth(leaves) {
		t.Error("a clone changed its original")
	}
}

// tiled is a tree with the tiles it handed out.
type tiled struct {
	tree  *ledger.Tree
	files map[string][]byte
}

func newTiled(n uint64) *tiled {
	d := &tiled{files: map[string][]byte{}}
	d.tree = ledger.NewTiledTree(d.put)
	for i := range n {
		d.tree.Append(leafOf(i))
	}
	return d
}

func (d *tiled) put(t ledger.Tile, data []byte) { d.files[t.Path()] = bytes.Clone(data) }

// read serves full tiles from the files and others from the edge, as a recorder does.
func (d *tiled) read(t ledger.Tile) ([]byte, error) {
	full := t
	full.Width = ledger.TileWidth
	if data, ok := d.files[full.Path()]; ok {
		return data[:t.Width*32], nil
	}
	if data, ok := d.tree.Tiles().Read(t); ok {
		return data, nil
	}
	return nil, fs.ErrNotExist
}

func TestRestoreTree(t *testing.T) {
	for _, n := range []uint64{1, 2, 255, 256, 257, 1000, 65535, 65536, 65537, 70001} {
		d := newTiled(n)
		d.tree.Tiles().Partial(d.put)
		read := func(t ledger.Tile) ([]byte, error) {
			data, ok := d.files[t.Path()]
			if !ok {
				return nil, fs.ErrNotExist
			}
			return data, nil
		}
		again := map[string][]byte{}
		got, err := ledger.RestoreTree(n, read, func(t ledger.Tile, b []byte) { again[t.Path()] = bytes.Clone(b) })
		if err != nil || got.Root() != d.tree.Root() || got.Size() != n {
			t.Fatalf("restored tree of %d leaves: %v", n, err)
		}
		for i := n; i < n+600; i++ {
			got.Append(leafOf(i))
			d.tree.Append(leafOf(i))
		}
		if got.Root() != d.tree.Root() {
			t.Errorf("tree of %d leaves grows differently after a restart", n)
		}
		for path, data := range again {
			if !bytes.Equal(data, d.files[path]) {
				t.Errorf("tile %s differs after a restart at %d", path, n)
			}
		}
	}
	if _, err := ledger.RestoreTree(5, func(ledger.Tile) ([]byte, error) { return nil, fs.ErrNotExist }, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing tile: %v", err)
	}
	if _, err := ledger.RestoreTree(5, func(ledger.Tile) ([]byte, error) { return make([]byte, 64), nil }, nil); err == nil {
		t.Error("a short tile was accepted")
	}
}

func TestProofs(t *testing.T) {
	roots := map[uint64]ledger.Hash{}
	var plain ledger.Tree
	for i := range uint64(700) {
		plain.Append(leafOf(i))
		roots[i+1] = plain.Root()
	}
	d := newTiled(700)
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.Uint64Range(1, 700).Draw(t, "size")
		seq := rapid.Uint64Range(0, size-1).Draw(t, "seq")
		old := rapid.Uint64Range(1, size).Draw(t, "old")
		p := ledger.NewProver(size, roots[size], d.read)
		in, err := p.Inclusion(seq)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckInclusion(in, size, roots[size], seq, leafOf(seq)); err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckInclusion(in, size, roots[size], seq, leafOf(seq+1)); !errors.Is(err, ledger.ErrProof) {
			t.Fatalf("another leaf: %v", err)
		}
		con, err := p.Consistency(old)
		if err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckConsistency(con, size, roots[size], old, roots[old]); err != nil {
			t.Fatal(err)
		}
		if err := ledger.CheckConsistency(con, size, roots[size], old, ledger.Hash{1}); !errors.Is(err, ledger.ErrProof) {
			t.Fatalf("another old root: %v", err)
		}
	})
}

func TestProofsRefuse(t *testing.T) {
	d := newTiled(300)
	p := ledger.NewProver(300, d.tree.Root(), d.read)
	if _, err := p.Inclusion(300); err == nil {
		t.Error("inclusion of a record behind the end")
	}
	for _, old := range []uint64{0, 301} {
		if _, err := p.Consistency(old); err == nil {
			t.Errorf("consistency with %d records", old)
		}
	}
	tile := ledger.Tile{Level: 0, Index: 0, Width: ledger.TileWidth}.Path()
	d.files[tile] = flip(d.files[tile], 40)
	if _, err := p.Inclusion(2); err == nil {
		t.Error("a changed tile gave a proof")
	}
	if err := ledger.CheckInclusion(nil, 0, ledger.Hash{}, 0, ledger.Hash{}); !errors.Is(err, ledger.ErrProof) {
		t.Errorf("inclusion in the empty tree: %v", err)
	}
	if err := ledger.CheckConsistency(nil, 1, ledger.Hash{}, 2, ledger.Hash{}); !errors.Is(err, ledger.ErrProof) {
		t.Errorf("consistency backwards: %v", err)
	}
}

func TestTilePath(t *testing.T) {
	tests := []struct {
		name string
		tile ledger.Tile
		path string
	}{
		{"full", ledger.Tile{Level: 0, Index: 5, Width: 256}, "tile/0/005"},
		{"partial", ledger.Tile{Level: 1, Index: 0, Width: 7}, "tile/1/000.p/7"},
		{"large index", ledger.Tile{Level: 0, Index: 1234067, Width: 256}, "tile/0/x001/x234/067"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.tile.Path(); got != tt.path {
				t.Errorf("Path = %s, want %s", got, tt.path)
			}
			if got, err := ledger.ParseTilePath(tt.path); err != nil || got != tt.tile {
				t.Errorf("ParseTilePath = %+v, %v", got, err)
			}
		})
	}
	for _, bad := range []string{"", "tile/8/0/005x", "tile/0/5", "tile/data/000", "tile/0/000.p/0", "tile/0/000.p/256", "../tile/0/000"} {
		if _, err := ledger.ParseTilePath(bad); err == nil {
			t.Errorf("ParseTilePath(%q) was accepted", bad)
		}
	}
}
