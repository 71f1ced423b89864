package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
)

// segment checks one segment file.
func (v *verifier) segment(ctx context.Context, n uint64, isLast bool) error {
	r, size, closer, err := v.openForm(n)
	if err != nil {
		return err
	}
	defer closer.Close()
	v.report.Bytes += size
	v.size, v.sealed = size, false
	if !v.header(r, n, size) {
		return nil
	}
	w := segmentWalk{verifier: v, n: int(n), isLast: isLast, r: r, size: size, first: v.next, clean: len(v.report.Damages) == 0}
	w.scan = NewScanner(r, HeaderSize, size)
	if err := w.walk(ctx); err != nil {
		return err
	}
	if v.form == formRetired && !v.sealed {
		v.damage(PayloadMissing, int(n), 0, w.first, max(v.next, 1)-1, "the payloads are gone, and the segment was never sealed: no rule takes those")
	}
	return nil
}

// header checks that the segment is the next one of this log. It is false when its records cannot be placed.
func (v *verifier) header(r io.ReaderAt, n uint64, size int64) bool {
	var b [HeaderSize]byte
	got, err := r.ReadAt(b[:], 0)
	if got < HeaderSize && err != nil && size >= HeaderSize {
		v.damage(DamagedHeader, int(n), 0, v.next, v.next, "%v", err)
		return false
	}
	h, err := ParseHeader(b[:got])
	if err != nil {
		v.damage(DamagedHeader, int(n), 0, v.next, v.next, "%v", err)
		v.broken, v.relocate = true, false
		return size > HeaderSize // the frames speak for themselves
	}
	return v.belongs(h, n)
}

// belongs checks that a header is the next segment's of this log. It is false when its records cannot be placed.
func (v *verifier) belongs(h Header, n uint64) bool {
	if !v.started {
		v.started, v.run, v.report.Log = true, h.Run, h.Log
	}
	switch {
	case h.Run != v.run, h.Log != v.report.Log:
		v.damage(ForeignSegment, int(n), 0, v.next, v.next, "it belongs to another run or log")
		v.broken, v.relocate = true, true
		return false
	case h.Segment != n:
		v.damage(ForeignSegment, int(n), 0, h.FirstSeq, h.FirstSeq, "it is segment %d: files were renamed or swapped", h.Segment)
		v.broken, v.relocate = true, true
		return false
	case !v.broken && (h.FirstSeq != v.next || h.Prev != v.chain):
		v.damage(ForeignSegment, int(n), 0, v.next, v.next, "it starts at record %d and does not continue the one before", h.FirstSeq)
		v.broken = true
	}
	if v.broken && h.FirstSeq >= v.next {
		v.place(h)
	}
	return true
}

// place goes on where the header says, after files that are missing or misplaced.
func (v *verifier) place(h Header) {
	if last := len(v.report.Damages) - 1; v.relocate && h.FirstSeq > 0 && v.report.Damages[last].Kind == MissingSegment {
		v.report.Damages[last].LastSeq = h.FirstSeq - 1
	}
	v.next, v.chain, v.relocate = h.FirstSeq, h.Prev, false
}

// segmentWalk is the pass over one segment's frames.
type segmentWalk struct {
	*verifier
	n      int
	isLast bool
	r      io.ReaderAt
	size   int64
	first  uint64 // record the segment starts with
	clean  bool   // no damage before this segment
	scan   *Scanner
}

func (w *segmentWalk) walk(ctx context.Context) error {
	for count := 0; ; count++ {
		if count%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if w.scan.Next() {
			if w.scan.Frame().IsTrailer() {
				return w.trailer()
			}
			w.record()
			continue
		}
		err := w.scan.Err()
		if err == nil {
			w.endWithoutTrailer()
			return nil
		}
		if !isFrameError(err) {
			return err
		}
		if !w.resync(err) {
			return nil
		}
	}
}

func isFrameError(err error) bool {
	return errors.Is(err, ErrFrameShort) || errors.Is(err, ErrFrameLength) || errors.Is(err, ErrFrameCRC) || errors.Is(err, ErrFrameBody)
}

// record checks a whole frame: its payload, its place, its link.
func (w *segmentWalk) record() {
	f, at := w.scan.Frame(), w.scan.Start()
	w.payload(f, at)
	switch {
	case f.Seq < w.next:
		w.outOfPlace(f, at)
		return
	case f.Seq > w.next:
		w.lost(gap{first: w.next, last: f.Seq - 1, segment: w.n, offset: at})
	case f.Prev != w.chain:
		w.damage(ReplacedRecord, w.n, at, max(f.Seq, 1)-1, f.Seq, "record %d does not link to the record before it: one of them was replaced", f.Seq)
		w.broken = true
	}
	leaf, chain := f.Hashes(f.Prev)
	w.next, w.chain = f.Seq+1, chain
	if !w.broken && !w.blind {
		w.tree.Append(leaf)
		w.compareRoots()
	}
}

// outOfPlace judges a frame whose number has passed: moved here from a gap, or there twice.
func (w *segmentWalk) outOfPlace(f *Frame, at int64) {
	w.broken = true
	i := slices.IndexFunc(w.gaps, func(g gap) bool { return g.first <= f.Seq && f.Seq <= g.last })
	if i < 0 {
		w.damage(DuplicatedRecord, w.n, at, f.Seq, f.Seq, "record %d is there twice", f.Seq)
		return
	}
	w.damage(ReorderedRecords, w.n, at, f.Seq, w.next-1, "record %d stands after record %d", f.Seq, w.next-1)
	g := w.gaps[i]
	w.gaps = slices.Delete(w.gaps, i, i+1)
	if g.first < f.Seq {
		w.lost(gap{first: g.first, last: f.Seq - 1, segment: g.segment, offset: g.offset})
	}
	if f.Seq < g.last {
		w.lost(gap{first: f.Seq + 1, last: g.last, segment: g.segment, offset: g.offset})
	}
}

// resync goes on after bytes that are no frame. It is false when nothing valid follows.
func (w *segmentWalk) resync(cause error) bool {
	at := w.scan.Offset()
	if !w.scan.Resync(1) {
		w.badTail(at, cause)
		return false
	}
	probe := NewScanner(w.r, w.scan.Offset(), w.size)
	if !probe.Next() {
		return false
	}
	f := probe.Frame()
	switch {
	case f.Seq == w.next:
		w.damage(InsertedBytes, w.n, at, f.Seq, f.Seq, "%d bytes before record %d belong to no record", w.scan.Offset()-at, f.Seq)
	case f.Seq > w.next:
		w.damage(FlippedBits, w.n, at, w.next, f.Seq-1, "%v", cause)
		w.broken = true
		w.next, w.chain = f.Seq, f.Prev
	default:
		w.damage(FlippedBits, w.n, at, w.next, w.next, "%v; what follows is record %d", cause, f.Seq)
		w.broken = true
	}
	return true
}

// badTail judges bytes at the end of a file that are no frame.
func (w *segmentWalk) badTail(at int64, cause error) {
	left := w.size - at
	claimed := w.claimed()
	covered := w.next < claimed
	torn := w.looksTorn(at, left)
	switch {
	case covered && torn && !errors.Is(cause, ErrFrameCRC), !w.isLast && torn:
		w.damage(TruncatedFile, w.n, at, w.next, max(claimed, w.next+1)-1, "the file ends in the middle of record %d", w.next)
		w.broken, w.tail = true, w.isLast
	case covered, !w.isLast:
		w.damage(FlippedBits, w.n, at, w.next, max(claimed, w.next+1)-1, "%v, and nothing valid follows", cause)
		w.broken, w.tail = true, w.isLast
	case torn:
		w.report.TornTail = left
	default:
		w.damage(AppendedGarbage, w.n, at, w.next, w.next, "%d bytes after the last record belong to no record", left)
	}
}

// looksTorn tells whether the tail is what a crash leaves: zeros, or the start of the record that comes next.
func (w *segmentWalk) looksTorn(at, left int64) bool {
	b := make([]byte, min(left, 4096))
	if _, err := w.r.ReadAt(b, at); err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	if !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
		return true
	}
	f := Frame{Entry: Entry{Seq: w.next}, Prev: w.chain}
	want := AppendFrame(nil, &f)
	if len(b) < 16 {
		return len(b) < 8 || slices.Equal(b[8:], want[8:len(b)])
	}
	if !slices.Equal(b[8:16], want[8:16]) {
		return false
	}
	return len(b) < FrameHeaderSize || slices.Equal(b[56:FrameHeaderSize], want[56:FrameHeaderSize])
}

// endWithoutTrailer judges a file that ends after a whole frame and was never sealed.
func (w *segmentWalk) endWithoutTrailer() {
	if w.isLast {
		return // a live log; the checkpoint says whether records are missing
	}
	w.damage(TruncatedFile, w.n, w.size, w.next, w.next, "the segment is not the last one and has no trailer")
	w.broken = true
}

// trailer checks a sealed segment's last frame and what follows it.
func (w *segmentWalk) trailer() error {
	w.sealed = true
	start, end := w.scan.Start(), w.scan.Offset()
	t, err := ParseTrailer(w.scan.Frame())
	undamaged := w.clean && len(w.report.Damages) == 0 && len(w.gaps) == 0
	switch {
	case err != nil:
		w.damage(TrailerMismatch, w.n, start, w.next, w.next, "%v", err)
	case undamaged && (t.FirstSeq != w.first || t.FirstSeq+t.Count != w.next || t.Chain != w.chain):
		w.damage(TrailerMismatch, w.n, start, w.first, max(w.next, 1)-1, "it vouches for records %d to %d with another chain", t.FirstSeq, t.LastSeq)
		w.broken = true
	case undamaged && w.form == formRetired: // what the trailer vouches for is gone with the payloads
	case undamaged:
		h := sha256.New()
		if _, err := io.Copy(h, io.NewSectionReader(w.r, 0, start)); err != nil {
			return err
		}
		if Hash(h.Sum(nil)) != t.File {
			w.damage(TrailerMismatch, w.n, 0, w.first, max(w.next, 1)-1, "the file is not the one that was sealed")
		}
	case t.FirstSeq+t.Count > w.next: // records at the end of a damaged segment
		w.lost(gap{first: w.next, last: t.LastSeq, segment: w.n, offset: start})
		w.next, w.chain = t.LastSeq+1, t.Chain
	}
	if w.form == formRetired && err == nil {
		w.retired(t)
	}
	if end < w.size {
		w.damage(AppendedGarbage, w.n, end, w.next, w.next, "%d bytes after the end of a sealed segment", w.size-end)
	}
	return nil
}
