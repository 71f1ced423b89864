package ship

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"path"

	"github.com/provenir/provenir/ledger"
)

// tiles ships the tiles that a segment fills, and at the end of a run those that stay unfinished. It gives the root of
// the tree up to the segment's end. The hashes come from the records, not from the stored tiles, which are a cache: what
// is put once cannot be mended.
func (s *Shipper) tiles(ctx context.Context, f *folder, n uint64) (ledger.Hash, error) {
	var failed error
	put := func(t ledger.Tile, data []byte) {
		if failed == nil {
			failed = s.put(ctx, path.Join(f.dir, t.Path()), bytes.NewReader(data), int64(len(data)), sha256.Sum256(data))
		}
	}
	tree, err := s.treeBefore(ctx, f, n, put)
	if err != nil {
		return ledger.Hash{}, err
	}
	if _, _, err := s.leaves(ctx, f, n, tree.Append); err != nil {
		return ledger.Hash{}, err
	}
	if f.ended && n+1 == f.count {
		tree.Tiles().Partial(put)
	}
	return tree.Root(), failed
}

// treeBefore is the tree of the segments before n: from the stored tiles when they give the root that was noted for it,
// else from the records.
func (s *Shipper) treeBefore(ctx context.Context, f *folder, n uint64, full func(ledger.Tile, []byte)) (*ledger.Tree, error) {
	if n == 0 {
		return ledger.NewTiledTree(full), nil
	}
	before := f.copies[n-1]
	want, _ := before.root()
	tree, err := ledger.RestoreTree(before.Records, func(t ledger.Tile) ([]byte, error) {
		file, err := s.d.Disk.Open(path.Join(f.dir, t.File()))
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return ledger.ReadTileAt(file, t)
	}, full)
	if err == nil && tree.Root() == want {
		return tree, nil
	}
	if tree, err = s.treeOfRecords(ctx, f, n); err != nil {
		return nil, err
	}
	if tree.Root() != want {
		return nil, s.damaged(fmt.Errorf("%w: the segments before %d are not those that were shipped", errDamaged, n))
	}
	// The tree is built without handing tiles out, since they are in the store; from here on they are handed out.
	return ledger.RestoreTree(tree.Size(), edgeOf(tree), full)
}

func edgeOf(tree *ledger.Tree) func(ledger.Tile) ([]byte, error) {
	return func(t ledger.Tile) ([]byte, error) {
		if data, ok := tree.Tiles().Read(t); ok {
			return data, nil
		}
		return nil, errors.New("not on the edge")
	}
}

func (s *Shipper) treeOfRecords(ctx context.Context, f *folder, n uint64) (*ledger.Tree, error) {
	tree := ledger.NewTiledTree(func(ledger.Tile, []byte) {})
	for i := range n {
		if _, _, err := s.leaves(ctx, f, i, tree.Append); err != nil {
			return nil, fmt.Errorf("segment %d: %w", i, err)
		}
	}
	return tree, nil
}

// copyOf reads the copy of a segment that was moved away.
func (s *Shipper) copyOf(ctx context.Context, f *folder, n uint64) (io.ReaderAt, int64, error) {
	size := f.copies[n].Size
	b := make([]byte, size)
	if _, err := s.d.Remote.ReadRange(ctx, segmentName(f.dir, n), b, 0); err != nil && !errors.Is(err, io.EOF) {
		s.d.Counts.failed(failedStore)
		return nil, 0, &unreachable{err}
	}
	return bytes.NewReader(b), size, nil
}
