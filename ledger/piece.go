package ledger

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

const pieceInfix = ".tail."

// PieceName is a piece of a segment that was not sealed yet, in a store whose objects never change: the pieces of a
// segment, one after the other, are the beginning of its file. Each ends with the last record of a signed checkpoint.
func PieceName(segment, piece uint64) string {
	return fmt.Sprintf("%08d", segment) + pieceInfix + fmt.Sprintf("%08d", piece)
}

// ParsePieceName is its inverse; ok is false for any other file.
func ParsePieceName(name string) (segment, piece uint64, ok bool) {
	head, tail, is := strings.Cut(path.Base(name), pieceInfix)
	if !is {
		return 0, 0, false
	}
	segment, err := strconv.ParseUint(head, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	piece, err = strconv.ParseUint(tail, 10, 64)
	return segment, piece, err == nil && PieceName(segment, piece) == path.Base(name)
}

// CheckpointName is a signed checkpoint of a size, in such a store.
func CheckpointName(size uint64) string { return CheckpointFile + fmt.Sprintf(".%020d", size) }

// ParseCheckpointName is its inverse; ok is false for any other file.
func ParseCheckpointName(name string) (size uint64, ok bool) {
	digits, is := strings.CutPrefix(path.Base(name), CheckpointFile+".")
	if !is {
		return 0, false
	}
	size, err := strconv.ParseUint(digits, 10, 64)
	return size, err == nil && CheckpointName(size) == path.Base(name)
}

// pieces reads the pieces of a segment as one file. They are copies of others' making: what is wrong with them shows when
// their records are checked.
type pieces struct {
	files []io.ReaderAt
	ends  []int64
	close []io.Closer
}

// openPieces opens the pieces of a segment from the first on, as far as they follow each other.
func openPieces(folder fs.FS, segment uint64) (*pieces, error) {
	p := &pieces{}
	for end := int64(0); ; {
		f, size, closer, err := openAt(folder, PieceName(segment, uint64(len(p.files))))
		if errors.Is(err, fs.ErrNotExist) && len(p.files) > 0 {
			return p, nil
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("segment %d: %w", segment, err), p.Close())
		}
		end += size
		p.files, p.ends, p.close = append(p.files, f), append(p.ends, end), append(p.close, closer)
	}
}

func (p *pieces) size() int64 { return p.ends[len(p.ends)-1] }

// ReadAt reads across the borders of pieces.
func (p *pieces) ReadAt(b []byte, off int64) (n int, err error) {
	for n < len(b) {
		at := off + int64(n)
		i, _ := slices.BinarySearch(p.ends, at+1)
		if i == len(p.ends) {
			return n, io.EOF
		}
		start := int64(0)
		if i > 0 {
			start = p.ends[i-1]
		}
		want := b[n:min(int64(len(b)), int64(n)+p.ends[i]-at)]
		got, err := p.files[i].ReadAt(want, at-start)
		if n += got; got < len(want) {
			return n, err
		}
	}
	return n, nil
}

// Close closes all of them.
func (p *pieces) Close() error {
	var errs []error
	for _, c := range p.close {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
