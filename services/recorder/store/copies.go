package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/provenir/provenir/ledger"
)

// Copies are sealed segments in another store, by their path below the ledger's folder. The store of the logs only reads
// them: where a file is not on the local disk, and to mend one that is damaged.
type Copies interface {
	// Size of a copy; fs.ErrNotExist where there is none.
	Size(ctx context.Context, name string) (int64, error)
	// ReadRange reads from an offset: fewer bytes and io.EOF at the end of the copy.
	ReadRange(ctx context.Context, name string, p []byte, off int64) (int, error)
}

// segmentFile is a segment open for reading, wherever it lies.
type segmentFile interface {
	io.ReaderAt
	io.Closer
}

// openSegmentFile opens a segment on the local disk, what stands for a retired one, else its copy. It says what it found:
// a segment may have been retired since the caller learned of it. foreign tells that it is a copy, whose bytes nobody here
// has written.
func (l *Log) openSegmentFile(s segmentInfo) (f segmentFile, is segmentInfo, foreign bool, err error) {
	name := path.Join(l.dir, ledger.SegmentName(s.n))
	f, err = l.store.deps.Disk.Open(name)
	if err == nil {
		return f, s, false, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, s, false, fmt.Errorf("open segment %d of log %s: %w", s.n, l.kind, err)
	}
	retired, err := l.isRetired(s.n)
	if err != nil {
		return nil, s, false, err
	}
	if retired { // also where a copy has the payloads: to readers they are gone by the rule
		f, s, err = l.openRetired(s)
		return f, s, false, err
	}
	if l.store.deps.Copies == nil {
		return nil, s, false, l.fault(Fault{Kind: CopyAway, Segment: s.n, Cause: errors.New("it is not on the local disk, and no store of copies is configured")})
	}
	return &copyFile{copies: l.store.deps.Copies, name: name, fault: func(err error) error {
		return l.fault(Fault{Kind: CopyAway, Segment: s.n, Cause: err})
	}}, s, true, nil
}

const (
	copyWindow  = 1 << 20         // read at once: a request costs far more than its bytes
	copyTimeout = 2 * time.Minute // of one range
)

// copyFile reads a copy by ranges.
type copyFile struct {
	copies Copies
	name   string
	fault  func(error) error
	buf    []byte // holds the copy from base on
	base   int64
	end    bool // buf reaches the copy's end
}

// ReadAt fills p from a window of the copy. It is not safe for concurrent use, as little as a scanner is.
func (f *copyFile) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if at < f.base || at >= f.base+int64(len(f.buf)) {
			if f.end && at >= f.base+int64(len(f.buf)) && at >= f.base {
				return n, io.EOF
			}
			if err := f.load(at, len(p)-n); err != nil {
				return n, err
			}
			continue
		}
		n += copy(p[n:], f.buf[at-f.base:])
	}
	return n, nil
}

func (f *copyFile) load(at int64, want int) error {
	ctx, cancel := context.WithTimeout(context.Background(), copyTimeout)
	defer cancel()
	if want = max(want, copyWindow); cap(f.buf) < want {
		f.buf = make([]byte, want)
	}
	n, err := f.copies.ReadRange(ctx, f.name, f.buf[:want], at)
	if err != nil && !errors.Is(err, io.EOF) {
		f.buf, f.end = f.buf[:0], false
		return f.fault(err)
	}
	f.buf, f.base, f.end = f.buf[:n], at, err != nil
	if n == 0 {
		return io.EOF
	}
	return nil
}

// Close lets the window go.
func (f *copyFile) Close() error {
	f.buf = nil
	return nil
}
