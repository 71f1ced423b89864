package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
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
	l.trees.Lock()
	view := &snapshot{disk: l.store.deps.Disk, dir: l.dir, newest: bytes.Clone(l.last.note), history: l.last.history, sizes: map[string]int64{}}
	l.trees.Unlock()
	l.mu.Lock()
	for _, s := range l.segs {
		view.sizes[ledger.SegmentName(s.n)] = s.size
	}
	l.mu.Unlock()
	return ledger.Verify(ctx, view, ledger.VerifyOptions{Keys: keys, Origin: l.origin})
}

// snapshot shows a log's folder as it was at one moment: files are cut at the size they had then.
type snapshot struct {
	disk    disk.FS
	dir     string
	newest  []byte
	history int64
	sizes   map[string]int64
}

// Open opens a file of the view.
func (s *snapshot) Open(name string) (fs.File, error) {
	if name == ledger.CheckpointFile && s.newest != nil {
		return &snapshotFile{name: name, SectionReader: io.NewSectionReader(bytes.NewReader(s.newest), 0, int64(len(s.newest)))}, nil
	}
	f, err := s.disk.Open(path.Join(s.dir, name))
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	size, err := f.Size()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if cut, ok := s.sizes[name]; ok {
		size = min(size, cut)
	}
	if name == ledger.HistoryFile {
		size = min(size, s.history)
	}
	return &snapshotFile{name: name, closer: f, SectionReader: io.NewSectionReader(f, 0, size)}, nil
}

// ReadDir lists the folder without segments that came later.
func (s *snapshot) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := s.disk.ReadDir(path.Join(s.dir, name))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", s.dir, err)
	}
	out := entries[:0]
	for _, e := range entries {
		if _, isSegment := ledger.ParseSegmentName(e.Name()); isSegment {
			if _, known := s.sizes[e.Name()]; !known {
				continue
			}
		}
		out = append(out, e)
	}
	return out, nil
}

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
