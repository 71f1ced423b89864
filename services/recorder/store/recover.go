package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"github.com/provenir/provenir/ledger"
)

// openLog takes a log up where it ended. Only the last segment is read: trailers vouch for the others. What is wrong with
// the log is kept as its state, so that what is sound can still be read.
func openLog(ctx context.Context, r *Run, kind ledger.Log) (*Log, error) {
	l := newLog(r, kind)
	l.ops = make(chan op)
	err := l.recover(ctx)
	if err != nil && !quarantine(err) {
		return nil, errors.Join(err, l.release())
	}
	if err != nil {
		l.store.deps.Log.Error("a log is read-only", "run", r.ID, "log", kind.String(), "error", err.Error())
		l.broken = err
	} else if kind == ledger.Events && r.seal != nil {
		l.broken = l.fault(Fault{Kind: Sealed})
	}
	if l.tree == nil {
		l.tree = ledger.NewTiledTree(l.keepTile)
	}
	l.storeTiles(1)
	go l.loop()
	return l, nil
}

func quarantine(err error) bool {
	k := KindOf(err)
	return k == Corrupt || k == LostAcked
}

func (l *Log) recover(ctx context.Context) error {
	numbers, err := l.segmentNumbers()
	if err != nil {
		return err
	}
	if err := l.recoverCheckpoint(); err != nil {
		return err
	}
	if len(numbers) == 0 {
		l.tree = ledger.NewTiledTree(l.keepTile)
		return l.checkAcked()
	}
	for i, n := range numbers {
		if uint64(i) != n {
			return l.fault(Fault{Kind: Corrupt, Segment: uint64(i), Cause: errors.New("the segment file is missing")})
		}
		if err := l.openSegment(ctx, n, i == len(numbers)-1); err != nil {
			return err
		}
	}
	return l.checkAcked()
}

func (l *Log) segmentNumbers() ([]uint64, error) {
	entries, err := l.store.deps.Disk.ReadDir(l.dir)
	if err != nil {
		return nil, fmt.Errorf("list segments: %w", err)
	}
	var numbers []uint64
	for _, e := range entries {
		n, ok := ledger.ParseSegmentName(e.Name())
		if !ok {
			n, ok = ledger.ParseAwayName(e.Name())
		}
		if !ok {
			n, ok = ledger.ParseRetiredName(e.Name())
		}
		if ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers), nil // a crash may leave both the file and the mark that stands for it
}

// checkAcked compares with what was promised: a checkpoint is written only after its records are durable.
func (l *Log) checkAcked() error {
	if l.last.note != nil && l.durable < l.last.Size {
		return l.fault(Fault{Kind: LostAcked, FirstSeq: l.durable, LastSeq: l.last.Size - 1})
	}
	return nil
}

// openSegment takes up one segment; the last one is scanned and stays open for writing.
func (l *Log) openSegment(ctx context.Context, n uint64, isLast bool) error {
	d := l.store.deps.Disk
	name := path.Join(l.dir, ledger.SegmentName(n))
	f, err := d.Edit(name)
	if errors.Is(err, fs.ErrNotExist) {
		retired, err := l.isRetired(n)
		if err != nil {
			return err
		}
		if retired {
			return l.takeRetired(n, isLast)
		}
		return l.takeAway(n, isLast)
	}
	if err != nil {
		return fmt.Errorf("open segment %d: %w", n, err)
	}
	size, err := f.Size()
	if err != nil {
		return errors.Join(fmt.Errorf("size of segment %d: %w", n, err), f.Close())
	}
	var head [ledger.HeaderSize]byte
	got, err := f.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return errors.Join(fmt.Errorf("read header of segment %d: %w", n, err), f.Close())
	}
	h, err := ledger.ParseHeader(head[:got])
	if err != nil && isLast && size <= ledger.HeaderSize {
		// The machine died while it made the segment: no record was written behind a header that was not durable.
		l.store.deps.Log.Warn("a segment without records is removed", "run", l.run.ID, "segment", n)
		return errors.Join(f.Close(), d.Remove(name), d.SyncDir(l.dir), l.reopenSealed(n))
	}
	if err == nil {
		err = l.continues(h, n)
	}
	if err != nil {
		return errors.Join(l.fault(Fault{Kind: Corrupt, Segment: n, FirstSeq: l.durable, LastSeq: l.durable, Cause: err}), f.Close())
	}
	l.header = h
	l.segs = append(l.segs, segmentInfo{n: n, first: h.FirstSeq, size: size})
	if isLast {
		l.file = f
		return l.takeUp(ctx, f, size)
	}
	return errors.Join(l.trust(f, size), f.Close())
}

// trust reads a sealed segment's trailer only.
func (l *Log) trust(f io.ReaderAt, size int64) error {
	empty := ledger.Trailer{}.Frame()
	b := make([]byte, empty.Size())
	var t ledger.Trailer
	_, err := f.ReadAt(b, size-int64(len(b)))
	if err == nil {
		var frame ledger.Frame
		if frame, _, err = ledger.DecodeFrame(b); err == nil {
			t, err = ledger.ParseTrailer(&frame)
		}
	}
	if err != nil || t.FirstSeq != l.header.FirstSeq {
		return l.fault(Fault{Kind: Corrupt, Segment: l.header.Segment, Offset: size, FirstSeq: l.durable, LastSeq: l.durable,
			Cause: fmt.Errorf("the trailer of a sealed segment is damaged: %w", err)})
	}
	l.durable, l.tail = t.FirstSeq+t.Count, t.Chain
	l.next, l.chain = l.durable, l.tail
	return nil
}

// reopenSealed makes the segment before a removed one the last: it is sealed, so the next record makes a new one.
func (l *Log) reopenSealed(removed uint64) error {
	if removed == 0 {
		l.tree = ledger.NewTiledTree(l.keepTile)
		return nil
	}
	f, err := l.store.deps.Disk.Edit(path.Join(l.dir, ledger.SegmentName(removed-1)))
	switch {
	case err == nil:
		l.file = f
	case !errors.Is(err, fs.ErrNotExist): // else it was moved away
		return fmt.Errorf("open segment %d: %w", removed-1, err)
	}
	l.sealed, l.size = true, l.segs[len(l.segs)-1].size
	return l.restoreTree(l.durable)
}

// takeUp scans the last segment: its valid records count, a torn tail is cut, damage in the middle is not touched.
func (l *Log) takeUp(ctx context.Context, f fileReader, size int64) error {
	if err := l.restoreTree(l.header.FirstSeq); err != nil {
		return err
	}
	l.tail, l.sum, l.index = l.header.Prev, sha256.New(), index{}
	scan := ledger.NewScanner(f, ledger.HeaderSize, size)
	end := int64(ledger.HeaderSize)
	for scan.Next() {
		frame := scan.Frame()
		if frame.IsTrailer() {
			if _, err := ledger.ParseTrailer(frame); err != nil || frame.Seq != l.durable || frame.Prev != l.tail {
				return l.corrupt(scan.Start(), l.durable, errors.New("the trailer is not this segment's"))
			}
			l.sealed, l.size = true, scan.Offset()
			l.segs[len(l.segs)-1].size = l.size
			l.next, l.chain = l.durable, l.tail
			return ctx.Err()
		}
		if frame.Seq != l.durable || frame.Prev != l.tail {
			return l.corrupt(scan.Start(), l.durable, fmt.Errorf("record %d does not continue record %d", frame.Seq, l.durable))
		}
		l.index.add(frame.Seq, scan.Start(), frame.Type, commitKey(frame.Type, frame.Stored))
		leaf, chain := frame.Hashes(l.tail)
		l.tree.Append(leaf)
		if l.last.note != nil && l.tree.Size() == l.last.Size && l.tree.Root() != l.last.Root {
			return l.corrupt(scan.Start(), frame.Seq, errors.New("the records are not those of the signed checkpoint"))
		}
		l.durable, l.tail, end = frame.Seq+1, chain, scan.Offset()
	}
	if err := scan.Err(); err != nil && scan.Resync(8) && scan.Next() {
		last := max(scan.Frame().Seq, 1) - 1
		l.behind = scan.Frame().Seq + 1
		for scan.Next() && !scan.Frame().IsTrailer() {
			l.behind = scan.Frame().Seq + 1
		}
		return l.corrupt(end, last, err)
	}
	l.next, l.chain, l.size = l.durable, l.tail, end
	l.segs[len(l.segs)-1].size = end
	if end < size {
		l.store.deps.Log.Warn("a write that a crash cut off is removed", "run", l.run.ID, "log", l.kind.String(), "bytes", size-end)
		if err := errors.Join(f.Truncate(end), f.Sync()); err != nil {
			return fmt.Errorf("cut the torn tail: %w", err)
		}
	}
	if _, err := io.Copy(l.sum, io.NewSectionReader(f, 0, end)); err != nil {
		return fmt.Errorf("read segment %d: %w", l.header.Segment, err)
	}
	if l.durable > l.last.Size {
		l.noteUnsigned(int(l.durable-l.last.Size), l.store.deps.Clock.Now())
	}
	return ctx.Err()
}

type fileReader interface {
	io.ReaderAt
	Truncate(int64) error
	Sync() error
}

func (l *Log) corrupt(at int64, last uint64, cause error) error {
	l.next, l.chain = l.durable, l.tail
	return l.fault(Fault{Kind: Corrupt, Segment: l.header.Segment, Offset: at, FirstSeq: l.durable, LastSeq: max(last, l.durable), Cause: cause})
}

// recoverCheckpoint reads the newest checkpoint and mends what a crash left between the two files.
func (l *Log) recoverCheckpoint() error {
	err := l.eachCheckpoint(func(c ledger.Checkpoint, note []byte) {
		l.last.Checkpoint, l.last.note = c, slices.Clone(note)
	})
	if err != nil {
		return err
	}
	if l.last.note == nil {
		return nil
	}
	name := path.Join(l.dir, ledger.CheckpointFile)
	newest, err := l.store.deps.Disk.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the newest checkpoint: %w", err)
	}
	if slices.Equal(newest, l.last.note) {
		return nil
	}
	if c, err := ledger.ReadCheckpoint(newest); err == nil && c.Origin == l.origin && c.Size > l.last.Size && l.isSigned(c, newest) {
		l.last.Checkpoint, l.last.note = c, newest // the history lost its tail in a power cut
		return nil
	}
	return l.store.deps.Disk.Replace(name, l.last.note)
}

// isSigned tells whether a note holds this recorder's signature of a checkpoint: a power cut may leave the text of one and
// the signature of another in the file. Ed25519 signs the same bytes the same way, so it is made again and compared.
func (l *Log) isSigned(c ledger.Checkpoint, signed []byte) bool {
	mine, err := c.Sign(l.store.deps.Signer)
	if err != nil {
		return false
	}
	text, line, _ := bytes.Cut(mine, []byte("\n\n"))
	return bytes.HasPrefix(signed, text) && bytes.Contains(signed, line)
}
