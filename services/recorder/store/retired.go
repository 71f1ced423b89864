package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/provenir/provenir/ledger"
)

// isRetired tells whether a segment has no payloads any more: neither its file nor the mark of a copy is here, and what
// stands for it is.
func (l *Log) isRetired(n uint64) (bool, error) {
	entries, err := l.store.deps.Disk.ReadDir(l.dir)
	if err != nil {
		return false, fmt.Errorf("list segments: %w", err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return slices.Contains(names, ledger.RetiredName(n)) && !slices.Contains(names, ledger.SegmentName(n)) && !slices.Contains(names, ledger.AwayName(n)), nil
}

// openRetired opens what stands for a retired segment.
func (l *Log) openRetired(s segmentInfo) (segmentFile, segmentInfo, error) {
	f, err := l.store.deps.Disk.Open(path.Join(l.dir, ledger.RetiredName(s.n)))
	if err != nil {
		return nil, s, fmt.Errorf("open retired segment %d of log %s: %w", s.n, l.kind, err)
	}
	size, err := f.Size()
	if err != nil {
		return nil, s, errors.Join(fmt.Errorf("size of retired segment %d: %w", s.n, err), f.Close())
	}
	s.size, s.retired = size, true
	return f, s, nil
}

// takeRetired takes up a segment whose payloads were retired.
func (l *Log) takeRetired(n uint64, isLast bool) error {
	damaged := func(cause error) error {
		return l.fault(Fault{Kind: Corrupt, Segment: n, FirstSeq: l.durable, LastSeq: l.durable, Cause: cause})
	}
	f, err := l.store.deps.Disk.Open(path.Join(l.dir, ledger.RetiredName(n)))
	if err != nil {
		return fmt.Errorf("open retired segment %d: %w", n, err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return fmt.Errorf("size of retired segment %d: %w", n, err)
	}
	var head [ledger.HeaderSize]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return damaged(err)
	}
	h, err := ledger.ParseHeader(head[:])
	if err == nil {
		err = l.continues(h, n)
	}
	if err != nil {
		return damaged(err)
	}
	l.header = h
	l.segs = append(l.segs, segmentInfo{n: n, first: h.FirstSeq, size: size, retired: true})
	if err := l.trust(f, size); err != nil || !isLast {
		return err
	}
	l.file, l.sealed, l.size = nil, true, size
	return l.restoreTree(l.durable)
}

// Retirable is a sealed segment whose payloads are still here, or in the store of copies.
type Retirable struct {
	Segment uint64
	Bytes   int64 // of its file
	Away    bool  // the file is only in the store of copies
}

// Retirable lists what of an ended log a rule of retention may take. Of a log that takes records it is nothing.
func (r *Run) Retirable() ([]Retirable, error) {
	l := r.Log(ledger.Events)
	if !r.Sealed() {
		return nil, nil
	}
	entries, err := l.store.deps.Disk.ReadDir(l.dir)
	if err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Retirable
	for _, s := range l.segs {
		has := func(name string) bool {
			return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == name })
		}
		here, away := has(ledger.SegmentName(s.n)), has(ledger.AwayName(s.n))
		if here || away {
			out = append(out, Retirable{Segment: s.n, Bytes: s.size, Away: !here})
		}
	}
	return out, nil
}

// prepareRetired checks a segment from end to end and stores what stays of it, durably, beside it.
func (l *Log) prepareRetired(ctx context.Context, n uint64) (is ledger.Sealed, size int64, err error) {
	l.mu.Lock()
	if n >= uint64(len(l.segs)) {
		l.mu.Unlock()
		return is, 0, l.fault(Fault{Kind: Invalid, Cause: fmt.Errorf("there is no segment %d", n)})
	}
	s := l.segs[n]
	l.mu.Unlock()
	f, s, _, err := l.openSegmentFile(s)
	if err != nil {
		return is, 0, err
	}
	defer f.Close()
	d, name := l.store.deps.Disk, path.Join(l.dir, ledger.RetiredName(n))
	if err := d.Remove(name + ".tmp"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return is, 0, err
	}
	to, err := d.Create(name + ".tmp")
	if err != nil {
		return is, 0, err
	}
	is, err = ledger.RetireSegment(ctx, f, s.size, io.NewOffsetWriter(to, 0))
	if err == nil && (is.Header.Segment != n || is.Header.Log != l.kind || is.Header.Run != runUID(l.run.ID)) {
		err = fmt.Errorf("%w: it is another segment, log or run", ledger.ErrHeader)
	}
	if err == nil {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err != nil {
		return is, 0, errors.Join(l.spoiled(n, err), d.Remove(name+".tmp"))
	}
	if err := d.Rename(name+".tmp", name); err != nil {
		return is, 0, err
	}
	return is, s.size, d.SyncDir(l.dir)
}

// spoiled makes a fault of what is wrong with a segment's file; other errors pass.
func (l *Log) spoiled(n uint64, err error) error {
	if errors.Is(err, ledger.ErrSealed) || errors.Is(err, ledger.ErrHeader) {
		return l.fault(Fault{Kind: Corrupt, Segment: n, Cause: err})
	}
	return err
}

// dropPayloads takes a segment's payloads away: its file, the mark of its copy, what a repair kept of a damaged one, and
// the index of the file. What stands for it must be here and be of the same segment.
func (l *Log) dropPayloads(ctx context.Context, n uint64, trailer ledger.Trailer) error {
	d := l.store.deps.Disk
	size, err := l.checkRetired(ctx, n, trailer)
	if err != nil {
		return err
	}
	entries, err := d.ReadDir(l.dir)
	if err != nil {
		return fmt.Errorf("list segments: %w", err)
	}
	l.appending.Lock()
	if l.replay != nil { // a writer that repeated itself before the end has the file open
		l.replay.close()
		l.replay = nil
	}
	l.appending.Unlock()
	return l.do(ctx, func() error {
		if l.header.Segment == n && l.file != nil { // an open file keeps its blocks
			err := l.file.Close()
			if l.file = nil; err != nil {
				return fmt.Errorf("retire segment %d: %w", n, err)
			}
		}
		for _, e := range entries {
			if holdsPayloads(e.Name(), n) {
				if err := d.Remove(path.Join(l.dir, e.Name())); err != nil {
					return fmt.Errorf("retire segment %d: %w", n, err)
				}
			}
		}
		l.mu.Lock()
		l.segs[n].size, l.segs[n].retired = size, true
		if l.header.Segment == n {
			l.index = index{}
		}
		l.mu.Unlock()
		return d.SyncDir(l.dir)
	})
}

// holdsPayloads tells whether a file is a segment's, or speaks of the one that is: its mark, its index, what a repair put
// beside it.
func holdsPayloads(name string, n uint64) bool {
	segment := ledger.SegmentName(n)
	return name == segment || name == ledger.AwayName(n) || name == indexName(n) || strings.HasPrefix(name, segment+".")
}

func (l *Log) checkRetired(ctx context.Context, n uint64, trailer ledger.Trailer) (size int64, err error) {
	f, err := l.store.deps.Disk.Open(path.Join(l.dir, ledger.RetiredName(n)))
	if err != nil {
		return 0, fmt.Errorf("retire segment %d: %w", n, err)
	}
	defer f.Close()
	if size, err = f.Size(); err != nil {
		return 0, err
	}
	is, err := ledger.ReadRetired(ctx, f, size, nil)
	if err == nil && is.Trailer != trailer {
		err = fmt.Errorf("%w: what is to stand for it is of another one", ledger.ErrSealed)
	}
	return size, l.spoiled(n, err)
}
