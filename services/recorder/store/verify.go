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
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/provenir/provenir/ledger"
	"github.com/provenir/provenir/services/recorder/disk"
)

// Verify reads the log from disk and checks every hash, while the run may go on: it sees the log as it is at a fresh
// checkpoint. A broken log is verified as it lies there.
func (l *Log) Verify(ctx context.Context, keys note.Verifiers) (*ledger.Report, error) {
	if l.Broken() == nil {
		if err := l.Flush(ctx); err != nil {
			return nil, err
		}
	}
	return l.verify(ctx, l.view(), keys)
}

func (l *Log) verify(ctx context.Context, view fs.FS, keys note.Verifiers) (*ledger.Report, error) {
	opt := ledger.VerifyOptions{Keys: keys, Origin: l.origin, Payload: l.digestOf(ctx)}
	if l.kind == ledger.Events {
		notes, err := l.run.RetentionNotes(ctx)
		if err != nil {
			return nil, err
		}
		c, _ := l.run.Log(ledger.Findings).Checkpoint()
		opt.Retentions = slices.DeleteFunc(notes, func(n ledger.RetentionNote) bool { return n.Seq >= c.Size })
	}
	return ledger.Verify(ctx, view, opt)
}

// view is the log's folder as it is now.
func (l *Log) view() *snapshot {
	l.trees.Lock()
	view := &snapshot{log: l, disk: l.store.deps.Disk, dir: l.dir, newest: bytes.Clone(l.last.note), history: l.last.history, sizes: map[string]int64{}}
	l.trees.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := KindOf(l.broken); k == Corrupt || k == LostAcked { // nobody writes, and behind damage are segments that were never taken up
		view.whole = true
		return view
	}
	for _, s := range l.segs {
		view.sizes[ledger.SegmentName(s.n)] = s.size
	}
	return view
}

// snapshot shows a log's folder as it was at one moment: files are cut at the size they had then.
type snapshot struct {
	log     *Log
	disk    disk.FS
	dir     string
	newest  []byte
	history int64
	sizes   map[string]int64
	whole   bool              // nothing is hidden or cut
	fetched map[string]string // files that stand in for others, while it is asked whether they mend the log
}

// Open opens a file of the view.
func (s *snapshot) Open(name string) (fs.File, error) {
	if name == ledger.CheckpointFile && s.newest != nil {
		return &snapshotFile{name: name, SectionReader: io.NewSectionReader(bytes.NewReader(s.newest), 0, int64(len(s.newest)))}, nil
	}
	n, isSegment := ledger.ParseSegmentName(name)
	file := path.Join(s.dir, name)
	if fetched, ok := s.fetched[name]; ok {
		file = fetched
	}
	f, err := s.disk.Open(file)
	if errors.Is(err, fs.ErrNotExist) && isSegment && s.log.store.deps.Copies != nil {
		return s.openCopy(n, name)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	size, err := f.Size()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if cut, ok := s.sizes[name]; ok && s.fetched[name] == "" {
		size = min(size, cut)
	}
	if name == ledger.HistoryFile && !s.whole {
		size = min(size, s.history)
	}
	return &snapshotFile{name: name, closer: f, SectionReader: io.NewSectionReader(f, 0, size)}, nil
}

// openCopy opens a segment that was moved away.
func (s *snapshot) openCopy(n uint64, name string) (fs.File, error) {
	f, _, _, err := s.log.openSegmentFile(segmentInfo{n: n})
	if err != nil {
		return nil, err
	}
	size, ok := s.sizes[name]
	if !ok {
		ctx, cancel := context.WithTimeout(context.Background(), copyTimeout)
		defer cancel()
		if size, err = s.log.store.deps.Copies.Size(ctx, path.Join(s.dir, name)); err != nil {
			return nil, errors.Join(s.log.fault(Fault{Kind: CopyAway, Segment: n, Cause: err}), f.Close())
		}
	}
	return &snapshotFile{name: name, closer: f, SectionReader: io.NewSectionReader(f, 0, size)}, nil
}

// ReadDir lists the folder without segments that came later. What was moved away is listed as if it were here, where there
// is a store to read it from.
func (s *snapshot) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := s.disk.ReadDir(path.Join(s.dir, name))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", s.dir, err)
	}
	var out []fs.DirEntry
	for _, e := range entries {
		if n, moved := ledger.ParseAwayName(e.Name()); moved && s.log.store.deps.Copies != nil {
			e = listed{e, ledger.SegmentName(n)}
		}
		if _, isSegment := ledger.ParseSegmentName(e.Name()); isSegment {
			if _, known := s.sizes[e.Name()]; !known && !s.whole && s.fetched[e.Name()] == "" {
				continue
			}
		}
		out = append(out, e)
	}
	for name := range s.fetched {
		out = append(out, listed{nil, name})
	}
	return out, nil
}

// listed is an entry of a folder under another name.
type listed struct {
	fs.DirEntry
	name string
}

func (l listed) Name() string { return l.name }

type snapshotFile struct {
	*io.SectionReader
	name   string
	closer io.Closer
}

// Stat gives name and size; the rest is of no interest to a verification.
func (f *snapshotFile) Stat() (fs.FileInfo, error) { return snapshotInfo{f}, nil }

func (f *snapshotFile) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

type snapshotInfo struct{ f *snapshotFile }

func (i snapshotInfo) Name() string     { return path.Base(i.f.name) }
func (i snapshotInfo) Size() int64      { return i.f.SectionReader.Size() }
func (snapshotInfo) Mode() fs.FileMode  { return 0o400 }
func (snapshotInfo) ModTime() time.Time { return time.Time{} }
func (snapshotInfo) IsDir() bool        { return false }
func (snapshotInfo) Sys() any           { return nil }
