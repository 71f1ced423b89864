package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/provenir/provenir/ledger"
)

// restoreTree takes the tree up at the beginning of the last segment, from the edge that the roll stored there. Without a
// checkpoint of that very size to compare with, or with a tile missing, all segments are read instead.
func (l *Log) restoreTree(size uint64) error {
	if size == 0 {
		l.tree = ledger.NewTiledTree(l.keepTile)
		return nil
	}
	var want *ledger.Hash
	err := l.eachCheckpoint(func(c ledger.Checkpoint, _ []byte) {
		if c.Size == size {
			want = &c.Root
		}
	})
	if err != nil {
		return err
	}
	if want != nil {
		tree, err := ledger.RestoreTree(size, l.storedTile, l.keepTile)
		if err == nil && tree.Root() == *want {
			l.tree = tree
			return nil
		}
	}
	l.store.deps.Log.Info("the tree is rebuilt from the segments", "run", l.run.ID, "log", l.kind.String(), "records", size)
	tree, err := l.treeOf(size)
	if err != nil {
		return err
	}
	if want != nil && tree.Root() != *want {
		return l.fault(Fault{Kind: Corrupt, LastSeq: size - 1, Cause: errors.New("the records are not those of a signed checkpoint")})
	}
	l.tree = tree
	return nil
}

// treeOf reads the first size records and stores their tiles.
func (l *Log) treeOf(size uint64) (*ledger.Tree, error) {
	tree := ledger.NewTiledTree(l.keepTile)
	for _, s := range l.segs {
		if err := l.leavesOf(s, size, tree); err != nil {
			return nil, err
		}
		l.storeTiles(tilesAtOnce)
	}
	if tree.Size() < size {
		return nil, l.fault(Fault{Kind: Corrupt, FirstSeq: tree.Size(), LastSeq: size - 1, Cause: errors.New("records are missing")})
	}
	return tree, nil
}

func (l *Log) leavesOf(s segmentInfo, size uint64, tree *ledger.Tree) error {
	f, s, _, err := l.openSegmentFile(s)
	if err != nil {
		return err
	}
	scan := ledger.NewScanner(f, ledger.HeaderSize, s.size)
	for tree.Size() < size && scan.Next() {
		if !scan.Frame().IsTrailer() {
			tree.Append(scan.Frame().Leaf())
		}
	}
	if err := scan.Err(); KindOf(err) == CopyAway {
		return errors.Join(err, f.Close())
	} else if err != nil {
		at := l.fault(Fault{Kind: Corrupt, Segment: s.n, Offset: scan.Offset(), FirstSeq: tree.Size(), LastSeq: tree.Size(), Cause: err})
		return errors.Join(at, f.Close())
	}
	return f.Close()
}

// rebuildTiles makes the stored tiles again. The caller holds trees.
func (l *Log) rebuildTiles() error {
	l.mu.Lock()
	segs := append([]segmentInfo(nil), l.segs...)
	l.mu.Unlock()
	var tiles []pendingTile
	tree := ledger.NewTiledTree(func(t ledger.Tile, data []byte) { tiles = append(tiles, pendingTile{t, slices.Clone(data)}) })
	for _, s := range segs {
		if err := l.leavesOf(s, l.tree.Size(), tree); err != nil {
			return err
		}
		l.putTiles(tiles)
		tiles = tiles[:0]
	}
	return nil
}

// eachCheckpoint reads the history and notes where its last whole entry ends.
func (l *Log) eachCheckpoint(visit func(c ledger.Checkpoint, note []byte)) error {
	f, err := l.store.deps.Disk.Open(path.Join(l.dir, ledger.HistoryFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the checkpoints: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return fmt.Errorf("size of the checkpoints: %w", err)
	}
	h := ledger.NewHistoryReader(io.NewSectionReader(f, 0, size))
	for {
		note, err := h.Next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, ledger.ErrCheckpoint) {
			l.last.history = h.Offset()
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the checkpoints: %w", err)
		}
		c, err := ledger.ReadCheckpoint(note)
		if err != nil || c.Origin != l.origin {
			return l.fault(Fault{Kind: Corrupt, Cause: fmt.Errorf("the history of checkpoints is damaged at byte %d: %w", h.Offset(), err)})
		}
		visit(c, note)
	}
}
