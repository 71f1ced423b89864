package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// tilesAtOnce is how many full tiles are noted before they are stored: one write for 512 KiB instead of one for 8.
const tilesAtOnce = 64

// keepTile notes a full tile, to be stored later. The caller holds trees.
func (l *Log) keepTile(t ledger.Tile, data []byte) {
	l.pending = append(l.pending, pendingTile{t, append([]byte(nil), data...)})
}

type pendingTile struct {
	ledger.Tile
	data []byte
}

// storeTiles writes the noted tiles when there are at least so many. Until then proofs read them from memory.
func (l *Log) storeTiles(least int) {
	l.trees.Lock()
	tiles := l.pending
	l.trees.Unlock()
	if len(tiles) < least {
		return
	}
	l.putTiles(tiles)
	l.trees.Lock()
	l.pending = slices.Clone(l.pending[len(tiles):]) // a copy, so that what is stored is let go
	l.trees.Unlock()
}

// putTiles stores tiles. They are a cache of the segments: one that could not be written is made again when it is missed,
// so an error is logged and no commit fails for it.
func (l *Log) putTiles(tiles []pendingTile) {
	files := map[int]disk.File{}
	for _, t := range tiles {
		err := l.putTile(files, t)
		if err != nil {
			l.store.deps.Log.Warn("a tile was not stored", "run", l.run.ID, "log", l.kind.String(), "tile", t.Tile.Path(), "error", err.Error())
		}
	}
	for _, f := range files {
		if err := f.Close(); err != nil {
			l.store.deps.Log.Warn("tiles were not stored", "run", l.run.ID, "log", l.kind.String(), "error", err.Error())
		}
	}
}

func (l *Log) putTile(files map[int]disk.File, t pendingTile) error {
	f := files[t.Level]
	if f == nil {
		var err error
		if f, err = l.tileFile(t.File()); err != nil {
			return err
		}
		files[t.Level] = f
	}
	_, err := f.WriteAt(t.data, t.Offset())
	return err
}

func (l *Log) tileFile(name string) (disk.File, error) {
	d, name := l.store.deps.Disk, path.Join(l.dir, name)
	f, err := d.Edit(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err = d.MkdirAll(path.Dir(name)); err == nil {
			f, err = d.Create(name)
		}
	}
	return f, err
}

// putPartialTiles stores the tree's right edge, from which a restart takes the tree up without reading all segments. It
// lies where the full tiles will be. The caller holds trees.
func (l *Log) putPartialTiles() {
	var edge []pendingTile
	l.tree.Tiles().Partial(func(t ledger.Tile, data []byte) { edge = append(edge, pendingTile{t, data}) })
	l.putTiles(edge)
}

// readTile reads from the edge of the tree, else from the disk. The caller holds trees.
func (l *Log) readTile(t ledger.Tile) ([]byte, error) {
	if data, ok := l.tree.Tiles().Read(t); ok {
		return data, nil
	}
	for _, p := range l.pending {
		if p.Level == t.Level && p.Index == t.Index {
			return p.data[:t.Size()], nil
		}
	}
	return l.storedTile(t)
}

func (l *Log) storedTile(t ledger.Tile) ([]byte, error) {
	f, err := l.store.deps.Disk.Open(path.Join(l.dir, t.File()))
	if err != nil {
		return nil, err
	}
	data, err := ledger.ReadTileAt(f, t)
	return data, errors.Join(err, f.Close())
}

// InclusionProof proves that record seq is under the tree of the given size; 0 means the newest checkpoint's.
func (l *Log) InclusionProof(seq, size uint64) (proof []ledger.Hash, c ledger.Checkpoint, note []byte, err error) {
	return l.prove(size, func(p *ledger.Prover) ([]ledger.Hash, error) { return p.Inclusion(seq) })
}

// ConsistencyProof proves that the tree of size to continues that of size from; to 0 means the newest checkpoint's.
func (l *Log) ConsistencyProof(from, to uint64) (proof []ledger.Hash, c ledger.Checkpoint, note []byte, err error) {
	return l.prove(to, func(p *ledger.Prover) ([]ledger.Hash, error) { return p.Consistency(from) })
}

func (l *Log) prove(size uint64, make func(*ledger.Prover) ([]ledger.Hash, error)) ([]ledger.Hash, ledger.Checkpoint, []byte, error) {
	l.trees.Lock()
	defer l.trees.Unlock()
	c, note, err := l.checkpointAt(size)
	if err != nil {
		return nil, c, nil, err
	}
	proof, err := make(ledger.NewProver(c.Size, c.Root, l.readTile))
	if err != nil && c.Size > 0 {
		// The prover checks tiles against the root, so this is a bad request, or tiles that are missing or damaged.
		if rebuildErr := l.rebuildTiles(); rebuildErr != nil {
			return nil, c, nil, errors.Join(err, rebuildErr)
		}
		proof, err = make(ledger.NewProver(c.Size, c.Root, l.readTile))
	}
	if err != nil {
		return nil, c, nil, l.fault(Fault{Kind: Invalid, Cause: err})
	}
	return proof, c, note, nil
}

// checkpointAt finds the signed checkpoint of a size in the history. The caller holds trees.
func (l *Log) checkpointAt(size uint64) (ledger.Checkpoint, []byte, error) {
	if l.last.note != nil && (size == 0 || size == l.last.Size) {
		return l.last.Checkpoint, l.last.note, nil
	}
	if size > 0 {
		var found ledger.Checkpoint
		var foundNote []byte
		err := l.eachCheckpoint(func(c ledger.Checkpoint, note []byte) {
			if c.Size == size {
				found, foundNote = c, append([]byte(nil), note...)
			}
		})
		if err != nil {
			return found, nil, err
		}
		if foundNote != nil {
			return found, foundNote, nil
		}
	}
	return ledger.Checkpoint{}, nil, l.fault(Fault{Kind: Unknown, Cause: fmt.Errorf("size %d", size)})
}
