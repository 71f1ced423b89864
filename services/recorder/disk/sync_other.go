//go:build !linux

package disk

// Sync is fsync: only Linux has the cheaper one in the standard library.
func (f file) Sync() error { return f.File.Sync() }

// Allocate only sets the length here: blocks are not held, so a full disk is noticed later.
func (f file) Allocate(size int64) error { return f.Truncate(size) }
