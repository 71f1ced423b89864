package store

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"github.com/provenir/provenir/ledger"
)

// SealedSegments is the number of segments of an open log that will never change; open is false when nobody has opened
// the run.
func (s *Store) SealedSegments(tenant, run string, kind ledger.Log) (n int, open bool) {
	s.mu.Lock()
	r := s.runs[path.Join(tenant, run)]
	s.mu.Unlock()
	if r == nil {
		return 0, false
	}
	l := r.Log(kind)
	l.mu.Lock()
	defer l.mu.Unlock()
	if n = len(l.segs); n > 0 && !l.sealed {
		n--
	}
	return n, true
}

// NewestCheckpoint is the last signed checkpoint of a log, from memory or from the disk; nil where it has none.
func (s *Store) NewestCheckpoint(tenant, run string, kind ledger.Log) ([]byte, error) {
	s.mu.Lock()
	r := s.runs[path.Join(tenant, run)]
	s.mu.Unlock()
	if r != nil {
		_, note := r.Log(kind).Checkpoint()
		return note, nil
	}
	note, err := s.deps.Disk.ReadFile(path.Join(tenant, run, kind.String(), ledger.CheckpointFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return note, err
}

// takeAway takes up a segment whose file was moved away, by the mark that stands for it.
func (l *Log) takeAway(n uint64, isLast bool) error {
	damaged := func(cause error) error {
		return l.fault(Fault{Kind: Corrupt, Segment: n, FirstSeq: l.durable, LastSeq: l.durable, Cause: cause})
	}
	b, err := l.store.deps.Disk.ReadFile(path.Join(l.dir, ledger.AwayName(n)))
	if errors.Is(err, fs.ErrNotExist) {
		return damaged(errors.New("the segment file is missing"))
	}
	if err != nil {
		return fmt.Errorf("read the mark of segment %d: %w", n, err)
	}
	a, err := ledger.ParseAway(b)
	if err != nil {
		return damaged(err)
	}
	if err := l.continues(a.Header, n); err != nil {
		return damaged(err)
	}
	l.header = a.Header
	l.segs = append(l.segs, segmentInfo{n: n, first: a.Header.FirstSeq, size: a.Size})
	l.durable, l.tail = a.Trailer.FirstSeq+a.Trailer.Count, a.Trailer.Chain
	l.next, l.chain = l.durable, l.tail
	if !isLast {
		return nil
	}
	l.file, l.sealed, l.size = nil, true, a.Size
	return l.restoreTree(l.durable)
}

// continues checks that a header is the next segment's of this log.
func (l *Log) continues(h ledger.Header, n uint64) error {
	if h.Segment != n || h.Log != l.kind || h.Run != runUID(l.run.ID) || h.FirstSeq != l.durable || h.Prev != l.tail {
		return fmt.Errorf("%w: it does not continue the log", ledger.ErrHeader)
	}
	return nil
}
