package ship

import (
	"errors"
	"path"

	"github.com/provenir/provenir/ledger"
)

// errDamaged tells that a local segment is not what its trailer says. It is never shipped: a copy that is as damaged as
// the file would be worth nothing, and could not be replaced.
var errDamaged = errors.New("the local segment is damaged; run `provenir ledger verify` and `provenir ledger repair`")

// names in the store.
func segmentName(dir string, n uint64) string { return path.Join(dir, ledger.SegmentName(n)) }

func checkpointName(dir string, size uint64) string {
	return path.Join(dir, ledger.CheckpointName(size))
}
