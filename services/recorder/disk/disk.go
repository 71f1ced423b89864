// Package disk is what the recorder needs of a file system, behind an interface so that tests can make it fail: short
// writes, a full disk, an fsync that errs, a machine that dies between two calls.
//
// Names are slash-separated and relative to the root, as in io/fs. Nothing is durable before File.Sync returned, and a
// new or renamed file only after SyncDir of its folder.
package disk

import (
	"io"
	"io/fs"
)

// FS is a folder tree that the recorder owns.
type FS interface {
	// Open opens a file for reading.
	Open(name string) (File, error)
	// Create makes a new file for reading and writing; it fails when the file exists.
	Create(name string) (File, error)
	// Edit opens an existing file for reading and writing.
	Edit(name string) (File, error)
	// Replace puts data in the place of a file at once: a reader sees the old or the new bytes. It does not sync.
	Replace(name string, data []byte) error
	ReadFile(name string) ([]byte, error)
	ReadDir(name string) ([]fs.DirEntry, error)
	MkdirAll(name string) error
	Remove(name string) error
	// Rename gives a file another name, in the place of one that has it.
	Rename(from, to string) error
	// Link gives a file a second name; it fails when the name is taken.
	Link(from, to string) error
	SyncDir(name string) error
	// Free says how many bytes are free and how many there are.
	Free() (free, total uint64, err error)
	// Lock takes the tree for this process alone until the closer is closed.
	Lock() (io.Closer, error)
}

// File is an open file. Writes name their offset, so that a write that is done again lands in the same place.
type File interface {
	io.ReaderAt
	io.WriterAt
	// Sync is fdatasync. After an error the kernel may have dropped the pages: the file must be closed, opened again and
	// read before anything is written (a second Sync would report success).
	Sync() error
	Truncate(size int64) error
	// Allocate takes the blocks for the first size bytes now, so that they cannot run out later.
	Allocate(size int64) error
	Size() (int64, error)
	io.Closer
}
