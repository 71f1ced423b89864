package disk

import (
	"errors"
	"syscall"
)

// Sync is fdatasync: it writes the data and the size, which is all that reading back needs.
func (f file) Sync() error {
	for {
		if err := syscall.Fdatasync(int(f.Fd())); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// Allocate is fallocate.
func (f file) Allocate(size int64) error {
	for {
		if err := syscall.Fallocate(int(f.Fd()), 0, 0, size); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
