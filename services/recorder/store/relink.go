package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/provenir/provenir/ledger"
)

// openSegmentNumber is the number of the segment that is being written; -1 when there is none.
func (l *Log) openSegmentNumber() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil && KindOf(l.broken) != Sealed || l.file == nil || l.sealed || len(l.segs) == 0 {
		return -1
	}
	return int(l.segs[len(l.segs)-1].n)
}

// relink writes the open segment anew where somebody deleted its file: the open file still has every byte, and without it
// what was acknowledged behind the last copy would be lost when the log is closed. It is false where the file is there.
func (l *Log) relink(ctx context.Context) (done bool, err error) {
	d := l.store.deps.Disk
	err = l.do(ctx, func() error {
		if l.file == nil || l.sealed {
			return nil
		}
		name := path.Join(l.dir, ledger.SegmentName(l.header.Segment))
		f, err := d.Open(name)
		if err == nil {
			return f.Close()
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		to, err := d.Create(name)
		if err != nil {
			return err
		}
		if _, err = io.Copy(io.NewOffsetWriter(to, 0), io.NewSectionReader(l.file, 0, l.size)); err == nil {
			err = to.Sync()
		}
		if err != nil {
			return errors.Join(fmt.Errorf("write segment %d anew: %w", l.header.Segment, err), to.Close(), d.Remove(name))
		}
		old := l.file
		l.mu.Lock()
		l.file = to
		l.mu.Unlock()
		done = true
		l.store.deps.Log.Warn("the file of a segment was deleted while it was open; it was written again", "run", l.run.ID, "log", l.kind.String(), "segment", l.header.Segment)
		return errors.Join(old.Close(), d.SyncDir(l.dir))
	})
	return done, err
}
