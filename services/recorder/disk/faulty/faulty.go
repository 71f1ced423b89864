// Package faulty is a disk that fails on demand. It has the behaviour of a real one, which is below it: what a failed
// call left behind is really there.
package faulty

import (
	"io/fs"
	"path"
	"sync"
	"syscall"

	"github.com/provenir/provenir/services/recorder/disk"
)

// Rules say what fails. Change them with Set.
type Rules struct {
	// Room is the number of bytes that may still be written; a write past it is short and ends with ENOSPC. Negative is
	// no limit.
	Room int64
	// FailSyncs is the number of syncs that fail with EIO.
	FailSyncs int
	// FailWrites is the number of writes that fail with EIO after half of their bytes.
	FailWrites int
	// Only limits faults to files that match this pattern of path.Match; empty is all.
	Only string
	// Free is what the disk says is free; 0 asks the real one.
	Free uint64
	// SkipSyncs answers syncs at once: a test that pulls no plug loses nothing by it and is many times faster.
	SkipSyncs bool
	// BeforeSync is called before each sync, for tests that stall the disk.
	BeforeSync func()
}

// FS is a disk with faults.
type FS struct {
	disk.FS
	mu    sync.Mutex
	rules Rules
}

// New wraps a disk; it does nothing until Set.
func New(under disk.FS) *FS { return &FS{FS: under, rules: Rules{Room: -1}} }

// Set changes the rules.
func (f *FS) Set(r Rules) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules = r
}

// Rules gives what is left of them.
func (f *FS) Rules() Rules {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rules
}

// Open opens a file for reading; reads do not fail.
func (f *FS) Open(name string) (disk.File, error) { return f.FS.Open(name) }

// Create makes a file whose writes and syncs may fail.
func (f *FS) Create(name string) (disk.File, error) {
	under, err := f.FS.Create(name)
	return f.wrap(name, under, err)
}

// Edit opens a file whose writes and syncs may fail.
func (f *FS) Edit(name string) (disk.File, error) {
	under, err := f.FS.Edit(name)
	return f.wrap(name, under, err)
}

// Replace needs room like any write.
func (f *FS) Replace(name string, data []byte) error {
	if _, err := f.write(name, len(data)); err != nil {
		return &fs.PathError{Op: "write", Path: name, Err: err}
	}
	return f.FS.Replace(name, data)
}

// Free is what the rules say.
func (f *FS) Free() (free, total uint64, err error) {
	if r := f.Rules(); r.Free > 0 {
		return r.Free, r.Free * 10, nil
	}
	return f.FS.Free()
}

// SyncDir syncs a folder unless syncs are skipped.
func (f *FS) SyncDir(name string) error {
	if f.Rules().SkipSyncs {
		return nil
	}
	return f.FS.SyncDir(name)
}

func (f *FS) wrap(name string, under disk.File, err error) (disk.File, error) {
	if err != nil {
		return nil, err
	}
	return &file{File: under, fs: f, name: name}, nil
}

// write takes room for n bytes: how many may be written, and what the call answers.
func (f *FS) write(name string, n int) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.hit(name) {
		return n, nil
	}
	if f.rules.FailWrites > 0 {
		f.rules.FailWrites--
		return n / 2, syscall.EIO
	}
	if f.rules.Room < 0 {
		return n, nil
	}
	fits := int(min(int64(n), f.rules.Room))
	f.rules.Room -= int64(fits)
	if fits < n {
		return fits, syscall.ENOSPC
	}
	return n, nil
}

func (f *FS) hit(name string) bool {
	if f.rules.Only == "" {
		return true
	}
	ok, _ := path.Match(f.rules.Only, path.Base(name))
	return ok
}

type file struct {
	disk.File
	fs   *FS
	name string
}

func (f *file) WriteAt(b []byte, off int64) (int, error) {
	n, fault := f.fs.write(f.name, len(b))
	wrote, err := f.File.WriteAt(b[:n], off)
	if err == nil {
		err = fault
	}
	return wrote, err
}

func (f *file) Sync() error {
	f.fs.mu.Lock()
	before := f.fs.rules.BeforeSync
	fail := f.fs.rules.FailSyncs > 0 && f.fs.hit(f.name)
	if fail {
		f.fs.rules.FailSyncs--
	}
	skip := f.fs.rules.SkipSyncs
	f.fs.mu.Unlock()
	if before != nil {
		before()
	}
	if fail {
		return syscall.EIO
	}
	if skip {
		return nil
	}
	return f.File.Sync()
}
