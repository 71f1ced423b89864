package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/provenir/provenir/ledger"
)

// pieced lets a store of copies answer for a segment of which it has pieces only, as for one that it has whole: the
// segment was not sealed when they were shipped.
type pieced struct{ Copies }

// Size is that of the whole copy, or of the pieces together.
func (p pieced) Size(ctx context.Context, name string) (int64, error) {
	size, err := p.Copies.Size(ctx, name)
	if n, isSegment := ledger.ParseSegmentName(name); isSegment && errors.Is(err, fs.ErrNotExist) {
		ends, pieceErr := p.ends(ctx, name, n)
		if pieceErr != nil {
			return 0, pieceErr
		}
		if len(ends) > 0 {
			return ends[len(ends)-1], nil
		}
	}
	return size, err
}

// ends are where the pieces of a segment end in it.
func (p pieced) ends(ctx context.Context, name string, n uint64) (ends []int64, err error) {
	for end := int64(0); ; ends = append(ends, end) {
		size, err := p.Copies.Size(ctx, pieceOf(name, n, len(ends)))
		if errors.Is(err, fs.ErrNotExist) {
			return ends, nil
		}
		if err != nil {
			return nil, err
		}
		if size <= 0 {
			return nil, fmt.Errorf("piece %d of %s is empty", len(ends), name)
		}
		end += size
	}
}

func pieceOf(name string, n uint64, piece int) string {
	return path.Join(path.Dir(name), ledger.PieceName(n, uint64(piece)))
}

// ReadRange reads the whole copy, or across its pieces.
func (p pieced) ReadRange(ctx context.Context, name string, b []byte, off int64) (int, error) {
	got, err := p.Copies.ReadRange(ctx, name, b, off)
	n, isSegment := ledger.ParseSegmentName(name)
	if !isSegment || !errors.Is(err, fs.ErrNotExist) {
		return got, err
	}
	ends, pieceErr := p.ends(ctx, name, n)
	if pieceErr != nil {
		return 0, pieceErr
	}
	if len(ends) == 0 {
		return got, err
	}
	got = 0
	for i, start := 0, int64(0); i < len(ends) && got < len(b); start, i = ends[i], i+1 {
		at := off + int64(got)
		if at >= ends[i] {
			continue
		}
		want := b[got:min(int64(len(b)), int64(got)+ends[i]-at)]
		k, err := p.Copies.ReadRange(ctx, pieceOf(name, n, i), want, at-start)
		if got += k; err != nil && !errors.Is(err, io.EOF) {
			return got, err
		}
		if k < len(want) {
			return got, fmt.Errorf("piece %d of %s broke off", i, name)
		}
	}
	if got < len(b) {
		return got, io.EOF
	}
	return got, nil
}
