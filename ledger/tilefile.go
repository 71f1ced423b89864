package ledger

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

// File names the file that holds the tile in a log's folder. All tiles of a level lie back to back in one file, so it is
// the list of that level's hashes: a file for each tile, as [Tile.Path] has it for the web, costs a long run thousands of
// files, and making one can take the file system a millisecond.
func (t Tile) File() string { return "tile/" + strconv.Itoa(t.Level) }

// Offset is where the tile begins in its file.
func (t Tile) Offset() int64 { return int64(t.Index) * TileWidth * tlog.HashSize }

// Size is the number of bytes of the tile's hashes.
func (t Tile) Size() int { return t.Width * tlog.HashSize }

// ReadTileAt reads a tile from its level's file. A file that ends before it gives io.ErrUnexpectedEOF.
func ReadTileAt(f io.ReaderAt, t Tile) ([]byte, error) {
	b := make([]byte, t.Size())
	n, err := f.ReadAt(b, t.Offset())
	if n == len(b) {
		return b, nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("read %s at %d: %w", t.File(), t.Offset(), err)
}

// tileFiles reads tiles of a folder and keeps the files of the levels open, since a verification asks for every tile.
type tileFiles struct {
	folder fs.FS
	open   map[int]io.ReaderAt // nil for a level without a file
	files  []io.Closer
}

// read gives fs.ErrNotExist or io.ErrUnexpectedEOF for a tile that is not there.
func (f *tileFiles) read(t Tile) ([]byte, error) {
	at, known := f.open[t.Level]
	if !known {
		var err error
		if at, err = f.level(t.File()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if f.open == nil {
			f.open = map[int]io.ReaderAt{}
		}
		f.open[t.Level] = at
	}
	if at == nil {
		return nil, fmt.Errorf("open %s: %w", t.File(), fs.ErrNotExist)
	}
	return ReadTileAt(at, t)
}

func (f *tileFiles) level(name string) (io.ReaderAt, error) {
	at, size, closer, err := openAt(f.folder, name)
	if err != nil {
		return nil, err
	}
	f.files = append(f.files, closer)
	return io.NewSectionReader(at, 0, size), nil // some file systems call a read behind the end invalid
}

// close lets the files go; they were only read.
func (f *tileFiles) close() {
	for _, c := range f.files {
		_ = c.Close()
	}
}
