package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"

	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// Mend puts copies in the place of segments that a report calls damaged, and of those that are missing. Nothing is
// believed: a copy is fetched beside the log, checked by itself, and then the whole log is verified as it would be with
// it. Only a copy that leaves its segment without damage is swapped in; the damaged file keeps a name of its own. Without
// a store of copies, or without a copy, nothing happens.
func (l *Log) Mend(ctx context.Context, report *ledger.Report, keys note.Verifiers) (restored []uint64, err error) {
	candidates, err := l.candidates(report)
	if err != nil {
		return nil, err
	}
	if last := l.openSegmentNumber(); last >= 0 && slices.Contains(candidates, uint64(last)) {
		if again, err := l.relink(ctx); err != nil || again {
			return []uint64{uint64(last)}, err // what else is wrong the next repair finds
		}
	}
	if l.store.deps.Copies == nil {
		return nil, nil
	}
	last := l.openSegmentNumber()
	switch {
	case last < 0:
		last = l.unsealedLast()
	case slices.Contains(candidates, uint64(last)):
		if err := l.close(); err != nil { // its file is to be replaced, so nobody may write to it; the caller opens it again
			return nil, fmt.Errorf("close log %s: %w", l.kind, err)
		}
	}
	view := l.view()
	view.fetched = map[string]string{}
	defer func() {
		for _, name := range view.fetched { // what was swapped in has another name by now
			if e := l.store.deps.Disk.Remove(name); e != nil && !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}()
	for _, n := range candidates {
		if err := l.fetch(ctx, n, int(n) == last || last < 0 && int(n) > l.lastSegment(), view.fetched); err != nil {
			return nil, err
		}
	}
	if len(view.fetched) == 0 {
		return nil, nil
	}
	with, err := l.verify(ctx, view, keys)
	if err != nil {
		return nil, err
	}
	for _, n := range candidates {
		if spoiledBy(with, n) {
			continue
		}
		swapped, err := l.swap(ctx, n, view.fetched)
		if err != nil {
			return restored, err
		}
		if swapped {
			restored = append(restored, n)
		}
	}
	return restored, nil
}

// spoiledBy tells whether a log with a fetched segment is still wrong there, or no longer the one that was signed. That the
// log is too short behind its last segment is not the segment's fault.
func spoiledBy(r *ledger.Report, n uint64) bool {
	last := int(n) == r.Segments-1
	return r.Has(ledger.HistoryRewritten) || slices.ContainsFunc(r.Damages, func(d ledger.Damage) bool {
		short := last && (d.Kind == ledger.MissingSegment || d.Kind == ledger.TruncatedFile)
		return d.Segment == int(n) && !short
	})
}

// candidates are the segments that a copy may mend: the damaged ones, those that are missing, and the one after the last.
func (l *Log) candidates(report *ledger.Report) ([]uint64, error) {
	have, err := l.segmentNumbers()
	if err != nil {
		return nil, err
	}
	var out []uint64
	for n := uint64(0); len(have) > 0 && n < have[len(have)-1]; n++ {
		if !slices.Contains(have, n) {
			out = append(out, n)
		}
	}
	for _, d := range report.Damages {
		if d.Segment >= 0 && slices.Contains(have, uint64(d.Segment)) {
			out = append(out, uint64(d.Segment))
		}
		if d.Kind != ledger.MissingSegment && d.Kind != ledger.TruncatedFile {
			continue
		}
		if len(have) == 0 {
			out = append(out, 0)
		} else {
			out = append(out, have[len(have)-1]+1)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// fetch brings the copy of a segment into a file beside the log, and where there is none what stands for a retired one.
// Nothing is brought where there is no copy, or none that is whole: that a copy is refused is logged, and the loss is
// declared as without it. Of the last segment the copy may be the pieces that were shipped of it; what the file here has
// behind them is put behind them.
func (l *Log) fetch(ctx context.Context, n uint64, last bool, into map[string]string) error {
	for _, file := range []string{ledger.SegmentName(n), ledger.RetiredName(n)} {
		name := path.Join(l.dir, file)
		size, err := l.store.deps.Copies.Size(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil { // there may be a copy: nothing can be declared lost now
			return l.fault(Fault{Kind: CopyAway, Segment: n, Cause: err})
		}
		fetched := name + ".fetched"
		if err := l.download(name, fetched, size); err != nil {
			return err
		}
		err = l.whole(ctx, n, file, fetched, size)
		if last && errors.Is(err, ledger.ErrSealed) {
			err = l.wholeSoFar(n, fetched, size)
		}
		if err == nil {
			into[file] = fetched
			return nil
		}
		l.store.deps.Log.Error("the copy of a segment is refused", "run", l.run.ID, "log", l.kind.String(), "file", file, "error", err.Error())
		if err := l.store.deps.Disk.Remove(fetched); err != nil {
			return err
		}
	}
	return nil
}

func (l *Log) download(name, to string, size int64) error {
	d := l.store.deps.Disk
	if err := d.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := d.Create(to)
	if err != nil {
		return fmt.Errorf("fetch %s: %w", name, err)
	}
	from := &copyFile{copies: l.store.deps.Copies, name: name, fault: func(err error) error { return l.fault(Fault{Kind: CopyAway, Cause: err}) }}
	b := make([]byte, copyWindow)
	for at := int64(0); at < size && err == nil; {
		var n int
		n, err = from.ReadAt(b[:min(int64(len(b)), size-at)], at)
		if n > 0 && (err == nil || errors.Is(err, io.EOF)) {
			_, err = f.WriteAt(b[:n], at)
			at += int64(n)
		}
	}
	if err == nil || errors.Is(err, io.EOF) { // a copy that ends early is found out when it is read
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, d.Remove(to))
	}
	return nil
}

// whole checks a fetched copy by itself, and against the trailer that is here, if one is.
func (l *Log) whole(ctx context.Context, n uint64, file, fetched string, size int64) error {
	f, err := l.store.deps.Disk.Open(fetched)
	if err != nil {
		return err
	}
	defer f.Close()
	read := ledger.ReadSealed
	if _, retired := ledger.ParseRetiredName(file); retired {
		read = ledger.ReadRetired
	}
	is, err := read(ctx, f, size, nil)
	if err != nil {
		return err
	}
	if is.Header.Segment != n || is.Header.Log != l.kind || is.Header.Run != runUID(l.run.ID) {
		return fmt.Errorf("%w: it is another segment, log or run", ledger.ErrHeader)
	}
	if here, ok := l.trailerHere(n); ok && here != is.Trailer {
		return errors.New("it is not the file that the trailer here vouches for")
	}
	return nil
}

// trailerHere is the trailer of the damaged file, of the mark that stands for one that was moved away, or of a retired one.
func (l *Log) trailerHere(n uint64) (ledger.Trailer, bool) {
	d := l.store.deps.Disk
	if b, err := d.ReadFile(path.Join(l.dir, ledger.AwayName(n))); err == nil {
		if a, err := ledger.ParseAway(b); err == nil {
			return a.Trailer, true
		}
	}
	for _, name := range []string{ledger.SegmentName(n), ledger.RetiredName(n)} {
		f, err := d.Open(path.Join(l.dir, name))
		if err != nil {
			continue
		}
		size, err := f.Size()
		t, ok := ledger.LastTrailer(f, size)
		if err = errors.Join(err, f.Close()); err == nil && ok {
			return t, true
		}
	}
	return ledger.Trailer{}, false
}

// maxQuarantined bounds the names that a damaged file may take.
const maxQuarantined = 1000

// swap puts a fetched copy in place at once; it is false where there is none. The damaged file keeps a name of its own: it
// may be evidence. Of a retired segment the copy may have the payloads that are gone by a rule: what stays of it is made
// anew, and they do not come back.
func (l *Log) swap(ctx context.Context, n uint64, fetched map[string]string) (bool, error) {
	segment, retired := ledger.SegmentName(n), ledger.RetiredName(n)
	was, err := l.isRetired(n)
	if err != nil {
		return false, err
	}
	from, file := fetched[segment], segment
	switch {
	case from != "" && was:
		if err := l.retireFetched(ctx, from); err != nil {
			return false, fmt.Errorf("put segment %d in place: %w", n, err)
		}
		file = retired
	case from == "":
		from, file = fetched[retired], retired
	}
	if from == "" {
		return false, nil
	}
	d, name := l.store.deps.Disk, path.Join(l.dir, file)
	for i := 1; ; i++ {
		err := d.Link(name, fmt.Sprintf("%s.damaged-%d", name, i))
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			break
		}
		if !errors.Is(err, fs.ErrExist) || i == maxQuarantined {
			return false, fmt.Errorf("keep the damaged segment %d: %w", n, err)
		}
	}
	if err := d.Rename(from, name); err != nil {
		return false, fmt.Errorf("put segment %d in place: %w", n, err)
	}
	if err := d.Remove(path.Join(l.dir, indexName(n))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err // it may be of the damaged file
	}
	l.store.deps.Log.Warn("a damaged segment was replaced by its copy", "run", l.run.ID, "log", l.kind.String(), "file", file)
	return true, d.SyncDir(l.dir)
}

// retireFetched puts what stays of a fetched segment in its place.
func (l *Log) retireFetched(ctx context.Context, name string) error {
	d := l.store.deps.Disk
	f, err := d.Open(name)
	if err != nil {
		return err
	}
	size, err := f.Size()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	var kept bytes.Buffer // without payloads: some hundred bytes a record
	_, err = ledger.RetireSegment(ctx, f, size, &kept)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return disk.WriteDurably(d, name, kept.Bytes())
}
