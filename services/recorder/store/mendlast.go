package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/provenir/provenir/ledger"
)

// wholeSoFar checks pieces of a segment by themselves, and puts what the file here has beyond them behind them.
func (l *Log) wholeSoFar(n uint64, fetched string, size int64) (err error) {
	f, err := l.store.deps.Disk.Edit(fetched)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var head [ledger.HeaderSize]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return err
	}
	h, err := ledger.ParseHeader(head[:])
	if err != nil || h.Segment != n || h.Log != l.kind || h.Run != runUID(l.run.ID) {
		return fmt.Errorf("%w: it is another segment, log or run", ledger.ErrHeader)
	}
	scan, chain, next := ledger.NewScanner(f, ledger.HeaderSize, size), h.Prev, h.FirstSeq
	for scan.Next() {
		frame := scan.Frame()
		if frame.Seq != next || frame.Prev != chain || frame.CheckDigest() == ledger.DigestWrong || frame.IsTrailer() {
			return fmt.Errorf("%w: record %d", ledger.ErrSealed, next)
		}
		chain, next = frame.Chain(chain), next+1
	}
	if scan.Err() != nil || next == h.FirstSeq {
		return fmt.Errorf("%w: its pieces end in the middle of record %d: %w", ledger.ErrSealed, next, scan.Err())
	}
	here, err := l.store.deps.Disk.ReadFile(path.Join(l.dir, ledger.SegmentName(n)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if int64(len(here)) > size {
		if _, err := f.WriteAt(here[size:], size); err != nil {
			return err
		}
	}
	return f.Sync()
}

// unsealedLast is the number of the last segment here where it has no trailer; -1 where there is none.
func (l *Log) unsealedLast() int {
	n := l.lastSegment()
	if n < 0 {
		return -1
	}
	if t, ok := l.trailerHere(uint64(n)); ok && t.Count > 0 {
		return -1
	}
	return n
}

// lastSegment is the number of the last segment here; -1 without any.
func (l *Log) lastSegment() int {
	have, err := l.segmentNumbers()
	if err != nil || len(have) == 0 {
		return -1
	}
	return int(have[len(have)-1])
}
