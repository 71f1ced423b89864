package powercut

import (
	"io"
	"slices"
)

type file struct {
	disk  *Disk
	name  string
	inode *inode
}

func (i *inode) write(b []byte, off int64) {
	before := slices.Clone(i.now)
	if end := int(off) + len(b); end > len(i.now) {
		i.now = append(i.now, make([]byte, end-len(i.now))...)
	}
	copy(i.now[off:], b)
	// A cut leaves half of the last write, behind all earlier ones; where the file grew, the rest may be there as zeros.
	i.torn = before
	half := int(off) + len(b)/2
	if half > len(i.torn) {
		i.torn = append(i.torn, make([]byte, half-len(i.torn))...)
	}
	copy(i.torn[off:half], b)
}

// ReadAt reads what a process sees; it is not counted.
func (f *file) ReadAt(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.disk.off {
		return 0, ErrOff
	}
	if off >= int64(len(f.inode.now)) {
		return 0, io.EOF
	}
	n := copy(b, f.inode.now[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt writes.
func (f *file) WriteAt(b []byte, off int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.call("write", f.name); err != nil {
		n := 0
		if f.disk.fault == Short && !f.disk.off {
			n = len(b) / 2
			f.inode.write(b[:n], off)
		}
		return n, err
	}
	f.inode.write(b, off)
	return len(b), nil
}

// Sync makes the content durable, or loses it.
func (f *file) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.call("sync", f.name); err != nil {
		if !f.disk.off {
			f.inode.now = slices.Clone(f.inode.synced)
			f.inode.torn = nil
		}
		return err
	}
	f.inode.synced, f.inode.torn = slices.Clone(f.inode.now), nil
	return nil
}

// Truncate sets the length.
func (f *file) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.call("truncate", f.name); err != nil {
		return err
	}
	f.inode.now = append(slices.Clone(f.inode.now[:min(int(size), len(f.inode.now))]), make([]byte, max(0, int(size)-len(f.inode.now)))...)
	f.inode.torn = nil
	return nil
}

// Allocate takes room.
func (f *file) Allocate(int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return f.disk.call("allocate", f.name)
}

// Size is the length that a process sees.
func (f *file) Size() (int64, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	return int64(len(f.inode.now)), nil
}

// Close does nothing.
func (f *file) Close() error { return nil }
