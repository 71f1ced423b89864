package store

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/provenir/provenir/internal/faultline"
	"github.com/provenir/provenir/ledger"
)

// rollFor makes sure that there is a segment with room for n more bytes.
func (l *Log) rollFor(n int64) error {
	switch {
	case l.file == nil:
		return l.createSegment(uint64(len(l.segs)))
	case l.sealed:
	case l.index.count > 0 && l.size+n > l.store.cfg.SegmentBytes:
		if err := l.sealSegment(); err != nil {
			return err
		}
		if err := l.store.deps.Faults.At(PointTrailer); err != nil {
			return err
		}
	default:
		return nil
	}
	if err := l.file.Close(); err != nil {
		return fmt.Errorf("close segment %d: %w", l.header.Segment, err)
	}
	l.file = nil
	return l.createSegment(l.header.Segment + 1)
}

// sealSegment ends the last segment with a trailer, and stores what lets a restart skip it: a checkpoint of exactly its
// end, the edge of the tree, the index.
func (l *Log) sealSegment() error {
	t := ledger.Trailer{Count: l.index.count, FirstSeq: l.header.FirstSeq, LastSeq: l.header.FirstSeq + l.index.count - 1, Chain: l.tail}
	l.settle()
	l.sum.Sum(t.File[:0])
	f := t.Frame()
	b := ledger.AppendFrame(nil, &f)
	if _, err := l.file.WriteAt(b, l.size); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	l.mu.Lock()
	l.size += int64(len(b))
	l.segs[len(l.segs)-1].size = l.size
	l.sealed = true
	l.mu.Unlock()
	if err := l.sign(false); err != nil {
		return err
	}
	l.unsigned = 0
	l.storeTiles(1)
	l.trees.Lock()
	l.putPartialTiles()
	l.trees.Unlock()
	l.putIndex(l.header.Segment, l.index.blocks)
	return nil
}

func (l *Log) putIndex(segment uint64, blocks []block) {
	if err := l.store.deps.Disk.Replace(path.Join(l.dir, indexName(segment)), encodeIndex(blocks)); err != nil {
		l.store.deps.Log.Warn("an index was not stored; it is made again when it is read", "segment", segment, "error", err.Error())
	}
}

// createSegment begins a segment. Its header is durable before any record follows, so a torn header holds no record.
func (l *Log) createSegment(n uint64) error {
	h := ledger.Header{Run: runUID(l.run.ID), Segment: n, FirstSeq: l.durable, Epoch: l.run.Epoch(), Prev: l.tail, Log: l.kind}
	d := l.store.deps.Disk
	name := path.Join(l.dir, ledger.SegmentName(n))
	f, err := d.Create(name)
	if errors.Is(err, fs.ErrExist) { // an earlier attempt failed between here and the first record
		f, err = d.Edit(name)
	}
	if err != nil {
		return err
	}
	b := h.AppendBinary(nil)
	if _, err = f.WriteAt(b, 0); err == nil {
		if err = f.Truncate(int64(len(b))); err == nil {
			if err = f.Sync(); err == nil {
				err = d.SyncDir(l.dir)
			}
		}
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.mu.Lock()
	l.file, l.header, l.size, l.sealed, l.index = f, h, int64(len(b)), false, index{key: l.index.key}
	l.segs = append(l.segs, segmentInfo{n: n, first: h.FirstSeq, size: l.size})
	l.mu.Unlock()
	l.sum = sha256.New()
	l.sum.Write(b)
	return l.store.deps.Faults.At(PointRolled)
}

// reopen opens the last segment again after a failed write or sync and reads it back: the kernel may have dropped pages
// that it had reported as written, and a second sync of the same descriptor would hide that.
func (l *Log) reopen() error {
	if l.file == nil {
		return nil // the segment was never made
	}
	l.settle()
	err := l.file.Close()
	l.file = nil
	if err != nil {
		l.store.deps.Log.Warn("closing a failed segment", "error", err.Error())
	}
	f, err := l.store.deps.Disk.Edit(path.Join(l.dir, ledger.SegmentName(l.header.Segment)))
	if err != nil {
		return err
	}
	l.file = f
	if l.sealed {
		return nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, l.size)); err != nil {
		return fmt.Errorf("read segment %d back: %w", l.header.Segment, err)
	}
	if ledger.Hash(sum.Sum(nil)) != ledger.Hash(l.sum.Sum(nil)) {
		return fmt.Errorf("segment %d no longer holds what was acknowledged", l.header.Segment)
	}
	return f.Truncate(l.size)
}

// release closes the files when the committer has ended.
func (l *Log) release() error {
	l.mu.Lock()
	broken := l.broken
	l.mu.Unlock()
	l.appending.Lock()
	if l.replay != nil {
		l.replay.close()
		l.replay = nil
	}
	l.appending.Unlock()
	var err error
	if !errors.Is(broken, faultline.ErrKilled) {
		l.storeTiles(1)
	}
	if broken == nil && l.unsigned > 0 {
		err = l.sign(true)
	}
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
		l.file = nil
	}
	return err
}
