// Package powercut is a disk in memory that knows what would survive a power cut: bytes after File.Sync, names after
// SyncDir, and nothing else. It counts the calls that change or open something, and fails the one that a test names.
package powercut

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing/fstest"

	"github.com/provenir/provenir/services/recorder/disk"
)

// Fault is what the named call does.
type Fault int

// Faults. A short write leaves half of its bytes; a sync that fails loses what it was to keep, as Linux does.
const (
	None   Fault = iota
	Full         // ENOSPC, nothing is done
	Broken       // EIO, nothing is done
	Short        // a write that ends after half of its bytes with ENOSPC; another call is not done
	Off          // the machine dies before the call: it and all later ones fail
)

// Loss is what a power cut leaves of what was not synced.
type Loss int

// Losses.
const (
	Lost Loss = iota // nothing of it
	Torn             // all names, and all writes but half of the last one of each file
	Kept             // all of it: only the process died
)

// ErrOff tells that the machine is off.
var ErrOff = errors.New("powercut: the machine is off")

// Disk is the disk. Make it with New.
type Disk struct {
	mu      sync.Mutex
	names   map[string]*inode // as a process sees them
	durable map[string]*inode // as they are after a cut
	dirs    map[string]bool
	calls   []string
	at      int // the call that fails, from 1
	fault   Fault
	off     bool
}

// inode is a file's content.
type inode struct {
	now    []byte
	synced []byte
	torn   []byte // that write's content, as the cut may leave it
}

// New is an empty disk.
func New() *Disk {
	return &Disk{names: map[string]*inode{}, durable: map[string]*inode{}, dirs: map[string]bool{".": true}}
}

// Plan lets the at-th call from now on fail; 0 none.
func (d *Disk) Plan(at int, f Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls, d.at, d.fault = nil, at, f
}

// Calls lists the calls since Plan.
func (d *Disk) Calls() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.calls)
}

// Cut is a power cut, or the death of the process, and a start after it. Files that are open are of no use any more.
func (d *Disk) Cut(l Loss) {
	d.mu.Lock()
	defer d.mu.Unlock()
	names := d.names
	if l == Lost {
		names = d.durable
	}
	after := map[string]*inode{}
	for name, i := range names {
		content := i.now
		switch {
		case l == Lost:
			content = i.synced
		case l == Torn && i.torn != nil:
			content = i.torn
		}
		after[name] = &inode{now: slices.Clone(content), synced: slices.Clone(content)}
	}
	d.names, d.durable = after, map[string]*inode{}
	for name, i := range after {
		d.durable[name] = i
	}
	d.off, d.at, d.calls = false, 0, nil
}

// call counts one, and says what is wrong with it.
func (d *Disk) call(what, name string) error {
	if d.off {
		return ErrOff
	}
	d.calls = append(d.calls, what+" "+name)
	if d.at == 0 || len(d.calls) != d.at {
		return nil
	}
	switch d.fault {
	case Full, Short:
		return &fs.PathError{Op: what, Path: name, Err: syscall.ENOSPC}
	case Broken:
		return &fs.PathError{Op: what, Path: name, Err: syscall.EIO}
	case Off:
		d.off = true
		return ErrOff
	}
	return nil
}

func missing(what, name string) error {
	return &fs.PathError{Op: what, Path: name, Err: fs.ErrNotExist}
}

func (d *Disk) open(what, name string) (disk.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call(what, name); err != nil {
		return nil, err
	}
	i := d.names[name]
	if i == nil {
		return nil, missing(what, name)
	}
	return &file{disk: d, name: name, inode: i}, nil
}

// Open opens a file for reading.
func (d *Disk) Open(name string) (disk.File, error) { return d.open("open", path.Clean(name)) }

// Edit opens a file for writing.
func (d *Disk) Edit(name string) (disk.File, error) { return d.open("edit", path.Clean(name)) }

// Create makes a file.
func (d *Disk) Create(name string) (disk.File, error) {
	name = path.Clean(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("create", name); err != nil {
		return nil, err
	}
	if d.names[name] != nil {
		return nil, &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	}
	d.names[name] = &inode{}
	return &file{disk: d, name: name, inode: d.names[name]}, nil
}

// Replace gives a name to new bytes, which are not synced.
func (d *Disk) Replace(name string, data []byte) error {
	name = path.Clean(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("replace", name); err != nil {
		return err
	}
	i := &inode{}
	i.write(data, 0)
	d.names[name] = i
	return nil
}

// ReadFile reads a file.
func (d *Disk) ReadFile(name string) ([]byte, error) {
	name = path.Clean(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("readfile", name); err != nil {
		return nil, err
	}
	if i := d.names[name]; i != nil {
		return slices.Clone(i.now), nil
	}
	return nil, missing("open", name)
}

// ReadDir lists a folder.
func (d *Disk) ReadDir(name string) ([]fs.DirEntry, error) {
	name = path.Clean(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("readdir", name); err != nil {
		return nil, err
	}
	if !d.dirs[name] {
		return nil, missing("open", name)
	}
	tree := fstest.MapFS{}
	for n := range d.names {
		tree[n] = &fstest.MapFile{}
	}
	for n := range d.dirs {
		if n != "." {
			tree[n] = &fstest.MapFile{Mode: fs.ModeDir}
		}
	}
	return tree.ReadDir(name)
}

// MkdirAll makes folders. They are durable at once: an empty folder too many does no harm.
func (d *Disk) MkdirAll(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("mkdir", name); err != nil {
		return err
	}
	for n := path.Clean(name); n != "."; n = path.Dir(n) {
		d.dirs[n] = true
	}
	return nil
}

// Remove takes a name away.
func (d *Disk) Remove(name string) error {
	name = path.Clean(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("remove", name); err != nil {
		return err
	}
	if d.names[name] == nil {
		return missing("remove", name)
	}
	delete(d.names, name)
	return nil
}

// Rename moves a name.
func (d *Disk) Rename(from, to string) error {
	if err := d.Link(from, ""); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[path.Clean(to)] = d.names[path.Clean(from)]
	delete(d.names, path.Clean(from))
	return nil
}

// Link gives a second name; an empty one only counts the call.
func (d *Disk) Link(from, to string) error {
	from = path.Clean(from)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("link", from); err != nil {
		return err
	}
	switch {
	case d.names[from] == nil:
		return missing("link", from)
	case to == "":
		return nil
	case d.names[path.Clean(to)] != nil:
		return &fs.PathError{Op: "link", Path: to, Err: fs.ErrExist}
	}
	d.names[path.Clean(to)] = d.names[from]
	return nil
}

// SyncDir makes the names in a folder durable.
func (d *Disk) SyncDir(name string) error {
	name = path.Clean(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.call("syncdir", name); err != nil {
		return err
	}
	for n := range d.durable {
		if path.Dir(n) == name && d.names[n] == nil {
			delete(d.durable, n)
		}
	}
	for n, i := range d.names {
		if path.Dir(n) == name {
			d.durable[n] = i
		}
	}
	return nil
}

// Free is always plenty.
func (d *Disk) Free() (free, total uint64, err error) { return 1 << 40, 1 << 41, nil }

// Lock is free: a test has one process.
func (d *Disk) Lock() (io.Closer, error) { return io.NopCloser(strings.NewReader("")), nil }

// Flip changes one byte of a file, durably.
func (d *Disk) Flip(name string, at int, bits byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[name].now[at] ^= bits
	d.names[name].synced = slices.Clone(d.names[name].now)
}

// Files gives all files and their content.
func (d *Disk) Files() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string][]byte{}
	for n, i := range d.names {
		out[n] = slices.Clone(i.now)
	}
	return out
}

// From is a disk that holds these files, durably.
func From(files map[string][]byte) *Disk {
	d := New()
	for name, content := range files {
		d.names[name] = &inode{now: slices.Clone(content), synced: slices.Clone(content)}
		d.durable[name] = d.names[name]
		for n := path.Dir(name); n != "."; n = path.Dir(n) {
			d.dirs[n] = true
		}
	}
	return d
}
