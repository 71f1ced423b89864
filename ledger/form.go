package ledger

import (
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// form is how a segment lies in the folder.
type form uint8

const (
	formHere    form = iota
	formAway         // only a mark that says that it lies elsewhere
	formRetired      // without its payloads
	formPieces       // the pieces that a store of copies has of a segment that was not sealed yet
)

// listSegments gives the numbers of the segments in order, and their forms. A file with payloads counts, also when its mark
// is there, and a mark counts before the file of a retired one: a crash leaves both.
func listSegments(folder fs.FS) (ns []uint64, forms map[uint64]form, err error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, nil, fmt.Errorf("read the log's folder: %w", err)
	}
	forms = map[uint64]form{}
	for _, e := range entries {
		is := formHere
		n, ok := ParseSegmentName(e.Name())
		if !ok {
			n, ok = ParseAwayName(e.Name())
			is = formAway
		}
		if !ok {
			n, ok = ParseRetiredName(e.Name())
			is = formRetired
		}
		if !ok {
			n, _, ok = ParsePieceName(e.Name())
			is = formPieces
		}
		if was, twice := forms[n]; ok && (!twice || is < was) {
			forms[n] = is
		}
	}
	for n := range forms {
		ns = append(ns, n)
	}
	if len(ns) == 0 {
		return nil, nil, ErrNoLog
	}
	slices.Sort(ns)
	return ns, forms, nil
}

// openForm opens a segment in the form in which it is here.
func (v *verifier) openForm(n uint64) (io.ReaderAt, int64, io.Closer, error) {
	switch v.form {
	case formPieces:
		p, err := openPieces(v.folder, n)
		if err != nil {
			return nil, 0, nil, err
		}
		return p, p.size(), p, nil
	case formRetired:
		return openAt(v.folder, RetiredName(n))
	}
	return openAt(v.folder, SegmentName(n))
}
