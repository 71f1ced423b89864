package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ErrLocked tells that another process has the folder.
var ErrLocked = errors.New("another recorder has this ledger folder open; stop it, or give this one a folder of its own")

// Dir is a folder of the machine.
type Dir struct {
	root string
}

// OpenDir makes the folder where it is missing.
func OpenDir(root string) (*Dir, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("make the ledger folder: %w", err)
	}
	return &Dir{root: root}, nil
}

func (d *Dir) path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

// Open opens a file for reading.
func (d *Dir) Open(name string) (File, error) { return openFile(os.Open(d.path(name))) }

// Create makes a new file.
func (d *Dir) Create(name string) (File, error) {
	return openFile(os.OpenFile(d.path(name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600))
}

// Edit opens an existing file.
func (d *Dir) Edit(name string) (File, error) {
	return openFile(os.OpenFile(d.path(name), os.O_RDWR, 0o600))
}

// Replace writes beside the file and renames.
func (d *Dir) Replace(name string, data []byte) error {
	tmp := d.path(name) + ".tmp"
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return errors.Join(err, removeIfThere(tmp))
	}
	return os.Rename(tmp, d.path(name))
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// ReadFile reads a whole file.
func (d *Dir) ReadFile(name string) ([]byte, error) { return os.ReadFile(d.path(name)) }

// ReadDir lists a folder by name.
func (d *Dir) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(d.path(name)) }

// MkdirAll makes a folder and those above it.
func (d *Dir) MkdirAll(name string) error { return os.MkdirAll(d.path(name), 0o700) }

// Remove deletes a file.
func (d *Dir) Remove(name string) error { return os.Remove(d.path(name)) }

// Rename gives a file another name.
func (d *Dir) Rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }

// Link gives a file a second name.
func (d *Dir) Link(from, to string) error { return os.Link(d.path(from), d.path(to)) }

// SyncDir makes the names in a folder durable.
func (d *Dir) SyncDir(name string) error {
	f, err := os.Open(d.path(name))
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Free asks the file system.
func (d *Dir) Free() (free, total uint64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.root, &s); err != nil {
		return 0, 0, fmt.Errorf("ask for free space of %s: %w", d.root, err)
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), nil
}

// Lock takes an advisory lock on the folder's LOCK file. The kernel lets go of it when the process dies.
func (d *Dir) Lock() (io.Closer, error) {
	f, err := os.OpenFile(filepath.Join(d.root, "LOCK"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the ledger's lock file: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", d.root, ErrLocked), f.Close())
	}
	return f, nil
}

type file struct{ *os.File }

func openFile(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return file{f}, nil
}

func (f file) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
