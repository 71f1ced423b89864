package dataset

import (
	"crypto/sha256"
	"io"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/tlog"
)

// Facts are what ingest learns of a file.
type Facts struct {
	Rows    uint64
	Root    [32]byte // RFC 6962 root over the rows in file order: any row can be proved to be in the set
	Columns []string // that any row has
	Bad     uint64   // lines that are no rows
}

// Learn reads the whole file. Rows that are wrong are counted, not judged: that is Validate's.
func Learn(r io.Reader) (Facts, error) {
	var f Facts
	columns := map[string]bool{}
	var tree root
	err := Each(r, func(row Row) error {
		f.Rows++
		tree.add(tlog.RecordHash(row.Raw))
		for k := range row.Fields {
			columns[k] = true
		}
		return nil
	}, func(uint64, string, string) { f.Bad++ })
	f.Root, f.Columns = tree.sum(), slices.Sorted(maps.Keys(columns))
	return f, err
}

var emptyRoot = sha256.Sum256(nil)

// root keeps the roots of the full subtrees of what was added, largest first: memory grows with the logarithm of the rows.
type root struct {
	size  uint64
	peaks []tlog.Hash
}

func (t *root) add(leaf tlog.Hash) {
	for n := t.size; n&1 == 1; n >>= 1 {
		last := len(t.peaks) - 1
		leaf, t.peaks = tlog.NodeHash(t.peaks[last], leaf), t.peaks[:last]
	}
	t.peaks = append(t.peaks, leaf)
	t.size++
}

// sum is the root; that of an empty tree is SHA-256 of nothing.
func (t *root) sum() [32]byte {
	if t.size == 0 {
		return emptyRoot
	}
	h := t.peaks[len(t.peaks)-1]
	for _, p := range slices.Backward(t.peaks[:len(t.peaks)-1]) {
		h = tlog.NodeHash(p, h)
	}
	return h
}
